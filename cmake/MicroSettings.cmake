# Compiler settings of this project. They are attached to our targets only (through micro_private_settings), never exported:
# a program that links micro keeps its own warnings, standard library and sanitizers.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND NOT CMAKE_LINKER_TYPE)
  find_program(MICRO_LLD NAMES ld.lld-19 ld.lld)
  if(MICRO_LLD)
    add_link_options("-fuse-ld=${MICRO_LLD}")
  endif()
endif()

# Everything compiled in this tree, whatever the target kind: sanitizers must agree between objects.
if(MICRO_SANITIZE)
  add_compile_options("-fsanitize=${MICRO_SANITIZE}" -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${MICRO_SANITIZE}")
  if(MICRO_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# GCC at -O0/-O1 does not turn symmetric transfer into tail calls; long chains of ready tasks would overflow the stack.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-foptimize-sibling-calls)
endif()

add_library(micro_warnings INTERFACE)
target_compile_options(micro_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  $<$<BOOL:${MICRO_WERROR}>:-Werror>
  # Designated initialisers that leave trailing members at their defaults are the house style for options.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>)

# A precompiled header for the tests: GoogleTest and the standard headers nearly every test uses.
function(micro_test_pch)
  if(TARGET micro_test_pch OR NOT MICRO_BUILD_TESTS)
    return()
  endif()
  file(WRITE "${PROJECT_BINARY_DIR}/micro_test_pch.cpp" "")
  add_library(micro_test_pch OBJECT "${PROJECT_BINARY_DIR}/micro_test_pch.cpp")
  target_link_libraries(micro_test_pch PRIVATE micro_warnings GTest::gtest GTest::gmock)
  target_compile_options(micro_test_pch PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  target_precompile_headers(micro_test_pch PRIVATE
    <gtest/gtest.h> <gmock/gmock.h> <chrono> <coroutine> <cstdint> <expected> <functional> <memory> <optional>
    <span> <string> <string_view> <utility> <vector>)
endfunction()

function(micro_use_test_pch target)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  target_precompile_headers(${target} REUSE_FROM micro_test_pch)
endfunction()
