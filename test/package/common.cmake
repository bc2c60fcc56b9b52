# Shared by the package tests, which run as `cmake -P` scripts.

# run(<what> <command>...): the command's output in `output`; stops the test when it fails.
macro(run what)
  message(STATUS "${what}")
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${what}: failed (${status}): ${command}\n${output}")
  endif()
endmacro()

set(configure_options -G "${GENERATOR}" "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
  "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
if(LAUNCHER)
  list(APPEND configure_options "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}")
endif()

# forbid_leaks(<build dir>): the user's own sources are compiled without our warnings and sanitizers.
function(forbid_leaks dir)
  file(STRINGS "${dir}/compile_commands.json" commands REGEX "\"command\".*consumer_main\\.cpp")
  if(NOT commands)
    message(FATAL_ERROR "no command compiles consumer_main.cpp in ${dir}/compile_commands.json")
  endif()
  foreach(flag -Wall -Wextra -Wpedantic -Wshadow -Werror -fsanitize -Wno- -include-pch)
    if(commands MATCHES " ${flag}")
      message(FATAL_ERROR "a flag of this project reached the user's sources: ${flag}\n${commands}")
    endif()
  endforeach()
endfunction()
