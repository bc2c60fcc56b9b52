#include "hpack.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace micro::http2 {
namespace {

constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 section 6.5.2
constexpr std::size_t kEncoderTable = 4096;
constexpr std::size_t kLongestRepeatable = 256;
constexpr std::size_t kPooledBlocks = 4;

thread_local std::vector<std::unique_ptr<DecodedBlock>> block_pool;

// Reads an integer of HPACK's representation whose first byte is at `at`, moving `at` behind it. False when it does not fit in
// two more bytes, which nothing in a short block needs.
bool read_integer(std::string_view block, std::size_t& at, unsigned bits, std::size_t& value) noexcept {
  const std::size_t limit = (std::size_t{1} << bits) - 1;
  value = static_cast<std::uint8_t>(block[at++]) & limit;
  if (value < limit) return true;
  for (unsigned shift = 0; shift < 14 && at < block.size(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(block[at++]);
    value += static_cast<std::size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

// A block of indexed fields and literals without indexing. It reads the tables and does not change them, so an equal block that
// follows it directly means the same again.
bool is_repeatable(std::string_view block) noexcept {
  if (block.empty() || block.size() > kLongestRepeatable) return false;
  for (std::size_t at = 0; at < block.size();) {
    const auto first = static_cast<std::uint8_t>(block[at]);
    const bool indexed = first >= 0x80;
    if (!indexed && first >= 0x20) return false;
    std::size_t number = 0;
    if (!read_integer(block, at, indexed ? 7 : 4, number)) return false;
    if (indexed) continue;
    for (int strings = number == 0 ? 2 : 1; strings != 0; --strings) {
      if (at >= block.size() || !read_integer(block, at, 7, number) || number > block.size() - at) return false;
      at += number;
    }
  }
  return true;
}

// Tells most different blocks apart; an equal value only means that remembering the block may pay.
std::uint64_t fingerprint_of(std::string_view block) noexcept {
  std::uint64_t words[3] = {};
  const std::size_t count = std::min<std::size_t>(block.size(), 8);
  std::memcpy(&words[0], block.data(), count);
  std::memcpy(&words[1], block.data() + (block.size() - count) / 2, count);
  std::memcpy(&words[2], block.data() + block.size() - count, count);
  return ((words[0] * 0x9e3779b97f4a7c15 + words[1]) * 0x9e3779b97f4a7c15 + words[2]) * 0x9e3779b97f4a7c15 + block.size();
}

std::string_view keep(Buffer& text, std::string_view bytes) {
  const std::size_t offset = text.size();
  text.append(bytes);
  return {text.data() + offset, bytes.size()};
}

}  // namespace

BlockLease::BlockLease() {
  if (block_pool.empty()) {
    block_ = std::make_unique<DecodedBlock>();
  } else {
    block_ = std::move(block_pool.back());
    block_pool.pop_back();
  }
}

BlockLease::~BlockLease() {
  block_->clear();
  if (block_pool.size() < kPooledBlocks) block_pool.push_back(std::move(block_));
}

struct HeaderDecoder::Memo {
  std::string key;
  BlockKind kind = BlockKind::kDiscard;
  DecodedBlock result;

  void assign(std::string_view block, BlockKind block_kind, const DecodedBlock& from) {
    key = block;
    kind = block_kind;
    result.clear();
    result.text.append(from.text.view());
    const auto moved = [&](std::string_view view) -> std::string_view {
      if (view.data() == nullptr) return {};
      return {result.text.data() + (view.data() - from.text.data()), view.size()};
    };
    for (const Field& field : from.fields) result.fields.push_back({moved(field.name), moved(field.value), field.sensitive});
    result.block = {moved(from.block.method),
                    moved(from.block.path),
                    moved(from.block.scheme),
                    moved(from.block.authority),
                    moved(from.block.protocol),
                    moved(from.block.status),
                    result.fields};
    result.content_length = from.content_length;
    result.malformed = from.malformed;
  }
};

HeaderDecoder::HeaderDecoder() = default;
HeaderDecoder::~HeaderDecoder() {
  if (inflater_ != nullptr) nghttp2_hd_inflate_del(inflater_);
}

bool HeaderDecoder::create() { return inflater_ != nullptr || nghttp2_hd_inflate_new(&inflater_) == 0; }

bool HeaderDecoder::set_table_size(std::uint32_t size) {
  last_repeatable_ = 0;
  return create() && nghttp2_hd_inflate_change_table_size(inflater_, size) == 0;
}

const DecodedBlock* HeaderDecoder::decode(std::string_view block, BlockKind kind, const Options& options, DecodedBlock& scratch) {
  if (!is_repeatable(block)) {
    last_repeatable_ = 0;
    return inflate(block, kind, options, scratch) ? &scratch : nullptr;
  }
  const std::uint64_t fingerprint = fingerprint_of(block);
  const bool again = fingerprint == last_repeatable_;
  if (again && memo_ && memo_->key == block && memo_->kind == kind) {
    ++repeats_;
    return &memo_->result;
  }
  if (!inflate(block, kind, options, scratch)) return nullptr;
  if (again && !scratch.too_large) {
    if (!memo_) memo_ = std::make_unique<Memo>();
    memo_->assign(block, kind, scratch);
  } else if (memo_) {
    memo_->key.clear();
  }
  last_repeatable_ = fingerprint;
  return &scratch;
}

bool HeaderDecoder::inflate(std::string_view block, BlockKind kind, const Options& options, DecodedBlock& out) {
  if (!create()) return false;
  out.clear();
  // Reserved in full so that views into it stay valid while fields are added; only touched pages cost memory.
  out.text.prepare(options.max_header_list_size);
  HeaderValidator validator(kind, options.enable_connect_protocol, out);
  std::size_t room = options.max_header_list_size;
  std::size_t count = 0;
  const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
  std::size_t left = block.size();
  for (;;) {
    nghttp2_nv nv;
    int flags = 0;
    const auto used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, in, left, 1);
    if (used < 0) return false;
    in += used;
    left -= static_cast<std::size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      const std::size_t size = nv.namelen + nv.valuelen + kFieldOverhead;
      if (size > room || ++count > options.max_header_count) out.too_large = true;
      if (!out.too_large && kind != BlockKind::kDiscard) {
        room -= size;
        const std::string_view name = keep(out.text, {reinterpret_cast<const char*>(nv.name), nv.namelen});
        const std::string_view value = keep(out.text, {reinterpret_cast<const char*>(nv.value), nv.valuelen});
        validator.add({name, value, (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0});
      }
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) return false;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  if (kind != BlockKind::kDiscard) validator.finish();
  return true;
}

HeaderEncoder::~HeaderEncoder() {
  if (deflater_ != nullptr) nghttp2_hd_deflate_del(deflater_);
}

nghttp2_hd_deflater* HeaderEncoder::deflater() {
  if (deflater_ == nullptr && nghttp2_hd_deflate_new(&deflater_, kEncoderTable) != 0) throw std::bad_alloc();
  return deflater_;
}

void HeaderEncoder::set_peer_table_size(std::uint32_t size) {
  // Sizes we would not use anyway need no deflater and no update as long as it has its full size.
  if (deflater_ == nullptr && size >= kEncoderTable) return;
  if (nghttp2_hd_deflate_change_table_size(deflater(), size) != 0) throw std::bad_alloc();
  size_update_ = true;
}

void HeaderEncoder::take_size_update(Buffer& out) { encode({}, out); }

void HeaderEncoder::encode(std::span<const Field> fields, Buffer& out) {
  thread_local std::vector<nghttp2_nv> values;
  values.clear();
  for (const Field& field : fields) {
    values.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                      field.value.size(),
                      static_cast<std::uint8_t>(field.sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)});
  }
  const std::size_t bound = nghttp2_hd_deflate_bound(deflater(), values.data(), values.size());
  const auto used =
      nghttp2_hd_deflate_hd(deflater_, reinterpret_cast<std::uint8_t*>(out.prepare(bound)), bound, values.data(), values.size());
  if (used < 0) throw std::bad_alloc();
  out.commit(static_cast<std::size_t>(used));
  size_update_ = false;
}

}  // namespace micro::http2
