#include <micro/grpc/status.hpp>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <micro/grpc/base64.hpp>
#include <micro/grpc/percent.hpp>

namespace micro::grpc {
namespace {

namespace pb = google::protobuf;

constexpr char kSchema[] = R"(
  name: "status.proto" package: "google.rpc" syntax: "proto3"
  message_type { name: "Any"
    field { name: "type_url" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_BYTES label: LABEL_OPTIONAL } }
  message_type { name: "Status"
    field { name: "code" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
    field { name: "message" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "details" number: 3 type: TYPE_MESSAGE type_name: ".google.rpc.Any" label: LABEL_REPEATED } }
  message_type { name: "ErrorInfo"
    field { name: "reason" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "domain" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "metadata" number: 3 type: TYPE_MESSAGE type_name: ".google.rpc.ErrorInfo.MetadataEntry" label: LABEL_REPEATED }
    nested_type { name: "MetadataEntry" options { map_entry: true }
      field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
      field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL } } })";

// google.rpc messages by protobuf itself, in a descriptor pool of their own.
class Peer {
 public:
  Peer() {
    pb::FileDescriptorProto file;
    EXPECT_TRUE(pb::TextFormat::ParseFromString(kSchema, &file));
    EXPECT_NE(pool_.BuildFile(file), nullptr);
  }
  // The bytes of a message given in the text format.
  std::string bytes(const std::string& type, const std::string& text) {
    const auto message = make(type);
    EXPECT_TRUE(pb::TextFormat::ParseFromString(text, message.get()));
    return message->SerializeAsString();
  }
  // The text format of serialised bytes; "(unparsable)" when protobuf refuses them.
  std::string text(const std::string& type, const std::string& bytes) {
    const auto message = make(type);
    return message->ParseFromString(bytes) ? message->ShortDebugString() : "(unparsable)";
  }
  std::string any(const std::string& url, const std::string& value) {
    const auto message = make("Any");
    message->GetReflection()->SetString(message.get(), message->GetDescriptor()->FindFieldByName("type_url"), url);
    message->GetReflection()->SetString(message.get(), message->GetDescriptor()->FindFieldByName("value"), value);
    return message->SerializeAsString();
  }
  std::string error_info(const std::string& text) {
    return any("type.googleapis.com/google.rpc.ErrorInfo", bytes("ErrorInfo", text));
  }

 private:
  std::unique_ptr<pb::Message> make(const std::string& type) {
    return std::unique_ptr<pb::Message>(factory_.GetPrototype(pool_.FindMessageTypeByName("google.rpc." + type))->New());
  }
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
};

// A length-delimited field by hand.
std::string field(int number, std::string_view bytes) {
  std::string out = {static_cast<char>(number << 3 | 2)};
  for (std::size_t size = bytes.size();; size >>= 7) {
    out += static_cast<char>((size & 0x7F) | (size >= 0x80 ? 0x80 : 0));
    if (size < 0x80) break;
  }
  return out.append(bytes);
}

std::string status_bytes(int code, std::string_view message, const std::vector<std::string>& details) {
  std::string out = std::string({'\x08', static_cast<char>(code)}) + field(2, message);
  for (const std::string& detail : details) out += field(3, detail);
  return out;
}

Result<void> read_back(const FieldList& fields, int http_status = 200) {
  StatusReader reader;
  for (const Field field : fields) EXPECT_TRUE(reader.take(field.name, field.value)) << field.name;
  return reader.result(http_status);
}

constexpr Code kFailures[] = {Code::kCancelled,          Code::kUnknown,       Code::kInvalidArgument,  Code::kDeadlineExceeded,
                              Code::kNotFound,           Code::kAlreadyExists, Code::kPermissionDenied, Code::kResourceExhausted,
                              Code::kFailedPrecondition, Code::kAborted,       Code::kOutOfRange,       Code::kUnimplemented,
                              Code::kInternal,           Code::kUnavailable,   Code::kDataLoss,         Code::kUnauthenticated};

TEST(Trailers, OkIsOneField) {
  FieldList fields;
  append_ok(fields);
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields.find("grpc-status"), "0");
  EXPECT_TRUE(read_back(fields));
}

TEST(Trailers, AllCodesRoundTrip) {
  int number = 1;
  for (const Code code : kFailures) {
    const Error error(code, "50% of \"caf\xC3\xA9\"\n");
    FieldList fields;
    append_status(error, fields);
    EXPECT_EQ(fields.size(), 2U) << "no details where there is nothing to detail";
    EXPECT_EQ(fields.find("grpc-status"), std::to_string(number));
    EXPECT_EQ(fields.find("grpc-message"), "50%25 of \"caf%C3%A9\"%0A");
    const auto result = read_back(fields);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), error);
    ++number;
  }
  EXPECT_EQ(number, 17);
}

TEST(Trailers, NoMessageNoField) {
  FieldList fields;
  append_status(not_found(""), fields);
  EXPECT_EQ(fields.size(), 1U);
  EXPECT_EQ(read_back(fields).error(), not_found(""));
}

TEST(EncodeStatus, TheBytesByHand) {
  const Error error = not_found("no user").with_reason("NO_USER").with("id", "7");
  const std::string info = std::string("\x0A\x07NO_USER\x12\x05micro\x1A\x07\x0A\x02id\x12\x01", 24) + "7";
  EXPECT_EQ(info.size(), 25U);
  const std::string any = "\x0A\x28type.googleapis.com/google.rpc.ErrorInfo\x12\x19" + info;
  EXPECT_EQ(any.size(), 69U);
  EXPECT_EQ(encode_status(error), "\x08\x05\x12\x07no user\x1A\x45" + any);
}

TEST(EncodeStatus, ProtobufWritesTheSameBytes) {
  Peer peer;
  const std::string detail = peer.any("type.googleapis.com/google.rpc.RetryInfo", "\x0A\x02\x08\x05");
  const std::string big(300, 'm');
  const struct {
    Error error;
    std::string info, status;
  } cases[] = {
      {unavailable("gone").with_reason("NO_NODE").with("service", "greeter"),
       R"(reason: "NO_NODE" domain: "micro" metadata { key: "service" value: "greeter" })", R"(code: 14 message: "gone")"},
      {aborted("").with_reason("R"), R"(reason: "R" domain: "micro")", R"(code: 10)"},
      {aborted("m").with("k", ""), R"(domain: "micro" metadata { key: "k" value: "" })", R"(code: 10 message: "m")"},
      {aborted("m").with("", "v"), R"(domain: "micro" metadata { key: "" value: "v" })", R"(code: 10 message: "m")"},
      {aborted(big).with("k", big).with("k", "a second value has no room in a map"),
       R"(domain: "micro" metadata { key: "k" value: ")" + big + "\" }", R"(code: 10 message: ")" + big + '"'},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(encode_status(c.error), peer.bytes("Status", c.status) + field(3, peer.error_info(c.info))) << c.error.to_string();
    Error detailed = c.error;
    detailed.add_detail(detail);
    EXPECT_EQ(encode_status(detailed), encode_status(c.error) + field(3, detail));
    EXPECT_NE(peer.text("Status", encode_status(detailed)), "(unparsable)");
  }
  EXPECT_EQ(encode_status(data_loss("plain")), peer.bytes("Status", R"(code: 15 message: "plain")"));
}

TEST(EncodeStatus, SeveralMetadataEntriesAreOneMapForProtobuf) {
  Peer peer;
  const std::string encoded = encode_status(internal("m").with("b", "2").with("a", "1").with("c", ""));
  const std::string head = peer.bytes("Status", R"(code: 13 message: "m")");
  ASSERT_TRUE(encoded.starts_with(head));
  // Field 3 holds the Any: its field 1 is the type (40 bytes), its field 2 the ErrorInfo; each with a tag and a length byte.
  const std::string info = encoded.substr(head.size() + 2 + 2 + 40 + 2);
  EXPECT_EQ(
      peer.text("ErrorInfo", info),
      R"(domain: "micro" metadata { key: "a" value: "1" } metadata { key: "b" value: "2" } metadata { key: "c" value: "" })");
}

TEST(EncodeStatus, BadUtf8IsReplacedSoThatProtobufReadsIt) {
  Peer peer;
  const Error error = internal("bad \xFF\xC3( \xED\xA0\x80 \xF0\x9F\x98\x88 end\xE2\x98").with("k\x80", "\xC0\xAF");
  const std::string text = peer.text("Status", encode_status(error));
  EXPECT_NE(text, "(unparsable)");
  const auto decoded = decode_status(encode_status(error));
  ASSERT_TRUE(decoded);
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(decoded->message(), "bad " + r + r + "( " + r + r + r + " \xF0\x9F\x98\x88 end" + r + r);
  EXPECT_EQ(*decoded->find("k" + r), r + r);
}

TEST(Trailers, ReasonMetadataAndDetailsRoundTrip) {
  Peer peer;
  Error error = Error(Code::kFailedPrecondition, "STALE", "version 3 is stale")
                    .with("have", "3")
                    .with("want", "4")
                    .with("bin", "\xE2\x98\xBA");
  error.add_detail(peer.any("type.googleapis.com/google.rpc.Help", "x"));
  error.add_detail(peer.any("type.example.com/Own", std::string(200, '\0')));
  FieldList fields;
  append_status(error, fields);
  EXPECT_EQ(fields.size(), 3U);
  EXPECT_FALSE(fields.find(kDetailsName)->ends_with('='));
  const auto result = read_back(fields);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), error);
  EXPECT_EQ(result.error().details(), error.details());
}

TEST(DecodeStatus, ForeignErrorInfoIsReadAndKept) {
  Peer peer;
  const std::string foreign =
      peer.error_info(R"(reason: "API_DISABLED" domain: "googleapis.com" metadata { key: "project" value: "p" })");
  const std::string second = peer.error_info(R"(reason: "OTHER" domain: "micro")");
  const std::string bytes = status_bytes(7, "enable it", {foreign, second});
  const auto decoded = decode_status(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->code(), Code::kPermissionDenied);
  EXPECT_EQ(decoded->message(), "enable it");
  EXPECT_EQ(decoded->reason(), "API_DISABLED");
  EXPECT_EQ(*decoded->find("project"), "p");
  EXPECT_EQ(decoded->details(), (std::vector<std::string>{foreign, second}));
  EXPECT_EQ(encode_status(*decoded), bytes) << "a proxy sends on what it got";

  // Refined on the way, it says the new things in our domain and keeps the foreign one behind.
  Error refined = *decoded;
  refined.with("hop", "gateway");
  const auto again = decode_status(encode_status(refined));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->metadata(), (Error::Metadata{{"project", "p"}, {"hop", "gateway"}}));
  EXPECT_EQ(again->details(), (std::vector<std::string>{foreign, second}));
}

TEST(DecodeStatus, UnknownFieldsAreSkipped) {
  const std::string odd =
      std::string("\x08\x05\x20\x01\x29", 5) + std::string(8, 'f') + "\x35" + std::string(4, 'f') + "\x3A\x01u";
  const auto decoded = decode_status(odd);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, not_found(""));
  // A negative int32 is ten bytes long; codes outside the enumeration are UNKNOWN.
  EXPECT_EQ(decode_status("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")->code(), Code::kUnknown);
  EXPECT_EQ(decode_status("\x08\x63")->code(), Code::kUnknown);
}

TEST(DecodeStatus, DamagedBytesAreNoStatus) {
  Peer peer;
  const std::string good = encode_status(not_found("no user").with_reason("NO_USER").with("id", "7"));
  // Cut inside a field it is damaged; the fields end behind bytes 2 and 11.
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(decode_status(good.substr(0, size)).has_value(), size == 2 || size == 11) << size;
  }
  for (const std::string_view bytes : {"\x08", "\x07", "\x0B", "\x08\x05\x12\xFF\xFF\xFF\xFF\x0F",
                                       "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "text", "\x12\x02hi"}) {
    EXPECT_FALSE(decode_status(bytes));
  }
  EXPECT_FALSE(decode_status(std::string_view("\x00\x01\x08\x05", 4))) << "field number 0";
  EXPECT_FALSE(decode_status(std::string_view("\x08\x00", 2))) << "code OK is no error";
  // A damaged ErrorInfo is carried like any detail.
  const std::string broken = peer.any("type.googleapis.com/google.rpc.ErrorInfo", "\x0A\x7F");
  const auto decoded = decode_status(status_bytes(5, "m", {broken, "\xFF"}));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->reason(), "");
  EXPECT_EQ(decoded->details(), (std::vector<std::string>{broken, "\xFF"}));
}

TEST(Trailers, NeverTakeMoreThanTheLimit) {
  for (const std::size_t limit : {std::size_t{256}, std::size_t{1000}, kMaxStatusSize}) {
    for (const std::size_t message : {0U, 100U, 5'000U, 50'000U}) {
      for (const std::size_t reason : {0U, 10U, 9'000U}) {
        for (const std::size_t detail : {0U, 50U, 3'000U, 100'000U}) {
          for (const std::string_view text : {"m", "\xE2\x98\xBA", " "}) {
            std::string words;
            while (words.size() < message) words += text;
            Error error(Code::kAborted, std::string(reason, 'R'), words);
            if (detail != 0) error.add_detail(status_bytes(1, std::string(detail, 'd'), {}));
            FieldList fields;
            append_status(error, fields, limit);
            ASSERT_LE(fields.header_list_size(), limit) << message << ' ' << reason << ' ' << detail << " '" << text << '\'';
            const auto result = read_back(fields);
            ASSERT_FALSE(result);
            EXPECT_EQ(result.error().code(), Code::kAborted);
          }
        }
      }
    }
  }
}

TEST(Trailers, LargeDetailsGoFirstAndTheMessageSaysSo) {
  Error error = Error(Code::kInvalidArgument, "BAD_FIELD", "wrong field").with("field", "name");
  error.add_detail(std::string(8'000, 'd'));
  FieldList fields;
  append_status(error, fields);
  const Error kept = read_back(fields).error();
  EXPECT_EQ(kept.message(), "wrong field [error details left out: too large for the trailers]");
  EXPECT_EQ(kept.reason(), "BAD_FIELD");
  EXPECT_EQ(*kept.find("field"), "name");
  EXPECT_TRUE(kept.details().empty());

  Error huge = Error(Code::kInvalidArgument, "BAD_FIELD", "wrong field").with("dump", std::string(9'000, 'x'));
  fields.clear();
  append_status(huge, fields);
  EXPECT_EQ(fields.find(kDetailsName), std::nullopt);
  EXPECT_EQ(read_back(fields).error(), invalid_argument("wrong field [error details left out: too large for the trailers]"));
}

TEST(Trailers, ALongMessageIsCutAtACharacter) {
  std::string words;
  while (words.size() < 20'000) words += "\xE2\x98\xBA";
  FieldList fields;
  append_status(internal(words), fields);
  const Error cut = read_back(fields).error();
  EXPECT_TRUE(cut.message().ends_with("\xE2\x98\xBA..."));
  EXPECT_TRUE(words.starts_with(std::string_view(cut.message()).substr(0, cut.message().size() - 3)));
  EXPECT_GT(fields.header_list_size(), kMaxStatusSize - 20);

  fields.clear();
  append_status(internal(words).with_reason("BIG"), fields);
  EXPECT_EQ(read_back(fields).error().reason(), "BIG");
}

TEST(StatusReader, CodesOnTheWire) {
  const struct {
    std::string_view value;
    std::optional<Code> expected;
  } cases[] = {
      {"0", std::nullopt},
      {"00", std::nullopt},
      {"5", Code::kNotFound},
      {"16", Code::kUnauthenticated},
      {"17", Code::kUnknown},
      {"-1", Code::kUnknown},
      {"", Code::kUnknown},
      {"x", Code::kUnknown},
      {"5 ", Code::kUnknown},
      {"+5", Code::kUnknown},
      {"99999999999999999999", Code::kUnknown},
  };
  for (const auto& c : cases) {
    StatusReader reader;
    EXPECT_FALSE(reader.has_status());
    EXPECT_TRUE(reader.take("grpc-status", c.value));
    EXPECT_TRUE(reader.has_status());
    const auto result = reader.result(503);
    EXPECT_EQ(result.has_value(), !c.expected.has_value()) << c.value;
    if (!result && c.expected) EXPECT_EQ(result.error().code(), *c.expected) << c.value;
  }
}

TEST(StatusReader, OtherFieldsAreNotIts) {
  StatusReader reader;
  for (const std::string_view name : {"grpc-encoding", "grpc-statu", "status", ""}) EXPECT_FALSE(reader.take(name, "0")) << name;
  EXPECT_FALSE(reader.has_status());
}

TEST(StatusReader, UnsoundDetailsAreIgnored) {
  std::string contradicting;
  base64_encode(encode_status(aborted("other").with_reason("X")), contradicting);
  for (const std::string& details : {contradicting, std::string("not base64!"), std::string("////"), std::string()}) {
    StatusReader reader;
    reader.take("grpc-message", "said%20so");
    reader.take("grpc-status-details-bin", details);
    reader.take("grpc-status", "5");
    EXPECT_EQ(reader.result().error(), not_found("said so"));
    reader.clear();
    EXPECT_FALSE(reader.has_status());
  }
}

TEST(StatusReader, PaddedDetailsAndTheirMessageWhenThereIsNoOther) {
  Peer peer;
  std::string text;
  base64_encode(peer.bytes("Status", R"(code: 5 message: "from details")"), text);
  while (text.size() % 4 != 0) text += '=';
  StatusReader reader;
  reader.take("grpc-status", "5");
  reader.take("grpc-status-details-bin", text);
  EXPECT_EQ(reader.result().error(), not_found("from details"));
}

TEST(StatusReader, WithoutGrpcStatusTheHttpStatusCounts) {
  const auto result = StatusReader().result(502);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), unavailable("the response has no grpc-status (HTTP status 502): not a gRPC server?"));
}

TEST(CodeFromHttpStatus, Table) {
  const std::pair<int, Code> cases[] = {
      {400, Code::kInternal},    {401, Code::kUnauthenticated}, {403, Code::kPermissionDenied}, {404, Code::kUnimplemented},
      {429, Code::kUnavailable}, {502, Code::kUnavailable},     {503, Code::kUnavailable},      {504, Code::kUnavailable},
      {200, Code::kUnknown},     {302, Code::kUnknown},         {405, Code::kUnknown},          {500, Code::kUnknown},
      {0, Code::kUnknown},       {-1, Code::kUnknown}};
  for (const auto& [status, code] : cases) EXPECT_EQ(code_from_http_status(status), code) << status;
}

TEST(CodeFromHttp2Error, Table) {
  const std::pair<std::uint32_t, Code> cases[] = {
      {0x0, Code::kInternal},         {0x1, Code::kInternal}, {0x2, Code::kInternal}, {0x3, Code::kInternal},
      {0x4, Code::kInternal},         {0x5, Code::kInternal}, {0x6, Code::kInternal}, {0x7, Code::kUnavailable},
      {0x8, Code::kCancelled},        {0x9, Code::kInternal}, {0xa, Code::kInternal}, {0xb, Code::kResourceExhausted},
      {0xc, Code::kPermissionDenied}, {0xd, Code::kInternal}, {0xe, Code::kInternal}, {0xFFFFFFFF, Code::kInternal}};
  for (const auto& [error, code] : cases) EXPECT_EQ(code_from_http2_error(error), code) << error;
}

TEST(StatusNumber, OutsideTheEnumerationIsUnknown) {
  EXPECT_EQ(status_number(Code::kOk), "0");
  EXPECT_EQ(status_number(Code::kUnauthenticated), "16");
  EXPECT_EQ(status_number(static_cast<Code>(17)), "2");
}

}  // namespace
}  // namespace micro::grpc
