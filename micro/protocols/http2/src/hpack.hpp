#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/http2/field.hpp>
#include <micro/http2/options.hpp>

#include "header_validation.hpp"
#include "stateless_block.hpp"

struct nghttp2_hd_inflater;
struct nghttp2_hd_deflater;

namespace micro::http2 {

// A DecodedBlock from a stack of the calling thread: header sections need room for an instant only, connections exist for long.
class BlockLease {
 public:
  BlockLease();
  ~BlockLease();
  BlockLease(const BlockLease&) = delete;
  BlockLease& operator=(const BlockLease&) = delete;
  DecodedBlock& operator*() const noexcept { return *block_; }
  DecodedBlock* operator->() const noexcept { return block_.get(); }

 private:
  std::unique_ptr<DecodedBlock> block_;
};

// The receiving half of HPACK (RFC 7541), with the checks of HeaderValidator.
class HeaderDecoder {
 public:
  HeaderDecoder();
  ~HeaderDecoder();
  HeaderDecoder(const HeaderDecoder&) = delete;
  HeaderDecoder& operator=(const HeaderDecoder&) = delete;

  // Decodes a complete block into `scratch` and returns that, or the memory of an earlier equal block. nullptr when the block
  // breaks HPACK, after which the connection cannot go on. The result is valid until the next call.
  const DecodedBlock* decode(std::string_view block, BlockKind kind, const Options& options, DecodedBlock& scratch);

  // Our SETTINGS_HEADER_TABLE_SIZE took effect. False when memory ran out.
  bool set_table_size(std::uint32_t size);

  std::uint64_t repeats() const noexcept { return repeats_; }

 private:
  struct Memo;

  bool decode_into(std::string_view block, BlockState state, BlockKind kind, const Options& options, DecodedBlock& out);
  bool create();

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::unique_ptr<Memo> memo_;
  std::uint64_t last_repeatable_ = 0;  // fingerprint of the block before, if an equal one would mean the same; else 0
  std::uint64_t repeats_ = 0;
};

// The sending half. Made when first needed: a server that only sends prebuilt blocks never has one.
class HeaderEncoder {
 public:
  HeaderEncoder() = default;
  ~HeaderEncoder();
  HeaderEncoder(const HeaderEncoder&) = delete;
  HeaderEncoder& operator=(const HeaderEncoder&) = delete;

  // Appends the block for `fields`, using and filling the dynamic table. Blocks must be sent in the order they were encoded.
  void encode(std::span<const Field> fields, Buffer& out);

  // The peer's SETTINGS_HEADER_TABLE_SIZE; we use at most 4096 bytes of it.
  void set_peer_table_size(std::uint32_t size);

  // What has to precede the next block that encode() does not make: a table size update (RFC 7541 section 4.2) or, nearly
  // always, nothing.
  bool has_size_update() const noexcept { return size_update_; }
  void take_size_update(Buffer& out);

 private:
  nghttp2_hd_deflater* deflater();

  nghttp2_hd_deflater* deflater_ = nullptr;
  bool size_update_ = false;
};

}  // namespace micro::http2
