include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/capstan)
set(share_dir ${CMAKE_INSTALL_DATADIR}/capstan)

install(TARGETS capstan capstan_rule_flags EXPORT capstan-targets FILE_SET HEADERS)
# Not in the file set: the umbrella is itself a link in the build tree, and would be installed as one.
install(FILES capstan.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/capstan)
install(FILES data/samples/digits.csv data/samples/flights.csv data/samples/DATA.md DESTINATION ${share_dir})
install(FILES LICENSE DESTINATION ${share_dir})

install(EXPORT capstan-targets NAMESPACE capstan:: DESTINATION ${package_dir})
configure_package_config_file(cmake/capstan-config.cmake.in ${PROJECT_BINARY_DIR}/cmake/capstan-config.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS share_dir)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/capstan-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/capstan-config.cmake ${PROJECT_BINARY_DIR}/cmake/capstan-config-version.cmake
  DESTINATION ${package_dir})
