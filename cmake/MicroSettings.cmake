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

# Across components, because one call passes through a dozen of them: a tenth fewer instructions. The objects hold machine code
# besides, so that a program may link the installed libraries with any linker.
if(MICRO_LTO)
  if(NOT MICRO_LLD)
    message(FATAL_ERROR "MICRO_LTO needs clang and lld; configure with -DMICRO_LTO=OFF")
  endif()
  add_compile_options(-flto=thin -ffat-lto-objects)
  add_link_options(-flto=thin -ffat-lto-objects -Wl,--fat-lto-objects "-Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/lto")
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

# Two precompiled headers, each built once, so that all that use one are compiled with the same flags:
#   micro_pch       for components, with MICRO_PCH: the standard headers that take longest. Nothing of third parties, which not every
#                   component may include. The release presets do without, so that a source that forgets an include does not go
#                   unnoticed.
#   micro_test_pch  for test code: the same and GoogleTest.
set(MICRO_PCH_HEADERS <algorithm> <array> <atomic> <chrono> <coroutine> <cstddef> <cstdint> <cstring> <expected> <functional> <limits>
  <map> <memory> <mutex> <optional> <span> <stdexcept> <string> <string_view> <utility> <vector>)

# ccache can only tell one precompiled header from another by its content.
set(MICRO_PCH_OPTIONS $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)

# _micro_pch(<name> [OPTIONS <compiler option>...] [LIBRARIES <target>...] [HEADERS <header>...])
function(_micro_pch name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "OPTIONS;LIBRARIES;HEADERS")
  set(source "${PROJECT_BINARY_DIR}/${name}.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "")
  endif()
  add_library(${name} OBJECT "${source}")
  target_link_libraries(${name} PRIVATE micro_warnings ${ARG_LIBRARIES})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS} ${MICRO_PCH_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${MICRO_PCH_HEADERS} ${ARG_HEADERS})
endfunction()

if(MICRO_PCH)
  _micro_pch(micro_pch)
endif()

function(micro_use_pch target)
  if(MICRO_PCH)
    target_compile_options(${target} PRIVATE ${MICRO_PCH_OPTIONS})
    target_precompile_headers(${target} REUSE_FROM micro_pch)
  endif()
endfunction()

function(micro_test_pch)
  _micro_pch(micro_test_pch OPTIONS ${MICRO_TEST_OPTIONS} LIBRARIES GTest::gtest GTest::gmock
    HEADERS <gtest/gtest.h> <gmock/gmock.h>)
endfunction()

function(micro_use_test_pch target)
  target_compile_options(${target} PRIVATE ${MICRO_TEST_OPTIONS} ${MICRO_PCH_OPTIONS})
  target_precompile_headers(${target} REUSE_FROM micro_test_pch)
endfunction()
