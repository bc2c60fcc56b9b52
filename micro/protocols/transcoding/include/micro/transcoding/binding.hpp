#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <micro/bytes/buffer.hpp>
#include <micro/codec/codec.hpp>
#include <micro/codec/message.hpp>
#include <micro/codecs/json_codec.hpp>
#include <micro/error/error.hpp>
#include <micro/transcoding/rule.hpp>

namespace micro::transcoding {

struct Plan;

// A request over HTTP as a binding reads it. Path and query are still percent-encoded.
struct RequestParts {
  std::string_view path;   // with the verb, as Router::find() was given it
  std::string_view query;  // without '?'
  std::string_view body;
};

// A rule made ready: moves values between HTTP and the messages of one method. Owned by its Router.
//
// Where a field comes from: a variable of the path; else the body, when it is covered by it; else the query. A field that is in
// the path and in the body has the value of the path. Fields are named as in the .proto or as in JSON, inner ones with dots;
// values are written as set_text() of <micro/codecs/fields.hpp> reads them. A repeated field has one parameter for each element.
//
// Values of variables are decoded whole, but "%2F" stays as it is in a variable of several segments. In a query '+' is a blank.
// Thread safety: all members may be called from any thread.
class Binding {
 public:
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  std::size_t target() const noexcept { return target_; }
  // "library.Shelves/Get"
  const std::string& name() const noexcept { return name_; }
  // "GET"
  const std::string& method() const noexcept { return method_; }
  // "/v1/{name=shelves/*}"
  const std::string& path() const noexcept;

  // Fills `request`, which is empty. `codec` is that of the body; `json` reads single fields, and its options say what becomes of
  // unknown parameters and how deep names may go.
  // Errors: INVALID_ARGUMENT, reason "INVALID_PATH" or "INVALID_QUERY" with metadata "field", or what the codec says of the body;
  // reason "UNEXPECTED_BODY" when the binding has none; reason "UNSUPPORTED_MEDIA_TYPE" (status 415) when the body is one field
  // and not JSON.
  Result<void> read(const RequestParts& parts, const codec::Codec& codec, const codec::JsonCodec& json,
                    codec::MessageRef request) const;

  // Appends the body of the response; the result is its content type. A reply of which one field is sent is always JSON.
  // Errors: those of the codec.
  Result<std::string_view> write(codec::MessageRef reply, const codec::Codec& codec, const codec::JsonCodec& json,
                                 Buffer& out) const;

 private:
  friend class Router;
  Binding(std::string_view name, const Rule& rule, Plan&& plan, std::size_t target);
  static Result<std::unique_ptr<const Binding>> make(std::string_view name, const Rule& rule, const codec::MessageType& request,
                                                     const codec::MessageType& reply, std::size_t target);

  std::string name_;
  std::string method_;
  std::size_t target_;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace micro::transcoding
