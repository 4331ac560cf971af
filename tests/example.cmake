# cmake -DSOURCE=hello.cpp -DPROGRAM=hello -P example.cmake: runs a program as its head comment says.
#
#   // Last line: accuracy 0.9                what its last line begins with, a CMake regular expression
#   // Test: --epochs 2                       run with these flags, checked against the `Last line` above
#   // Test with data: --epochs 2             the same, run only where CAPSTAN_DATA says where the data lie
#
# Without a Test line it runs once without flags.
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${SOURCE} head REGEX "^// (Last line|Test|Test with data):")
if(NOT head MATCHES "^// Last line:")
  message(FATAL_ERROR "${SOURCE} does not say what its last line is (// Last line: ..., above any Test)")
endif()
if(NOT head MATCHES "// Test")
  list(APPEND head "// Test:")
endif()

foreach(line IN LISTS head)
  string(REGEX MATCH "^// ([A-Za-z ]+): *(.*)$" line "${line}")
  set(word "${CMAKE_MATCH_1}")
  set(text "${CMAKE_MATCH_2}")
  if(word STREQUAL "Last line")
    set(expected "${text}")
    continue()
  endif()
  if(word STREQUAL "Test with data" AND NOT DEFINED ENV{CAPSTAN_DATA})
    message(STATUS "CAPSTAN_DATA is not set, not run: ${text}")
    continue()
  endif()
  separate_arguments(flags UNIX_COMMAND "${text}")
  execute_process(COMMAND ${PROGRAM} ${flags} OUTPUT_VARIABLE output RESULT_VARIABLE result ECHO_OUTPUT_VARIABLE TIMEOUT 300)
  string(STRIP "${output}" output)
  string(REGEX REPLACE "^.*\n" "" last "${output}")
  if(NOT result STREQUAL "0")
    message(FATAL_ERROR "${PROGRAM} ${text}: exit code ${result}")
  elseif(NOT last MATCHES "^${expected}")
    message(FATAL_ERROR "${PROGRAM} ${text}: the last line is\n  ${last}\nand not\n  ${expected}")
  endif()
endforeach()
