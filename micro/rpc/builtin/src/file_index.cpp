#include "file_index.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

#include <google/protobuf/descriptor.pb.h>

namespace micro::rpc::builtin {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// A file that contradicts another is left out: then its program already runs with the two, and the rest can still be told.
class Quiet final : public DescriptorPool::ErrorCollector {
  void AddError(const std::string&, const std::string&, const google::protobuf::Message*, ErrorLocation,
                const std::string&) override {}
};

}  // namespace

FileIndex::FileIndex(const std::vector<Endpoint>& endpoints) {
  std::set<std::string> names;
  std::unordered_set<const codec::MessageType*> seen;
  for (const Endpoint& endpoint : endpoints) {
    names.insert(endpoint.service);
    for (const codec::MessageType* type : {endpoint.request_type, endpoint.reply_type}) {
      if (type != nullptr && seen.insert(type).second) add_files(*type);
    }
  }
  services_.assign(names.begin(), names.end());
}

void FileIndex::add_files(const codec::MessageType& type) {
  Quiet quiet;
  for (const std::string& bytes : type.file_descriptors()) {
    google::protobuf::FileDescriptorProto proto;
    if (!proto.ParseFromString(bytes) || own_.FindFileByName(proto.name()) != nullptr) continue;
    own_.BuildFileCollectingErrors(proto, &quiet);
  }
}

const FileDescriptor* FileIndex::by_name(const std::string& name) const {
  for (const DescriptorPool* pool : pools_) {
    if (const FileDescriptor* file = pool->FindFileByName(name)) return file;
  }
  return nullptr;
}

const FileDescriptor* FileIndex::by_symbol(const std::string& symbol) const {
  for (const DescriptorPool* pool : pools_) {
    if (const FileDescriptor* file = pool->FindFileContainingSymbol(symbol)) return file;
  }
  return nullptr;
}

const FileDescriptor* FileIndex::by_extension(const std::string& message, int number) const {
  for (const DescriptorPool* pool : pools_) {
    const auto* extended = pool->FindMessageTypeByName(message);
    if (extended == nullptr) continue;
    if (const auto* extension = pool->FindExtensionByNumber(extended, number)) return extension->file();
  }
  return nullptr;
}

std::optional<std::vector<int>> FileIndex::extension_numbers(const std::string& message) const {
  std::optional<std::set<int>> numbers;
  for (const DescriptorPool* pool : pools_) {
    const auto* extended = pool->FindMessageTypeByName(message);
    if (extended == nullptr) continue;
    if (!numbers) numbers.emplace();
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    pool->FindAllExtensions(extended, &extensions);
    for (const auto* extension : extensions) numbers->insert(extension->number());
  }
  if (!numbers) return std::nullopt;
  return std::vector<int>(numbers->begin(), numbers->end());
}

std::vector<std::string> with_imports(const FileDescriptor& file) {
  std::vector<const FileDescriptor*> files{&file};
  std::unordered_set<const FileDescriptor*> seen{&file};
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (int j = 0; j < files[i]->dependency_count(); ++j) {
      if (seen.insert(files[i]->dependency(j)).second) files.push_back(files[i]->dependency(j));
    }
  }
  std::vector<std::string> out;
  for (const FileDescriptor* each : files) {
    google::protobuf::FileDescriptorProto proto;
    each->CopyTo(&proto);
    out.push_back(proto.SerializeAsString());
  }
  return out;
}

}  // namespace micro::rpc::builtin
