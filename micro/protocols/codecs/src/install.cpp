#include <micro/codecs/install.hpp>

#include <memory>

#include <micro/codecs/proto_codec.hpp>

namespace micro::codec {

Result<void> install(Table& table, const JsonOptions& json) {
  if (auto added = table.add(std::make_shared<ProtoCodec>()); !added) return added;
  return table.add(std::make_shared<JsonCodec>(json));
}

}  // namespace micro::codec
