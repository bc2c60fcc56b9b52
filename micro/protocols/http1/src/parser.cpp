#include <micro/http1/parser.hpp>

#include <algorithm>
#include <cstring>

#include "fault.hpp"

namespace micro::http1 {

bool MessageParser::idle() const noexcept {
  return state_ == State::kDone || (state_ == State::kStartLine && partial_.empty() && !blank_line_);
}

void MessageParser::restart() noexcept {
  common_.headers.clear();
  trailers_.clear();
  if (partial_.capacity() != 0) partial_.release();
  fields_ = {};
  framing_ = Framing::kNone;
  line_ = body_ = {};
  remaining_ = received_ = 0;
  header_bytes_ = chunk_overhead_ = 0;
  state_ = State::kStartLine;
  blank_line_ = line_buffered_ = false;
}

Result<Event> MessageParser::fail(Fault fault) {
  state_ = State::kFailed;
  fault_ = fault;
  body_ = {};
  return std::unexpected(error_of(fault, limits_, request_));
}

Result<Event> MessageParser::done() noexcept {
  state_ = State::kDone;
  body_ = {};
  return Event::kEnd;
}

// Lines, not bytes, are the unit: nothing is ever scanned twice, and the LF at the end lets the inner loops run without a bound.
MessageParser::Take MessageParser::take_line(std::string_view& input, std::size_t limit) {
  if (line_buffered_) {
    partial_.clear();
    line_buffered_ = false;
  }
  const void* lf = input.empty() ? nullptr : std::memchr(input.data(), '\n', input.size());
  const std::size_t size = lf ? static_cast<std::size_t>(static_cast<const char*>(lf) - input.data()) + 1 : input.size();
  if (size > limit || partial_.size() > limit - size) return Take::kTooLong;
  const std::string_view piece = input.substr(0, size);
  input.remove_prefix(size);
  if (lf && partial_.empty()) [[likely]] {
    line_ = piece;
    return Take::kLine;
  }
  partial_.append(piece);
  if (!lf) return Take::kPartial;
  line_ = partial_.view();
  line_buffered_ = true;
  return Take::kLine;
}

Result<Event> MessageParser::next(std::string_view& input) {
  while (true) {
    switch (state_) {
      case State::kDone:
        if (input.empty()) return Event::kNeedMore;
        restart();
        continue;

      case State::kStartLine: {
        const Take take = take_line(input, limits_.max_start_line);
        if (take == Take::kTooLong) return fail(Fault::kStartLineSize);
        if (take == Take::kPartial) return Event::kNeedMore;
        if (line_ == "\r\n" && request_ && !blank_line_) {  // RFC 9112, section 2.2
          blank_line_ = true;
          continue;
        }
        if (const Fault fault = parse_start_line(line_); fault != Fault::kNone) return fail(fault);
        state_ = State::kHeaders;
        continue;
      }

      case State::kHeaders:
      case State::kTrailers: {
        const bool trailers = state_ == State::kTrailers;
        Metadata& into = trailers ? trailers_ : common_.headers;
        const Take take = take_line(input, limits_.max_header_bytes - header_bytes_);
        if (take == Take::kTooLong) return fail(Fault::kHeaderBytes);
        if (take == Take::kPartial) return Event::kNeedMore;
        header_bytes_ += line_.size();
        if (line_ != "\r\n") {
          if (into.size() >= limits_.max_header_count) return fail(Fault::kHeaderCount);
          if (const Fault fault = parse_field_line(line_, into); fault != Fault::kNone) return fail(fault);
          continue;
        }
        if (trailers) return done();
        if (const Fault fault = finish_head(); fault != Fault::kNone) return fail(fault);
        if (skip_head()) {
          restart();
          continue;
        }
        state_ = State::kBodyStart;
        return Event::kHead;
      }

      case State::kBodyStart:
        switch (framing_) {
          case Framing::kNone:
            return done();
          case Framing::kUntilClose:
            state_ = State::kUntilClose;
            break;
          case Framing::kChunked:
            state_ = State::kChunkLine;
            break;
          case Framing::kLength:
            remaining_ = fields_.content_length;
            state_ = State::kLength;
            break;
        }
        continue;

      case State::kLength:
        if (remaining_ == 0) return done();
        return body_piece(input);

      case State::kUntilClose:
        remaining_ = std::min<std::uint64_t>(input.size(), limits_.max_body - received_);
        if (remaining_ == 0 && !input.empty()) return fail(Fault::kBodySize);
        received_ += remaining_;
        return body_piece(input);

      case State::kChunkLine: {
        const Take take = take_line(input, limits_.max_chunk_line);
        if (take == Take::kTooLong) return fail(Fault::kChunkLine);
        if (take == Take::kPartial) return Event::kNeedMore;
        if (const Fault fault = parse_chunk_line(line_); fault != Fault::kNone) return fail(fault);
        header_bytes_ = 0;
        state_ = remaining_ == 0 ? State::kTrailers : State::kChunkData;
        continue;
      }

      case State::kChunkData:
        if (remaining_ > 0) return body_piece(input);
        state_ = State::kChunkCr;
        continue;

      case State::kChunkCr:
      case State::kChunkLf:
        if (input.empty()) return Event::kNeedMore;
        if (input.front() != (state_ == State::kChunkCr ? '\r' : '\n')) return fail(Fault::kChunkEnd);
        input.remove_prefix(1);
        state_ = state_ == State::kChunkCr ? State::kChunkLf : State::kChunkLine;
        continue;

      case State::kFailed:
        return fail(fault_);
    }
  }
}

Result<Event> MessageParser::body_piece(std::string_view& input) {
  if (input.empty()) return Event::kNeedMore;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  body_ = input.substr(0, size);
  input.remove_prefix(size);
  remaining_ -= size;
  return Event::kBody;
}

Result<Event> MessageParser::finish() {
  switch (state_) {
    case State::kFailed:
      return fail(fault_);
    case State::kUntilClose:
      return done();
    case State::kBodyStart:
      // The head has been told but not yet what follows from it.
      if (framing_ == Framing::kUntilClose || framing_ == Framing::kNone) return done();
      break;
    case State::kLength:
      if (remaining_ == 0) return done();
      break;
    default:
      if (idle()) return Event::kNeedMore;
      break;
  }
  return fail(Fault::kTruncated);
}

}  // namespace micro::http1
