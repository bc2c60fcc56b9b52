// Header sections encoded by us and decoded by us and by nghttp2, with every kind of block of a connection mixed: through the
// dynamic table, without state, behind changes of the peer's table size.
#include <set>

#include "hpack.hpp"

#include "fuzz.hpp"
#include "hpack_oracle.hpp"

MICRO_FUZZ_TARGET(hpack_round_trip) {
  using namespace micro::http2;
  using micro::fuzz::require;
  micro::fuzz::Input in(input);
  HeaderEncoder encoder;
  HeaderDecoder decoder;
  micro::fuzz::HpackOracle oracle;
  while (!in.empty()) {
    const auto choice = in.byte();
    if (choice % 8 == 0) encoder.set_peer_table_size(in.u16() % 8192);
    std::vector<micro::fuzz::OwnedField> owned;
    for (std::size_t i = in.below(5); i-- > 0;) {
      const std::string name(in.bytes(1 + in.below(20)));
      owned.push_back({name.empty() ? "x" : name, std::string(in.text()), in.flag()});
    }
    std::vector<Field> fields;
    for (const auto& field : owned) fields.push_back({field.name, field.value, field.sensitive});

    micro::Buffer block;
    if (choice % 2 == 0) {
      encoder.encode(fields, block);
    } else {
      if (encoder.has_size_update()) encoder.take_size_update(block);
      encode_static(fields, block);
    }
    const auto decoded = oracle.decode(block.view());
    require(decoded.has_value(), "a block that was encoded cannot be decoded by nghttp2");
    require(decoded->size() == owned.size(), "fields are lost");
    for (std::size_t i = 0; i < owned.size(); ++i) {
      micro::fuzz::require_equal((*decoded)[i].name, owned[i].name, "the name of a field changes");
      micro::fuzz::require_equal((*decoded)[i].value, owned[i].value, "the value of a field changes");
      // nghttp2 keeps short secrets such as cookies out of the table by itself.
      require((*decoded)[i].sensitive || !owned[i].sensitive, "a secret may be indexed by the next hop");
    }
    const BlockLease scratch;
    require(decoder.decode(block.view(), BlockKind::kTrailers, {}, *scratch) != nullptr,
            "our decoder refuses our encoder's block");
  }
}
