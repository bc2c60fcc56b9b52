#include <micro/codec/table.hpp>

#include <gtest/gtest.h>

#include <array>

namespace micro::codec {
namespace {

class NamedCodec final : public Codec {
 public:
  NamedCodec(std::string name, std::string type, std::string alias = "application/none")
      : name_(std::move(name)), type_(std::move(type)), alias_(std::move(alias)), aliases_{alias_} {}
  NamedCodec(const NamedCodec&) = delete;
  std::string_view name() const noexcept override { return name_; }
  std::string_view content_type() const noexcept override { return type_; }
  std::span<const std::string_view> content_type_aliases() const noexcept override { return aliases_; }
  Result<void> marshal(MessageRef, Buffer&) const override { return {}; }
  Result<void> unmarshal(std::string_view, MessageRef) const override { return {}; }

 private:
  std::string name_, type_, alias_;
  std::array<std::string_view, 1> aliases_;
};

std::string_view name_of(const Codec* codec) { return codec == nullptr ? "none" : codec->name(); }

TEST(Table, FindsByNameAndContentType) {
  Table table;
  ASSERT_TRUE(table.add(std::make_shared<NamedCodec>("json", "application/json", "text/json")));
  ASSERT_TRUE(table.add(std::make_shared<NamedCodec>("proto", "application/protobuf", "application/x-protobuf")));

  EXPECT_EQ(name_of(table.find("json")), "json");
  EXPECT_EQ(name_of(table.find("proto")), "proto");
  EXPECT_EQ(name_of(table.find("JSON")), "none");
  EXPECT_EQ(name_of(table.find("")), "none");

  const std::pair<std::string_view, std::string_view> cases[] = {
      {"application/json", "json"},
      {"Application/JSON", "json"},
      {"application/json; charset=utf-8", "json"},
      {"application/json;charset=utf-8;q=1", "json"},
      {" \tapplication/json \t; x=y", "json"},
      {"text/json", "json"},
      {"application/x-protobuf", "proto"},
      {"application/protobuf", "proto"},
      {"application/jsonx", "none"},
      {"application", "none"},
      {"", "none"},
      {";", "none"},
      {"  ", "none"},
  };
  for (const auto& [type, expected] : cases) EXPECT_EQ(name_of(table.find_content_type(type)), expected) << type;
  EXPECT_EQ(table.codecs().size(), 2u);
}

TEST(Table, RefusesWhatItCannotTellApart) {
  Table table;
  ASSERT_TRUE(table.add(std::make_shared<NamedCodec>("json", "application/json", "text/json")));
  struct Case {
    std::shared_ptr<const Codec> codec;
    Code code;
    std::string_view text;
  };
  const Case cases[] = {
      {nullptr, Code::kInvalidArgument, "codec table: the codec to add is null"},
      {std::make_shared<NamedCodec>("", "a/b"), Code::kInvalidArgument, "codec table: the codec to add has no name"},
      {std::make_shared<NamedCodec>("json", "a/b"), Code::kAlreadyExists,
       "codec table: cannot add codec \"json\": there is one of that name already; give yours another name or add only yours"},
      {std::make_shared<NamedCodec>("x", "Application/Json"), Code::kAlreadyExists,
       "codec table: cannot add codec \"x\": content type \"Application/Json\" belongs to codec \"json\""},
      {std::make_shared<NamedCodec>("x", "a/b", "text/json"), Code::kAlreadyExists,
       "codec table: cannot add codec \"x\": content type \"text/json\" belongs to codec \"json\""},
      {std::make_shared<NamedCodec>("x", "json"), Code::kInvalidArgument,
       "codec table: cannot add codec \"x\": its content type \"json\" is not of the form type/subtype"},
      {std::make_shared<NamedCodec>("x", "a/b; c=d"), Code::kInvalidArgument,
       "codec table: cannot add codec \"x\": its content type \"a/b; c=d\" is not of the form type/subtype"},
  };
  for (const Case& c : cases) {
    const auto added = table.add(c.codec);
    ASSERT_FALSE(added) << c.text;
    EXPECT_EQ(added.error().code(), c.code);
    EXPECT_EQ(added.error().message(), c.text);
    EXPECT_EQ(table.codecs().size(), 1u);
  }
}

TEST(Table, CopiesShareTheCodecs) {
  Table table;
  ASSERT_TRUE(table.add(std::make_shared<NamedCodec>("json", "application/json")));
  const Table copy = table;
  EXPECT_EQ(copy.find("json"), table.find("json"));
}

}  // namespace
}  // namespace micro::codec
