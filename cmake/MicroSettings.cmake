# Compiler settings of this project. They hold for this directory tree only and are never exported: a program that links micro
# keeps its own warnings, linker and sanitizers.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
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

# One precompiled header for all tests: GoogleTest and the standard headers nearly every test uses. It is built once, so every
# test program must be compiled with the same flags.
function(micro_test_pch)
  set(source "${PROJECT_BINARY_DIR}/micro_test_pch.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "")
  endif()
  add_library(micro_test_pch OBJECT "${source}")
  target_link_libraries(micro_test_pch PRIVATE micro_warnings GTest::gtest GTest::gmock)
  target_compile_options(micro_test_pch PRIVATE ${MICRO_TEST_OPTIONS} ${MICRO_PCH_OPTIONS})
  target_precompile_headers(micro_test_pch PRIVATE
    <gtest/gtest.h> <gmock/gmock.h> <chrono> <coroutine> <cstdint> <expected> <functional> <memory> <optional>
    <span> <string> <string_view> <utility> <vector>)
endfunction()

# ccache can only tell one precompiled header from another by its content.
set(MICRO_PCH_OPTIONS $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)

function(micro_use_test_pch target)
  target_compile_options(${target} PRIVATE ${MICRO_TEST_OPTIONS} ${MICRO_PCH_OPTIONS})
  target_precompile_headers(${target} REUSE_FROM micro_test_pch)
endfunction()
