# cmake -D PROGRAM=digits -D "FILES=digits.svg digits.csv" -D EPOCHS=60 -D SIGNAL=INT -D CODE=130 -D WORK=folder -P resume.cmake: a run
# that is stopped by a signal and goes on by --resume leaves the files of one that was not; a finished one says so, and draws its picture
# again; the save of another run is refused, and without --resume none is written over.
#   -D "FLAGS=--data x"  further ones
#   -D NEEDS=folder      skipped where that is not
#   -D EPOCHS_FIXED=ON   a run with another --epochs is another one
cmake_minimum_required(VERSION 3.25)
if(DEFINED NEEDS AND NOT EXISTS ${NEEDS})
  message(STATUS "${NEEDS} is not there, not run: ${PROGRAM}")
  return()
endif()
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
cmake_path(GET PROGRAM STEM name)
separate_arguments(FILES UNIX_COMMAND "${FILES}")
separate_arguments(FLAGS UNIX_COMMAND "${FLAGS}")

# In `before` stands what is to start the program.
function(run result folder epochs)
  execute_process(COMMAND ${before} ${PROGRAM} --threads 1 --out ${WORK}/${folder} --save ${WORK}/${folder}.ckpt ${FLAGS} --epochs ${epochs} ${ARGN}
    OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE code TIMEOUT 300)
  if(NOT code STREQUAL result)
    message(FATAL_ERROR "${folder} ${epochs} ${ARGN}: exit code ${code} and not ${result}: ${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
  set(errors "${errors}" PARENT_SCOPE)
endfunction()

function(says text expected)
  if(NOT text MATCHES "${expected}")
    message(FATAL_ERROR "${name} says\n${text}\nand not\n${expected}")
  endif()
endfunction()

function(compare)
  foreach(file IN LISTS FILES)
    execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/whole/${file} ${WORK}/parts/${file} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endfunction()

run(0 whole ${EPOCHS})
if(NOT EPOCHS_FIXED)
  run(0 parts 1)
  file(REMOVE ${WORK}/parts.ckpt ${WORK}/parts.ckpt.1)
  run(0 parts 1 --resume)  # from nothing: what an earlier run has left is not gone on with
  run(0 parts 2 --resume)
  file(REMOVE ${WORK}/parts.ckpt.1)
endif()

# The signal comes after the first save of an epoch. The shell would have a process in the background ignore SIGINT.
set(before sh -c "
  env --default-signal=INT \"$@\" &
  until test -e '${WORK}/parts.ckpt.1' || ! kill -0 $!
  do sleep 0.01
  done
  kill -${SIGNAL} $!
  wait $!" sh)
run(${CODE} parts ${EPOCHS} --resume)
says("${output}" "\nstopped and saved: go on by --resume --save ${WORK}/parts.ckpt\n$")
unset(before)
if(FILES MATCHES ".csv")
  file(APPEND ${WORK}/parts/${name}.csv "2,1,1,1\n")  # as if the run had been killed between this row and its save
endif()
run(0 parts ${EPOCHS} --resume)
says("${output}" "\ngoes on from ${WORK}/parts.ckpt\n")
compare()

file(REMOVE ${WORK}/parts/${name}.svg)  # as if the run had been killed before it was drawn
run(0 parts ${EPOCHS} --resume)
if(NOT EPOCHS_FIXED)
  set(more " \\(more by --epochs\\)")
endif()
says("${output}" "\nthe run is finished: it has made ${EPOCHS} of ${EPOCHS} epochs${more}\n")
if(EPOCHS_FIXED)
  run(1 parts 1000 --resume)
  says("${errors}" "the save: ${WORK}/parts.ckpt has 'seed 0.*, epochs ${EPOCHS}', wanted 'seed 0.*, epochs 1000'\n$")
endif()
run(1 parts ${EPOCHS} --resume --seed 1)
says("${errors}" "^\\[Checkpoint\\] the configuration must be that of the save: ${WORK}/parts.ckpt has 'seed 0.*', wanted 'seed 1.*'\n$")
run(1 parts ${EPOCHS})
says("${errors}" "^\\[save\\] a run of its own needs a file of its own: ${WORK}/parts.ckpt is there \\(go on by --resume, or remove it\\)\n$")
compare()
