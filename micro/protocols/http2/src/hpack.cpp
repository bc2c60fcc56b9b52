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
constexpr std::size_t kLongestMemo = 4096;  // of the decoded text, which each connection keeps
constexpr std::size_t kPooledBlocks = 4;
constexpr std::size_t kBombFactor = 4;  // a section so many times too large is not decoded to its end
// Two in a row can have a meaning (RFC 7541 section 4.2); some encoders are clumsy.
constexpr int kMaxTableUpdates = 8;

thread_local std::vector<std::unique_ptr<DecodedBlock>> block_pool;

// Tells most different blocks apart; an equal value only means that remembering the block may pay.
std::uint64_t fingerprint_of(std::string_view block) noexcept {
  std::uint64_t words[3] = {};
  const std::size_t count = std::min<std::size_t>(block.size(), 8);
  std::memcpy(&words[0], block.data(), count);
  std::memcpy(&words[1], block.data() + (block.size() - count) / 2, count);
  std::memcpy(&words[2], block.data() + block.size() - count, count);
  return ((words[0] * 0x9e3779b97f4a7c15 + words[1]) * 0x9e3779b97f4a7c15 + words[2]) * 0x9e3779b97f4a7c15 + block.size();
}

// Takes fields as they are decoded: counts, copies, validates.
class FieldSink {
 public:
  FieldSink(BlockKind kind, const Options& options, DecodedBlock& out)
      : validator_(kind, options.enable_connect_protocol, out),
        out_(out),
        room_(options.max_header_list_size),
        count_(options.max_header_count),
        spare_room_((kBombFactor - 1) * room_),
        spare_count_((kBombFactor - 1) * count_),
        discard_(kind == BlockKind::kDiscard) {
    // Reserved in full so that views into it stay valid while fields are added; only touched pages cost memory.
    out.clear();
    out.text.prepare(options.max_header_list_size);
  }

  // False when there is no point in going on.
  bool operator()(std::string_view name, std::string_view value, bool sensitive) {
    const std::size_t size = name.size() + value.size() + kFieldOverhead;
    if (size > room_ || count_ == 0) return exceed(size);
    room_ -= size;
    --count_;
    if (!discard_) validator_.add({keep(name), keep(value), sensitive});
    return true;
  }
  void finish() {
    if (!discard_) validator_.finish();
  }

 private:
  bool exceed(std::size_t size) {
    out_.too_large = true;
    room_ = 0;
    if (size > spare_room_ || spare_count_ == 0) {
      out_.excess = DecodedBlock::Excess::kSize;
      return false;
    }
    spare_room_ -= size;
    --spare_count_;
    return true;
  }

  std::string_view keep(std::string_view bytes) {
    const std::size_t offset = out_.text.size();
    out_.text.append(bytes);
    return {out_.text.data() + offset, bytes.size()};
  }

  HeaderValidator validator_;
  DecodedBlock& out_;
  std::size_t room_;
  std::size_t count_;
  std::size_t spare_room_;  // what is decoded beyond the limits, only to keep the tables of both ends alike
  std::size_t spare_count_;
  bool discard_;
};

int leading_table_updates(std::string_view block) noexcept {
  int count = 0;
  std::size_t size = 0;
  for (std::size_t at = 0; at < block.size() && (static_cast<std::uint8_t>(block[at]) & 0xe0) == 0x20; ++count) {
    if (!read_integer(block, at, 5, size)) break;
  }
  return count;
}

std::string_view view_of(const std::uint8_t* bytes, std::size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

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
  // The memo has a key only as long as no table has changed since it was made.
  if (last_repeatable_ != 0 && memo_ && memo_->key == block && memo_->kind == kind && !block.empty()) {
    ++repeats_;
    return &memo_->result;
  }
  const BlockState state = classify_block(block);
  if (state == BlockState::kChanges || block.empty() || block.size() > kLongestRepeatable) {
    last_repeatable_ = 0;
    return decode_into(block, state, kind, options, scratch) ? &scratch : nullptr;
  }
  const std::uint64_t fingerprint = fingerprint_of(block);
  const bool again = fingerprint == last_repeatable_;
  if (!decode_into(block, state, kind, options, scratch)) return nullptr;
  if (again && !scratch.too_large && scratch.text.size() <= kLongestMemo) {
    if (!memo_) memo_ = std::make_unique<Memo>();
    memo_->assign(block, kind, scratch);
  } else if (memo_) {
    memo_->key.clear();
  }
  last_repeatable_ = fingerprint;
  return &scratch;
}

bool HeaderDecoder::decode_into(std::string_view block, BlockState state, BlockKind kind, const Options& options,
                                DecodedBlock& out) {
  FieldSink sink(kind, options, out);
  if (state == BlockState::kStateless) {
    if (!decode_stateless(block, sink)) return false;
    sink.finish();
    return true;
  }
  if (leading_table_updates(block) > kMaxTableUpdates) {
    out.excess = DecodedBlock::Excess::kTableUpdates;
    return false;
  }
  if (!create()) return false;
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
      const bool sensitive = (nv.flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0;
      if (!sink(view_of(nv.name, nv.namelen), view_of(nv.value, nv.valuelen), sensitive)) return false;
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) return false;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  sink.finish();
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
