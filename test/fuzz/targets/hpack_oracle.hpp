#pragma once

// HPACK by nghttp2 alone, without our short cuts.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "fuzz.hpp"

namespace micro::fuzz {

struct OwnedField {
  std::string name;
  std::string value;
  bool sensitive = false;
  friend bool operator==(const OwnedField&, const OwnedField&) = default;
};

class HpackOracle {
 public:
  HpackOracle() { require(nghttp2_hd_inflate_new(&inflater_) == 0, "out of memory"); }
  ~HpackOracle() { nghttp2_hd_inflate_del(inflater_); }
  HpackOracle(const HpackOracle&) = delete;
  HpackOracle& operator=(const HpackOracle&) = delete;

  void set_table_size(std::uint32_t size) {
    require(nghttp2_hd_inflate_change_table_size(inflater_, size) == 0, "out of memory");
  }

  // nullopt when the block breaks HPACK.
  std::optional<std::vector<OwnedField>> decode(std::string_view block) {
    std::vector<OwnedField> fields;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv nv;
      flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, in, left, 1);
      if (used < 0) return std::nullopt;
      in += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.push_back({{reinterpret_cast<char*>(nv.name), nv.namelen},
                          {reinterpret_cast<char*>(nv.value), nv.valuelen},
                          (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
      } else if ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0 && left == 0) {
        return std::nullopt;
      }
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return fields;
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace micro::fuzz
