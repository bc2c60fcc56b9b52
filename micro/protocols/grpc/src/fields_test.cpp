#include <micro/grpc/fields.hpp>

namespace micro::grpc {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(const FieldList& fields) {
  Pairs out;
  for (const Field field : fields) out.emplace_back(field.name, field.value);
  return out;
}

Pairs pairs(const Metadata& metadata) {
  Pairs out;
  for (const auto [key, value] : metadata) out.emplace_back(key, value);
  return out;
}

TEST(FieldList, KeepsOrderAndLowersNames) {
  FieldList fields;
  EXPECT_TRUE(fields.empty());
  fields.add("X-Two", "Value");
  fields.add("a", "");
  fields.add_binary("Data-Bin", "foob");
  fields.add("a", "second");
  EXPECT_EQ(pairs(fields), (Pairs{{"x-two", "Value"}, {"a", ""}, {"data-bin", "Zm9vYg"}, {"a", "second"}}));
  EXPECT_EQ(fields.find("x-two"), "Value");
  EXPECT_EQ(fields.find("a"), "");
  EXPECT_EQ(fields.find("b"), std::nullopt);
  EXPECT_EQ(fields.header_list_size(), 10U + 1 + 14 + 7 + 4 * 32);

  fields.truncate(2);
  EXPECT_EQ(pairs(fields), (Pairs{{"x-two", "Value"}, {"a", ""}}));
  fields.add("b", "c");
  EXPECT_EQ(fields[2].value, "c");
  fields.clear();
  EXPECT_EQ(fields.size(), 0U);
  EXPECT_EQ(fields.header_list_size(), 0U);
}

TEST(IsReserved, Names) {
  for (const std::string_view name :
       {":path",        ":authority",    ":x",         "grpc-status", "grpc-timeout",     "grpc-anything",
        "GRPC-Message", "grpc-",         "te",         "TE",          "content-type",     "Content-Length",
        "user-agent",   "host",          "connection", "keep-alive",  "proxy-connection", "transfer-encoding",
        "upgrade",      "http2-settings"}) {
    EXPECT_TRUE(is_reserved(name)) << name;
  }
  for (const std::string_view name : {"", "t", "ten", "grpc", "grpcx-status", "authorization", "x-grpc-status", "content-typ",
                                      "cookie", "date", "accept-encoding", "user-agents", "trace-bin", "path:"}) {
    EXPECT_FALSE(is_reserved(name)) << name;
  }
}

TEST(IsValid, KeysAndValues) {
  EXPECT_TRUE(is_valid_key("abc_xyz-0.9"));
  for (const std::string_view key : {"", "A", "a b", "a:", ":a", "a/b", "\xC3\xA9", "a\n"})
    EXPECT_FALSE(is_valid_key(key)) << key;
  EXPECT_FALSE(is_valid_key(std::string_view("a\0", 2)));
  EXPECT_TRUE(is_valid_value(""));
  EXPECT_TRUE(is_valid_value(" ~!"));
  for (const std::string_view value : {"\t", "a\r\nb", "\x7F", "\x80", "\xC3\xA9"}) EXPECT_FALSE(is_valid_value(value));
  for (const std::string_view key : {"-bin", "x-bin", "X-Bin", "x-BIN"}) EXPECT_TRUE(is_binary(key)) << key;
  for (const std::string_view key : {"", "bin", "x-bin2", "xbin", "x-bi"}) EXPECT_FALSE(is_binary(key)) << key;
}

TEST(AppendMetadata, ConvertsForTheWire) {
  const Metadata metadata = {{"X-Request-Id", "42"}, {"trace-bin", std::string_view("\0\1\xFF", 3)},
                             {"Empty-Bin", ""},      {"x-request-id", " spaces cut \t"},
                             {"empty", ""},          {"grpc-status", "0"},
                             {":path", "/x"},        {"Content-Type", "text/plain"},
                             {"te", "gzip"},         {"last", "a, b"}};
  FieldList fields;
  fields.add("first", "1");
  ASSERT_TRUE(append_metadata(metadata, fields));
  EXPECT_EQ(pairs(fields), (Pairs{{"first", "1"},
                                  {"x-request-id", "42"},
                                  {"trace-bin", "AAH/"},
                                  {"empty-bin", ""},
                                  {"x-request-id", "spaces cut"},
                                  {"empty", ""},
                                  {"last", "a, b"}}));
}

TEST(AppendMetadata, RefusesWhatCannotTravel) {
  const struct {
    std::string_view key, value, message;
  } cases[] = {
      {"", "v", "metadata with an empty key cannot be sent"},
      {"two words", "v",
       "metadata key 'two words' cannot be sent: it contains the byte 0x20; use letters, digits, '_', '-' and '.'"},
      {"line\nbreak", "v",
       "metadata key 'line?break' cannot be sent: it contains the byte 0x0A; use letters, digits, '_', '-' and '.'"},
      {"caf\xC3\xA9", "v",
       "metadata key 'caf?\?' cannot be sent: it contains the byte 0xC3; use letters, digits, '_', '-' and '.'"},
      {"name", "J\xC3\xBCrgen",
       "the value of metadata key 'name' cannot be sent: it contains the byte 0xC3; use printable ASCII, or a key that ends in "
       "\"-bin\" for arbitrary bytes"},
      {"name", "a\r\nset-cookie: x",
       "the value of metadata key 'name' cannot be sent: it contains the byte 0x0D; use printable ASCII, or a key that ends in "
       "\"-bin\" for arbitrary bytes"},
  };
  for (const auto& c : cases) {
    Metadata metadata = {{"good", "1"}};
    metadata.add(c.key, c.value);
    FieldList fields;
    fields.add("before", "kept");
    const auto done = append_metadata(metadata, fields);
    ASSERT_FALSE(done) << c.message;
    EXPECT_EQ(done.error(), internal(std::string(c.message)));
    EXPECT_EQ(pairs(fields), (Pairs{{"before", "kept"}}));
  }
}

TEST(TakeField, ConvertsFromTheWire) {
  Metadata metadata;
  for (const auto& [name, value] : Pairs{{":method", "POST"},
                                         {"content-type", "application/grpc"},
                                         {"grpc-timeout", "1S"},
                                         {"user-agent", "x"},
                                         {"te", "trailers"},
                                         {"plain", "a, b"},
                                         {"utf8", "J\xC3\xBCrgen"},
                                         {"one-bin", "AAH/"},
                                         {"padded-bin", "Zg=="},
                                         {"many-bin", "Zg==,Zm8,\t Zm9v ,"},
                                         {"empty-bin", ""}}) {
    ASSERT_TRUE(take_field(name, value, metadata)) << name;
  }
  EXPECT_EQ(pairs(metadata), (Pairs{{"plain", "a, b"},
                                    {"utf8", "J\xC3\xBCrgen"},
                                    {"one-bin", std::string("\0\1\xFF", 3)},
                                    {"padded-bin", "f"},
                                    {"many-bin", "f"},
                                    {"many-bin", "fo"},
                                    {"many-bin", "foo"},
                                    {"many-bin", ""},
                                    {"empty-bin", ""}}));
}

TEST(TakeField, BadBase64NamesTheKey) {
  for (const std::string_view value : {"!", "A", "Zg=", "Zm9v,*", "Zm9v Zm9v"}) {
    Metadata metadata;
    const auto done = take_field("data-bin", value, metadata);
    ASSERT_FALSE(done) << value;
    EXPECT_EQ(done.error(), internal("the value of metadata key 'data-bin' is not base64, which keys ending in \"-bin\" need"));
  }
}

TEST(Metadata, SurvivesTheWire) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const Metadata sent = {{"a", "1"}, {"b-bin", all}, {"a", "2"}, {"b-bin", ""}, {"c", ""}};
  FieldList fields;
  ASSERT_TRUE(append_metadata(sent, fields));
  Metadata received;
  for (const Field field : fields) ASSERT_TRUE(take_field(field.name, field.value, received));
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace micro::grpc
