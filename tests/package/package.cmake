# Builds the foreign project in WORK by one WAY and runs its programs; CAPSTAN_BUILD is a finished build of Capstan. The WAY template
# builds, tests and installs examples/optimizer_template, and a program that finds it.
cmake_minimum_required(VERSION 3.25)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH tests)
cmake_path(GET tests PARENT_PATH source)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK}/source ${WORK}/prefix ${WORK}/moved)
set(template ${source}/examples/optimizer_template)

if(WAY STREQUAL "template")
  function(build project)
    run(${CMAKE_COMMAND} -G Ninja -S ${WORK}/${project} -B ${WORK}/${project}/build -DCMAKE_PREFIX_PATH=${WORK}/prefix
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_BUILD_TYPE=Release)
    run(${CMAKE_COMMAND} --build ${WORK}/${project}/build -j 2)
  endfunction()
  run(${CMAKE_COMMAND} --install ${CAPSTAN_BUILD} --prefix ${WORK}/prefix)
  file(COPY ${template}/ DESTINATION ${WORK}/source)
  build(source)
  run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/source/build --output-on-failure --no-tests=error)
  run(${CMAKE_COMMAND} --install ${WORK}/source/build --prefix ${WORK}/prefix)
  file(WRITE ${WORK}/user/CMakeLists.txt "cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES CXX)
find_package(sign_momentum 0.1 REQUIRED)
add_executable(user ${template}/tests/compare.cpp)
target_link_libraries(user PRIVATE sign_momentum::sign_momentum)
")
  build(user)
  set(ENV{CAPSTAN_DATA})
  execute_process(COMMAND ${WORK}/user/build/user OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "\nsign_momentum " rows "${output}")
  list(LENGTH rows count)
  if(NOT count EQUAL 12)  # two tables of six problems
    message(FATAL_ERROR "compare prints ${count} rows for sign_momentum:\n${output}")
  endif()
  return()
endif()
file(GLOB foreign ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/CMakeLists.txt ${foreign} ${source}/examples/hello.cpp ${template}/include DESTINATION ${WORK}/source)

if(WAY STREQUAL "install")
  run(${CMAKE_COMMAND} --install ${CAPSTAN_BUILD} --prefix ${WORK}/prefix)
  file(RENAME ${WORK}/prefix ${WORK}/moved)  # an installation does not know where it lies
  # CMake 3.22 knows no file sets: the folder of the headers must be said beside them.
  file(GLOB_RECURSE targets ${WORK}/moved/capstan-targets.cmake)
  file(STRINGS ${targets} said REGEX "INTERFACE_INCLUDE_DIRECTORIES .*_IMPORT_PREFIX}/include")
  if(NOT said)
    message(FATAL_ERROR "${targets} says where the headers are by a file set only")
  endif()
  set(options -DCMAKE_PREFIX_PATH=${WORK}/moved -DCMAKE_BUILD_TYPE=Release)
else()
  # Several sources at a time, as some projects build everything: in a third of the time.
  set(options -DCAPSTAN_SOURCE=${source} -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_UNITY_BUILD=ON)
  if(WAY STREQUAL "fetch")
    list(APPEND options -DBUILD_SHARED_LIBS=ON)
  endif()
endif()

run(${CMAKE_COMMAND} -G Ninja -S ${WORK}/source -B ${WORK}/build -DWAY=${WAY} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON ${options})
run(${CMAKE_COMMAND} --build ${WORK}/build -j 2)

# The library's flags are its own.
file(STRINGS ${WORK}/build/compile_commands.json command REGEX "\"command\": .*/hello\\.dir/")
string(REGEX MATCH " -[fmW][^ ]*" leaked "${command}")
if(NOT command OR leaked)
  message(FATAL_ERROR "hello.cpp is compiled with a flag of the library's (${leaked}):\n${command}")
endif()

set(ENV{CAPSTAN_DATA})
foreach(name hello my_optimizer dog my_operation bridge headers)
  run(${CMAKE_COMMAND} -DSOURCE=${WORK}/source/${name}.cpp -DPROGRAM=${WORK}/build/${name} -P ${tests}/example.cmake)
endforeach()
