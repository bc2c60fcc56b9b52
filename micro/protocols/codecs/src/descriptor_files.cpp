#include "descriptor_files.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/common.h>

namespace micro::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;

// Keeps the first complaint: the others usually follow from it.
class FirstError final : public DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string&, const std::string& element, const google::protobuf::Message*, ErrorLocation,
                const std::string& message) override {
    if (text.empty()) text = element + ": " + message;
  }
  std::string text;
};

struct File {
  const std::string* bytes = nullptr;
  FileDescriptorProto proto;
  int next_import = 0;
  bool open = false;  // on the stack: an import of it closes a cycle
  const FileDescriptor* built = nullptr;
};

// The first field whose JSON name would spoil the text it is written in; protobuf checks the other names alone.
std::string bad_json_name(const Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    const std::string& name = message.field(i)->json_name();
    if (!google::protobuf::internal::IsStructurallyValidUTF8(name)) return message.field(i)->full_name();
  }
  std::string bad;
  for (int i = 0; i < message.nested_type_count() && bad.empty(); ++i) bad = bad_json_name(*message.nested_type(i));
  return bad;
}

std::string bad_json_name(const FileDescriptor& file) {
  std::string bad;
  for (int i = 0; i < file.message_type_count() && bad.empty(); ++i) bad = bad_json_name(*file.message_type(i));
  return bad;
}

class Builder {
 public:
  explicit Builder(DescriptorPool& pool) : pool_(pool) {}

  Result<void> add(const std::string& bytes) {
    ++given_;
    File file;
    file.bytes = &bytes;
    if (!file.proto.ParseFromString(bytes) || file.proto.name().empty()) {
      return fail(invalid_argument("descriptor " + std::to_string(given_) + " of " + std::to_string(bytes.size()) +
                                   " bytes is no google.protobuf.FileDescriptorProto with a name"));
    }
    const std::string name = file.proto.name();
    const auto [same, is_new] = by_name_.emplace(name, files_.size());
    if (is_new) {
      files_.push_back(std::move(file));
    } else if (*files_[same->second].bytes != bytes) {
      return fail(invalid_argument("two different descriptors are called \"" + name + "\""));
    }
    return {};
  }

  // Imports first; with a stack of its own, since the sender decides how long the chain of imports is.
  Result<void> build(std::size_t first) {
    if (files_[first].built != nullptr) return {};
    std::vector<std::size_t> stack{first};
    files_[first].open = true;
    while (!stack.empty()) {
      File& file = files_[stack.back()];
      if (file.next_import == file.proto.dependency_size()) {
        FirstError errors;
        file.built = pool_.BuildFileCollectingErrors(file.proto, &errors);
        if (file.built == nullptr) return fail(invalid_argument("descriptor \"" + file.proto.name() + "\": " + errors.text));
        if (const std::string bad = bad_json_name(*file.built); !bad.empty()) {
          return fail(invalid_argument("descriptor \"" + file.proto.name() + "\": the JSON name of " + bad + " is not UTF-8"));
        }
        file.open = false;
        stack.pop_back();
        continue;
      }
      const std::string& import = file.proto.dependency(file.next_import++);
      const auto found = by_name_.find(import);
      if (found == by_name_.end()) {
        return fail(invalid_argument("descriptor \"" + file.proto.name() + "\" imports \"" + import +
                                     "\", which is not among those given; send it along"));
      }
      File& imported = files_[found->second];
      if (imported.open) return fail(invalid_argument("descriptor \"" + import + "\" imports itself by way of its imports"));
      if (imported.built != nullptr) continue;
      imported.open = true;
      stack.push_back(found->second);
    }
    return {};
  }

  std::size_t size() const noexcept { return files_.size(); }
  const FileDescriptor* built(std::size_t i) const noexcept { return files_[i].built; }

 private:
  DescriptorPool& pool_;
  std::vector<File> files_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::size_t given_ = 0;
};

}  // namespace

Result<std::vector<const FileDescriptor*>> build_files(std::span<const std::string> files, DescriptorPool& pool) {
  Builder builder(pool);
  for (const std::string& bytes : files) {
    if (auto added = builder.add(bytes); !added) return fail(std::move(added).error());
  }
  std::vector<const FileDescriptor*> built;
  for (std::size_t i = 0; i < builder.size(); ++i) {
    if (auto done = builder.build(i); !done) return fail(std::move(done).error());
    built.push_back(builder.built(i));
  }
  return built;
}

}  // namespace micro::codec
