#include <cstdio>
#include <string_view>

#include <google/protobuf/compiler/plugin.h>

#include "generator.hpp"

int main(int argc, char** argv) {
  const std::string_view argument = argc > 1 ? argv[1] : "";
  if (argument == "--version") {
    std::puts("protoc-gen-micro " MICRO_VERSION);
    return 0;
  }
  if (argument == "--help" || argument == "-h") {
    std::puts(
        "protoc-gen-micro: the protoc plugin that writes handlers and clients of micro services.\n"
        "protoc runs it, for example:\n"
        "  protoc --cpp_out=DIR --micro_out=DIR greeter.proto\n"
        "It must be in the PATH, or named with --plugin=protoc-gen-micro=FILE. In CMake, micro_generate() does all of it.");
    return 0;
  }
  const micro::generator::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}
