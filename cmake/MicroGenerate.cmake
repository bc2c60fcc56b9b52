# micro_generate(<target> PROTOS <file>... [BASE_DIR <dir>] [IMPORT_DIRS <dir>...])
#
# Makes the static library <target> from .proto files: the messages (x/y.pb.h, by protoc) and the handlers and clients of the
# services in them (x/y.micro.hpp, by protoc-gen-micro). Whoever links <target> includes them as "x/y.micro.hpp".
#
#   PROTOS       the files, below BASE_DIR; a file is imported by others under its path from there
#   BASE_DIR     the root of their import paths; the current source directory unless given
#   IMPORT_DIRS  further directories in which imports are looked up. A library made from the imported files is linked as usual:
#                target_link_libraries(<target> PUBLIC <library>)
#
# import "google/api/annotations.proto" (option google.api.http) works without further ado: our own text of that interface is found and
# the library made of it, micro::http-annotations, linked. A project that has the original below BASE_DIR or one of IMPORT_DIRS
# uses that, and links the library it has of it.
#
# The files are generated again when one of them, an imported file or a generator has changed.
# Works in this project's own tree and after find_package(micro).
# Of this file only: a project that asks for an older CMake keeps its own policies.
cmake_policy(VERSION 3.25)

function(micro_generate target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "BASE_DIR" "PROTOS;IMPORT_DIRS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "micro_generate(${target}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_PROTOS)
    message(FATAL_ERROR "micro_generate(${target}): no files: say PROTOS a.proto ...")
  endif()
  if(TARGET ${target})
    message(FATAL_ERROR "micro_generate(${target}): there is a target of this name already; link the generated library to it instead")
  endif()
  if(NOT TARGET protobuf::protoc)
    message(FATAL_ERROR "micro_generate(${target}): no protoc: install protobuf-compiler and say find_package(Protobuf REQUIRED)")
  endif()

  set(base "${CMAKE_CURRENT_SOURCE_DIR}")
  if(ARG_BASE_DIR)
    cmake_path(ABSOLUTE_PATH ARG_BASE_DIR NORMALIZE OUTPUT_VARIABLE base)
  endif()
  set(directories "${base}")
  foreach(directory IN LISTS ARG_IMPORT_DIRS)
    cmake_path(ABSOLUTE_PATH directory NORMALIZE)
    list(APPEND directories "${directory}")
  endforeach()
  set(annotations micro::http-annotations)
  foreach(directory IN LISTS directories)
    if(EXISTS "${directory}/google/api/annotations.proto")
      set(annotations)
    endif()
  endforeach()
  if(annotations)
    get_property(ours GLOBAL PROPERTY MICRO_PROTO_DIR)
    list(APPEND directories "${ours}")
  endif()
  list(TRANSFORM directories PREPEND "--proto_path=" OUTPUT_VARIABLE search)

  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}_generated")
  set(sources)
  foreach(proto IN LISTS ARG_PROTOS)
    cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY "${base}" NORMALIZE OUTPUT_VARIABLE file)
    cmake_path(IS_PREFIX base "${file}" NORMALIZE below_base)
    if(NOT below_base)
      message(FATAL_ERROR "micro_generate(${target}): ${file} is not below ${base}: set BASE_DIR to a directory that holds all PROTOS")
    endif()
    if(NOT EXISTS "${file}")
      message(FATAL_ERROR "micro_generate(${target}): ${file} does not exist")
    endif()
    cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${base}" OUTPUT_VARIABLE stem)
    cmake_path(REMOVE_EXTENSION stem LAST_ONLY)
    # In the order in which protoc names them in its dependency file: Ninja runs the command every time when the first differs.
    set(generated "${out}/${stem}.micro.cpp" "${out}/${stem}.micro.hpp" "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    cmake_path(SET directory "${out}/${stem}")
    cmake_path(GET directory PARENT_PATH directory)
    add_custom_command(
      OUTPUT ${generated}
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${directory}"
      COMMAND protobuf::protoc "--plugin=protoc-gen-micro=$<TARGET_FILE:micro::protoc-gen-micro>"
        "--cpp_out=${out}" "--micro_out=${out}" "--dependency_out=${out}/${stem}.d" ${search} "${file}"
      DEPENDS "${file}" protobuf::protoc micro::protoc-gen-micro
      DEPFILE "${out}/${stem}.d"
      COMMENT "Generating ${stem}.pb.h and ${stem}.micro.hpp"
      VERBATIM)
    list(APPEND sources ${generated})
  endforeach()

  add_library(${target} STATIC ${sources})
  # SYSTEM: warnings in generated headers do not concern those who include them.
  target_include_directories(${target} SYSTEM PUBLIC "${out}")
  target_link_libraries(${target} PUBLIC micro::call micro::client micro::codecs ${annotations} protobuf::libprotobuf)
endfunction()
