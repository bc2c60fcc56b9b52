# Third-party packages, all from Debian; docs/reference/dependencies.md says what each is for and what was rejected.
find_package(Protobuf REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
# Of plugins, which are left out where these are missing.
pkg_check_modules(cares IMPORTED_TARGET libcares)

# Of plugins: what is missing leaves its plugin out.
find_library(ZOOKEEPER_LIBRARY zookeeper_mt)
find_path(ZOOKEEPER_INCLUDE_DIR zookeeper/zookeeper.h)
mark_as_advanced(ZOOKEEPER_LIBRARY ZOOKEEPER_INCLUDE_DIR)
if(ZOOKEEPER_LIBRARY AND ZOOKEEPER_INCLUDE_DIR)
  add_library(zookeeper::client UNKNOWN IMPORTED)
  set_target_properties(zookeeper::client PROPERTIES IMPORTED_LOCATION "${ZOOKEEPER_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${ZOOKEEPER_INCLUDE_DIR}")
endif()

# Seen by our sources only, and gone once they are compiled: no part of the installed package.
set(MICRO_HEADER_ONLY_LIBRARIES CLI11::CLI11 nlohmann_json::nlohmann_json)

if(MICRO_BUILD_TESTS)
  find_package(GTest REQUIRED)
  micro_test_pch()
endif()
if(MICRO_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
