#include <micro/codecs/dynamic_types.hpp>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>

#include "descriptor_files.hpp"
#include "json_plan.hpp"
#include "protobuf_type.hpp"
#include "suggest.hpp"

namespace micro::codec {

using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;

// Members in the order in which they need each other: destroyed from the last to the first.
struct DynamicTypes::Impl {
  google::protobuf::DescriptorPool pool;
  google::protobuf::DynamicMessageFactory factory;
  PlanCache plans;
  std::shared_mutex mutex;  // guards types
  std::unordered_map<const Descriptor*, std::unique_ptr<ProtobufType>> types;
  std::vector<DynamicService> services;

  const MessageType* type(const Descriptor* message) {
    {
      const std::shared_lock lock(mutex);
      if (const auto found = types.find(message); found != types.end()) return found->second.get();
    }
    const std::unique_lock lock(mutex);
    std::unique_ptr<ProtobufType>& made = types[message];
    if (made == nullptr) {
      made = std::make_unique<ProtobufType>(*factory.GetPrototype(message), plans, ProtobufType::Spares::kNone);
    }
    return made.get();
  }

  void add_services(const FileDescriptor& file) {
    for (int i = 0; i < file.service_count(); ++i) {
      const auto& service = *file.service(i);
      DynamicService& out = services.emplace_back();
      out.name = service.full_name();
      for (int j = 0; j < service.method_count(); ++j) {
        const auto& method = *service.method(j);
        out.methods.push_back(
            {.name = method.name(),
             .input = type(method.input_type()),
             .output = type(method.output_type()),
             .client_streaming = method.client_streaming(),
             .server_streaming = method.server_streaming(),
             .idempotent = method.options().idempotency_level() != google::protobuf::MethodOptions::IDEMPOTENCY_UNKNOWN});
      }
    }
  }
};

const DynamicMethod* DynamicService::find(std::string_view method) const noexcept {
  const auto found = std::ranges::find(methods, method, &DynamicMethod::name);
  return found == methods.end() ? nullptr : &*found;
}

Result<DynamicTypes> DynamicTypes::create(std::span<const std::string> files) {
  auto impl = std::make_unique<Impl>();
  auto built = build_files(files, impl->pool);
  if (!built) return fail(std::move(built).error());
  for (const FileDescriptor* file : *built) impl->add_services(*file);
  return DynamicTypes(std::move(impl));
}

DynamicTypes::DynamicTypes(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DynamicTypes::DynamicTypes(DynamicTypes&&) noexcept = default;
DynamicTypes& DynamicTypes::operator=(DynamicTypes&&) noexcept = default;
DynamicTypes::~DynamicTypes() = default;

Result<const MessageType*> DynamicTypes::find(std::string_view name) const {
  if (name.starts_with('.')) name.remove_prefix(1);
  if (const Descriptor* message = impl_->pool.FindMessageTypeByName(std::string(name))) return impl_->type(message);
  return fail(not_found("no message type \"" + std::string(name) + "\" in the descriptors given"));
}

const std::vector<DynamicService>& DynamicTypes::services() const noexcept { return impl_->services; }

Result<const DynamicMethod*> DynamicTypes::find_method(std::string_view service, std::string_view method) const {
  const auto found = std::ranges::find(impl_->services, service, &DynamicService::name);
  std::vector<std::string_view> known;
  if (found == impl_->services.end()) {
    for (const DynamicService& other : impl_->services) known.push_back(other.name);
    return fail(not_found("no service \"" + std::string(service) + "\" in the descriptors given" + suggest(service, known)));
  }
  if (const DynamicMethod* wanted = found->find(method)) return wanted;
  for (const DynamicMethod& other : found->methods) known.push_back(other.name);
  return fail(not_found("service " + found->name + " has no method \"" + std::string(method) + "\"" + suggest(method, known)));
}

}  // namespace micro::codec
