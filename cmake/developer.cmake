# What only Capstan's own build wants: an optimised build by default, warnings, sanitizers.

if(PROJECT_IS_TOP_LEVEL)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_CXX_EXTENSIONS OFF)
  set(CAPSTAN_WARNINGS -Wall -Wextra -Wshadow -Wno-missing-field-initializers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    list(APPEND CAPSTAN_WARNINGS -Wno-restrict)  # false alarms on std::string (GCC's bug 105651)
  elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    list(APPEND CAPSTAN_WARNINGS -Wno-unknown-pragmas)  # GCC's own, in the kernels
  endif()
endif()
if(CAPSTAN_WERROR)
  list(APPEND CAPSTAN_WARNINGS -Werror)
endif()

if(CAPSTAN_SANITIZE)
  add_compile_options(-fsanitize=${CAPSTAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CAPSTAN_SANITIZE})
endif()
