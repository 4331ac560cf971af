# cmake -DPROGRAM=trace2d -DAIRFOIL=airfoil -DWORK=FOLDER -P usage.cmake: what the examples' command line refuses ends with exit
# code 2 and these words, what fails for another reason with 1. The other examples lie beside PROGRAM.
cmake_minimum_required(VERSION 3.25)

function(ends_with code flags text)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  execute_process(COMMAND ${PROGRAM} ${flags} OUTPUT_VARIABLE output ERROR_VARIABLE error RESULT_VARIABLE result TIMEOUT 60)
  string(REGEX REPLACE "\n.*" "" error "${error}")
  if(NOT result STREQUAL code OR NOT error STREQUAL text OR NOT output STREQUAL "")
    message(FATAL_ERROR "${PROGRAM} ${flags}: exit code ${result}, and not ${code}, or it says\n  ${error}\nand not\n  ${text}\n${output}")
  endif()
endfunction()

function(refuses flags text)
  ends_with(2 "${flags}" "${text}")
endfunction()

set(ENV{CAPSTAN_ISA} v5)
ends_with(1 "" "[CAPSTAN_ISA] must be plain, v2, v3 or v4: 'v5'")
unset(ENV{CAPSTAN_ISA})
set(ENV{CAPSTAN_NUM_THREADS} 0)
ends_with(1 "" "[CAPSTAN_NUM_THREADS] must be a whole number from 1 to 256: '0'")
unset(ENV{CAPSTAN_NUM_THREADS})

refuses("--lr 1 --optimizer \"sgd lr=0.1\"" "--lr: the rate must be given once: also in --optimizer \"sgd lr=0.1\"")
refuses("--seed 010" "--seed: a whole number must be given in decimals, without zeros before it: 010 (write 10)")
refuses("--epochs 0x10" "--epochs: a whole number must be given in decimals, without zeros before it: 0x10")
refuses("--epochs 1e3" "--epochs: a whole number must be given in decimals, without zeros before it: 1e3 (write 1000)")
refuses("--threads 2.0" "--threads: a whole number must be given in decimals, without zeros before it: 2.0 (write 2)")
refuses("--seed 1.5" "--seed: a whole number must be given in decimals, without zeros before it: 1.5")
refuses("--epochs +" "--epochs: a whole number must be given in decimals, without zeros before it: +")
refuses("--optimizer \"sgd lr=0.1 lr=0.2\"" "--optimizer: [make] a setting must come once: 'lr' in 'sgd lr=0.1 lr=0.2'")
refuses("--lr -1" "--lr: [adagrad] lr must not be negative: -1")
refuses("--lr 0" "--lr: the rate must be above 0, or nothing moves: lr 0")
refuses("--optimizer \"sgd lr=0\"" "--optimizer: the rate must be above 0, or nothing moves: lr 0")
refuses("--optimizer \"sgd lr=-1\"" "--optimizer: [sgd] lr must not be negative: -1")
refuses("--optimizer \"sgd momentm=0.9\""
  "--optimizer: [sgd] there is no option 'momentm' among lr, momentum, dampening, nesterov, weight_decay (did you mean 'momentum'?)")

# A folder that takes no files is found before the work.
if(EXISTS /proc/self)
  ends_with(1 "--out /proc" "[out] the folder must take files: /proc: No such file or directory (choose one with --out)")
endif()
ends_with(1 "--out /dev/null" "[out] the folder must be there or be made: /dev/null: Not a directory (choose one with --out)")

# And so is a target that no file can be written to, of whatever program and file: nothing has been printed then.
cmake_path(GET PROGRAM PARENT_PATH programs)
foreach(pair airfoil/airfoil.svg compare_optimizers/compare_digits.svg compare_optimizers/compare_sparse_lr.svg
        compare_optimizers/compare_valley.svg custom_optimizer/custom_optimizer.svg dialects/dialects.svg digits/digits.csv
        digits/digits.svg flights/calibration.svg flights/flights.svg language_id/language_id.svg
        sparse_features/sparse_features.svg trace2d/trace2d_0.4.svg trace2d/trace2d_2.svg
        vanishing_rate/vanishing_rate.csv vanishing_rate/vanishing_rate.svg vanishing_rate/vanishing_rate_loss.svg
        vanishing_rate/vanishing_rate_network.svg vanishing_rate/vanishing_rate_histogram.svg)
  string(REGEX MATCH "^(.*)/(.*)$" pair "${pair}")
  set(name ${CMAKE_MATCH_1})
  set(target ${WORK}/out/${CMAKE_MATCH_2})
  set(PROGRAM_BEFORE ${PROGRAM})
  set(PROGRAM ${programs}/${name})
  set(data "")
  if(name STREQUAL "airfoil")
    set(data "--data synthetic")
  endif()
  file(REMOVE_RECURSE ${WORK})
  file(MAKE_DIRECTORY ${target})
  ends_with(1 "${data} --out ${WORK}/out" "[check_target] cannot write the file: ${target}: Is a directory (write elsewhere?)")
  set(PROGRAM ${PROGRAM_BEFORE})
endforeach()

execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0 OR NOT output MATCHES "Methods: adabelief .*adagrad .*yogi")
  message(FATAL_ERROR "${PROGRAM} --help: exit code ${result}, or it does not list the methods:\n${output}")
endif()

execute_process(COMMAND sh -c "${PROGRAM} --help >/dev/full" ERROR_VARIABLE error RESULT_VARIABLE result)
if(NOT result EQUAL 1 OR NOT error STREQUAL "[stdout] the results must be written: some were not (disk full?)\n")
  message(FATAL_ERROR "${PROGRAM} --help to a full disk: exit code ${result}, and not 1, or it says ${error}")
endif()

# Without a word of where the table lies it is looked for where `./run data airfoil` puts it.
unset(ENV{CAPSTAN_DATA})
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/build/data/airfoil_self_noise.dat "1\t2\n")
execute_process(COMMAND ${AIRFOIL} WORKING_DIRECTORY ${WORK} ERROR_VARIABLE error RESULT_VARIABLE result)
if(NOT result EQUAL 1 OR NOT error STREQUAL "[airfoil] the table must be [1503, 6]: [1, 2] in build/data/airfoil_self_noise.dat\n")
  message(FATAL_ERROR "${AIRFOIL} does not take build/data/airfoil_self_noise.dat: exit code ${result}, and it says ${error}")
endif()
file(REMOVE_RECURSE ${WORK}/build/data)
execute_process(COMMAND ${AIRFOIL} WORKING_DIRECTORY ${WORK} ERROR_VARIABLE error RESULT_VARIABLE result)
if(NOT result EQUAL 1 OR NOT error MATCHES "not at './airfoil_self_noise.dat'.*`./run data airfoil` fetches it")
  message(FATAL_ERROR "${AIRFOIL} does not say how to get its table: exit code ${result}, and it says ${error}")
endif()
