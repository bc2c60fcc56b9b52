#include "generator.hpp"

#include <memory>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include "model.hpp"
#include "print.hpp"

namespace micro::generator {
namespace {

void write(google::protobuf::compiler::GeneratorContext& context, const std::string& name, const std::string& text) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> stream(context.Open(name));
  google::protobuf::io::CodedOutputStream(stream.get()).WriteString(text);
}

}  // namespace

bool Generator::Generate(const google::protobuf::FileDescriptor* file, const std::string& parameter,
                         google::protobuf::compiler::GeneratorContext* context, std::string* error) const {
  if (!parameter.empty()) {
    *error = "protoc-gen-micro takes no parameters, but was given '" + parameter + "': write --micro_out=DIR";
    return false;
  }
  const auto model = make_model(*file);
  if (!model) {
    *error = model.error();
    return false;
  }
  write(*context, model->stem + ".micro.hpp", print_header(*model));
  write(*context, model->stem + ".micro.cpp", print_source(*model));
  return true;
}

}  // namespace micro::generator
