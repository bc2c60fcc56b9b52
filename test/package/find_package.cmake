# Installs this build into a scratch prefix and builds and runs test/package/consumer against it with find_package(micro).
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")

set(prefix "${WORK_DIR}/prefix")
set(build "${WORK_DIR}/consumer")
# The consumer's build directory stays, so that a second run costs little.
file(REMOVE_RECURSE "${prefix}")

run("install" "${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${prefix}")

# Nothing installed may point back into this tree: the package would work on this machine only.
file(GLOB_RECURSE package_files "${prefix}/*.cmake")
foreach(file IN LISTS package_files)
  file(READ "${file}" text)
  foreach(dir "${SOURCE_DIR}" "${BINARY_DIR}")
    string(FIND "${text}" "${dir}" at)
    if(NOT at EQUAL -1)
      message(FATAL_ERROR "${file} names a directory of the build: ${dir}")
    endif()
  endforeach()
endforeach()
foreach(program micro protoc-gen-micro)
  run("run the installed ${program}" "${prefix}/bin/${program}" --version)
  message(STATUS "${output}")
endforeach()

run("configure a consumer" "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/consumer" -B "${build}" ${configure_options}
  "-DCMAKE_PREFIX_PATH=${prefix}")
forbid_leaks("${build}")
run("build the consumer" "${CMAKE_COMMAND}" --build "${build}")
run("run the consumer" "${build}/consumer")
message(STATUS "${output}")
if(NOT output MATCHES "Hello package")
  message(FATAL_ERROR "the consumer did not print its greeting, but: ${output}")
endif()

# The example as somebody would copy it: service and client, two programs that find each other.
set(example "${WORK_DIR}/greeter")
set(registry "${WORK_DIR}/registry")
run("configure the example" "${CMAKE_COMMAND}" -S "${SOURCE_DIR}/examples/greeter" -B "${example}" ${configure_options}
  "-DCMAKE_PREFIX_PATH=${prefix}")
run("build the example" "${CMAKE_COMMAND}" --build "${example}")
run("run the example" sh "${CMAKE_CURRENT_LIST_DIR}/greet.sh" "${example}" "${registry}")
message(STATUS "${output}")
if(NOT output MATCHES "Hello")
  message(FATAL_ERROR "the client of the example was not greeted, but: ${output}")
endif()
