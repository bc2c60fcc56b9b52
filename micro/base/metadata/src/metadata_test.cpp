#include <micro/metadata/metadata.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace micro {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> flat(const Metadata& metadata) {
  std::vector<std::string> out;
  for (const auto& [key, value] : metadata) out.push_back(std::string(key) + "=" + std::string(value));
  return out;
}

TEST(EqualsIgnoreCase, FoldsLettersOnly) {
  const struct {
    std::string_view a, b;
    bool equal;
  } cases[] = {
      {"", "", true},
      {"Content-Type", "content-type", true},
      {"X-REQUEST-ID-OF-SOME-LENGTH", "x-request-id-of-some-length", true},
      {"a", "b", false},
      {"abc", "ab", false},
      {"content-type", "content-typ3", false},
      {"[", "{", false},
      {"@", "`", false},
      {"content-l[ngth", "content-l{ngth", false},
      {"-", "\r", false},
      {"\xc3\x84", "\xc3\xa4", false},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(equals_ignore_case(test.a, test.b), test.equal) << test.a << " " << test.b;
    EXPECT_EQ(equals_ignore_case(test.b, test.a), test.equal) << test.b << " " << test.a;
  }
}

TEST(EqualsIgnoreCase, AgreesWithTheDefinitionForAllPairsOfBytes) {
  const auto lower = [](int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char x = static_cast<char>(a);
      const char y = static_cast<char>(b);
      ASSERT_EQ(equals_ignore_case({&x, 1}, {&y, 1}), lower(a) == lower(b)) << a << " " << b;
    }
  }
}

TEST(Metadata, CopiesTextsOfEverySize) {
  Metadata metadata;
  std::string text;
  metadata.add("nothing", std::string_view());
  for (int i = 0; i < 70; ++i) {
    metadata.add(text, text);
    text.push_back(static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(metadata[0].value, "");
  for (std::size_t i = 0; i < 70; ++i) {
    EXPECT_EQ(metadata[i + 1].key, text.substr(0, i));
    EXPECT_EQ(metadata[i + 1].value, text.substr(0, i));
  }
}

TEST(Metadata, EmptyHasNothing) {
  const Metadata metadata;
  EXPECT_TRUE(metadata.empty());
  EXPECT_EQ(metadata.find("x"), std::nullopt);
  EXPECT_EQ(metadata.get("x", "fallback"), "fallback");
  EXPECT_THAT(metadata.values("x"), IsEmpty());
  EXPECT_TRUE(metadata.begin() == metadata.end());
}

TEST(Metadata, KeepsOrderSpellingAndSeveralValues) {
  const Metadata metadata = {{"Accept", "a"}, {"x", ""}, {"ACCEPT", "b"}};
  EXPECT_THAT(flat(metadata), ElementsAre("Accept=a", "x=", "ACCEPT=b"));
  EXPECT_EQ(metadata.find("accept"), "a");
  EXPECT_THAT(metadata.values("aCCept"), ElementsAre("a", "b"));
  EXPECT_TRUE(metadata.contains("X"));
  EXPECT_EQ(metadata.get("x", "fallback"), "");
  EXPECT_EQ(metadata.size(), 3u);
}

TEST(Metadata, ValuesAreBytes) {
  Metadata metadata;
  const std::string bytes("\0\xff\n", 3);
  metadata.add("k-bin", bytes);
  EXPECT_EQ(metadata.find("k-bin"), bytes);
}

TEST(Metadata, SetReplacesAllValuesAtTheEnd) {
  Metadata metadata = {{"a", "1"}, {"b", "2"}, {"A", "3"}};
  metadata.set("a", "4");
  EXPECT_THAT(flat(metadata), ElementsAre("b=2", "a=4"));
  metadata.set("new", "5");
  EXPECT_THAT(flat(metadata), ElementsAre("b=2", "a=4", "new=5"));
}

TEST(Metadata, RemoveTellsHowMany) {
  Metadata metadata = {{"a", "1"}, {"b", "2"}, {"A", "3"}};
  EXPECT_EQ(metadata.remove("a"), 2u);
  EXPECT_EQ(metadata.remove("a"), 0u);
  EXPECT_THAT(flat(metadata), ElementsAre("b=2"));
  EXPECT_EQ(metadata.remove("B"), 1u);
  EXPECT_TRUE(metadata.empty());
  metadata.add("c", "1");
  EXPECT_THAT(flat(metadata), ElementsAre("c=1"));
}

TEST(Metadata, RemovalKeepsTheOtherEntriesWhenStorageIsCompacted) {
  Metadata metadata;
  for (int i = 0; i < 100; ++i) metadata.add("key" + std::to_string(i), std::string(20, static_cast<char>('a' + i % 26)));
  for (int i = 0; i < 100; ++i) {
    if (i % 7 != 0) {
      EXPECT_EQ(metadata.remove("KEY" + std::to_string(i)), 1u);
    }
  }
  EXPECT_EQ(metadata.size(), 15u);
  for (int i = 0; i < 100; i += 7) {
    EXPECT_EQ(metadata.find("key" + std::to_string(i)), std::string(20, static_cast<char>('a' + i % 26))) << i;
  }
}

TEST(Metadata, SettingOverAndOverTakesBoundedMemory) {
  Metadata metadata = {{"stays", "here"}};
  metadata.set("k", std::string(100, 'x'));
  for (int i = 0; i < 10'000; ++i) metadata.set("k", std::string(100, static_cast<char>('a' + i % 26)));
  EXPECT_EQ(metadata.size(), 2u);
  // Nothing moves any more once the memory is large enough for the garbage that may gather.
  const void* const before = metadata.find("stays")->data();
  for (int i = 0; i < 1'000; ++i) metadata.set("k", std::string(100, 'y'));
  EXPECT_EQ(metadata.find("stays")->data(), before);
  EXPECT_EQ(metadata.find("stays"), "here");
}

TEST(Metadata, ClearKeepsTheMemory) {
  Metadata metadata;
  metadata.add("key", std::string(1000, 'v'));
  const void* const before = metadata[0].key.data();
  metadata.clear();
  EXPECT_TRUE(metadata.empty());
  metadata.add("key", std::string(1000, 'w'));
  EXPECT_EQ(metadata[0].key.data(), before);
}

TEST(Metadata, TakesViewsOfItself) {
  Metadata metadata = {{"a", "the value"}};
  for (int i = 0; i < 200; ++i) metadata.add(metadata[0].key, metadata[0].value);
  EXPECT_EQ(metadata.size(), 201u);
  EXPECT_EQ(metadata[200].value, "the value");
  metadata.set(metadata[0].key, metadata[0].value);
  EXPECT_THAT(flat(metadata), ElementsAre("a=the value"));
  metadata.append(metadata);
  EXPECT_THAT(flat(metadata), ElementsAre("a=the value", "a=the value"));
  EXPECT_EQ(metadata.remove(metadata[0].key), 2u);
}

TEST(Metadata, AppendAddsBehind) {
  Metadata metadata = {{"a", "1"}};
  const Metadata other = {{"b", "2"}, {"A", "3"}};
  metadata.append(other);
  EXPECT_THAT(flat(metadata), ElementsAre("a=1", "b=2", "A=3"));
}

TEST(Metadata, CopiesAreIndependentAndMovesLeaveAUsableObject) {
  Metadata original = {{"a", "1"}};
  Metadata copy = original;
  copy.set("a", "2");
  EXPECT_EQ(original.get("a"), "1");
  const Metadata moved = std::move(original);
  EXPECT_EQ(moved.get("a"), "1");
  original.clear();
  original.add("b", "3");
  EXPECT_THAT(flat(original), ElementsAre("b=3"));
}

TEST(Metadata, EqualityIgnoresTheCaseOfKeysOnly) {
  const Metadata metadata = {{"a", "x"}, {"b", "y"}};
  EXPECT_EQ(metadata, (Metadata{{"A", "x"}, {"b", "y"}}));
  EXPECT_FALSE(metadata == (Metadata{{"a", "X"}, {"b", "y"}}));
  EXPECT_FALSE(metadata == (Metadata{{"b", "y"}, {"a", "x"}}));
  EXPECT_FALSE(metadata == (Metadata{{"a", "x"}}));
}

}  // namespace
}  // namespace micro
