#include "file_set.hpp"

#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace micro::dynamic {
namespace {

// A node that keeps naming new imports must not keep us for ever.
constexpr std::size_t kMostFiles = 5000;

Error bad_schema(std::string text) { return failed_precondition(std::move(text)).with_reason("BAD_SCHEMA"); }

}  // namespace

Result<void> FileSet::add(std::vector<std::string> files) {
  for (std::string& bytes : files) {
    google::protobuf::FileDescriptorProto proto;
    if (!proto.ParseFromString(bytes) || proto.name().empty()) {
      return fail(
          bad_schema("the node's reflection sent " + std::to_string(bytes.size()) + " bytes that are no file descriptor"));
    }
    if (!names_.insert(proto.name()).second) continue;
    if (names_.size() > kMostFiles) {
      return fail(bad_schema("the node's reflection sent more than " + std::to_string(kMostFiles) + " files"));
    }
    missing_.erase(proto.name());
    for (const std::string& import : proto.dependency()) {
      if (!names_.contains(import) && !given_up_.contains(import)) missing_.insert(import);
    }
    const std::string package = proto.package().empty() ? "" : proto.package() + ".";
    for (const auto& service : proto.service()) services_.insert(package + service.name());
    files_.push_back(std::move(bytes));
  }
  return {};
}

void FileSet::give_up(const std::string& import) {
  const std::string name = import;  // the argument may be the element that goes
  given_up_.insert(name);
  missing_.erase(name);
  if (!name.starts_with("google/protobuf/")) return;
  const auto* own = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
  if (own == nullptr) return;
  google::protobuf::FileDescriptorProto proto;
  own->CopyTo(&proto);
  (void)add({proto.SerializeAsString()});
}

}  // namespace micro::dynamic
