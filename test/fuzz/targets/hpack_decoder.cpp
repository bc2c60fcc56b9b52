// Header blocks of one connection, ours against nghttp2 alone: our decoder has short cuts for blocks without state and for blocks
// that repeat, which must never be seen. A byte of options, then for each block a byte (bit 7: the block before once more; bits 5
// and 6: the kind of section; the rest: its length).
#include "hpack.hpp"

#include "fuzz.hpp"
#include "hpack_oracle.hpp"

namespace {

using namespace micro::http2;
using micro::fuzz::Copy;
using micro::fuzz::Input;
using micro::fuzz::OwnedField;
using micro::fuzz::require;
using micro::fuzz::require_equal;

void compare(const DecodedBlock& decoded, const std::vector<OwnedField>& fields, BlockKind kind, const Options& options) {
  // As the whole session counts and checks it.
  std::size_t room = options.max_header_list_size;
  std::size_t count = options.max_header_count;
  DecodedBlock wanted;
  HeaderValidator validator(kind, options.enable_connect_protocol, wanted);
  for (const OwnedField& field : fields) {
    const std::size_t size = field.name.size() + field.value.size() + 32;
    if (size > room || count == 0) {
      require(decoded.too_large, "a section beyond its limits is not called too large");
      return;
    }
    room -= size;
    --count;
    validator.add({field.name, field.value, field.sensitive});
  }
  validator.finish();
  require(!decoded.too_large, "a section within its limits is called too large");
  require_equal(decoded.malformed == nullptr ? "" : decoded.malformed, wanted.malformed == nullptr ? "" : wanted.malformed,
                "a section is malformed for another reason");
  if (wanted.malformed != nullptr) return;
  require_equal(decoded.block.method, wanted.block.method, "method");
  require_equal(decoded.block.path, wanted.block.path, "path");
  require_equal(decoded.block.scheme, wanted.block.scheme, "scheme");
  require_equal(decoded.block.authority, wanted.block.authority, "authority");
  require_equal(decoded.block.protocol, wanted.block.protocol, "protocol");
  require_equal(decoded.block.status, wanted.block.status, "status");
  require(decoded.content_length == wanted.content_length, "content-length");
  require(decoded.block.fields.size() == wanted.fields.size(), "the number of fields");
  for (std::size_t i = 0; i < wanted.fields.size(); ++i) {
    require_equal(decoded.block.fields[i].name, wanted.fields[i].name, "the name of a field");
    require_equal(decoded.block.fields[i].value, wanted.fields[i].value, "the value of a field");
    require(decoded.block.fields[i].sensitive == wanted.fields[i].sensitive, "whether a field may be indexed");
  }
}

}  // namespace

MICRO_FUZZ_TARGET(hpack_decoder) {
  Input in(input);
  const auto choice = in.byte();
  Options options;
  if ((choice & 1) != 0) options.max_header_list_size = 200;
  if ((choice & 2) != 0) options.max_header_count = 4;
  options.enable_connect_protocol = (choice & 4) != 0;
  HeaderDecoder decoder;
  micro::fuzz::HpackOracle oracle;
  if ((choice & 8) != 0) {
    require(decoder.set_table_size(8192), "out of memory");
    oracle.set_table_size(8192);
  }
  std::string_view block;
  while (!in.empty()) {
    const auto head = in.byte();
    if ((head & 0x80) == 0) block = in.bytes(head & 0x1f);
    const Copy copy(block);
    static constexpr BlockKind kKinds[] = {BlockKind::kRequest, BlockKind::kResponse, BlockKind::kTrailers, BlockKind::kDiscard};
    const BlockKind kind = kKinds[head >> 5 & 3];
    const BlockLease scratch;
    const DecodedBlock* const decoded = decoder.decode(copy.view(), kind, options, *scratch);
    // Limits of ours alone: a section far too large, and more updates of the table in a row than anybody needs (RFC 7541
    // section 4.2).
    if (decoded == nullptr && scratch->excess != DecodedBlock::Excess::kNone) return;
    const auto fields = oracle.decode(block);
    require((decoded != nullptr) == fields.has_value(), "a block is decoded that breaks HPACK, or the reverse");
    if (decoded == nullptr) return;
    if (kind != BlockKind::kDiscard) compare(*decoded, *fields, kind, options);
  }
}
