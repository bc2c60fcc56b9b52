#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protoc.hpp"

namespace micro::generator_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kTestDir = MICRO_TEST_DIR;
const std::vector<fs::path> kSearch = {kTestDir / "proto", kTestDir / "imported", MICRO_PROTO_DIR};
const std::vector<std::string> kProtos = {"no_package.proto",  "tricky/base.proto",     "tricky/names.proto",
                                          "tricky/rest.proto", "tricky/services.proto", "tricky/types.proto"};

std::vector<std::string> outputs() {
  std::vector<std::string> names;
  for (const std::string& proto : kProtos) {
    const std::string stem = proto.substr(0, proto.size() - std::string(".proto").size());
    names.push_back(stem + ".micro.hpp");
    names.push_back(stem + ".micro.cpp");
  }
  return names;
}

TEST(GoldenTest, GeneratedCodeIsAsRecorded) {
  const ScratchDirectory scratch;
  const Outcome outcome = generate(kSearch, kProtos, scratch.path());
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(outcome.output, "");
  const bool update = std::getenv("MICRO_UPDATE_GOLDEN") != nullptr;
  for (const std::string& name : outputs()) {
    ASSERT_TRUE(fs::exists(scratch.path() / name)) << name;
    const fs::path golden = kTestDir / "golden" / name;
    if (update) {
      fs::create_directories(golden.parent_path());
      fs::copy_file(scratch.path() / name, golden, fs::copy_options::overwrite_existing);
    }
    EXPECT_EQ(read_file(scratch.path() / name), read_file(golden))
        << name << " is generated otherwise than test/generator/golden has it. When that is wanted, run this program with "
        << "MICRO_UPDATE_GOLDEN=1 in the environment and read the difference.";
  }
}

TEST(GoldenTest, EveryRunGivesTheSameBytesInAnyOrderOfFiles) {
  const ScratchDirectory scratch;
  const std::vector<std::string> reversed(kProtos.rbegin(), kProtos.rend());
  ASSERT_EQ(generate(kSearch, kProtos, scratch.path() / "first").status, 0);
  ASSERT_EQ(generate(kSearch, reversed, scratch.path() / "second").status, 0);
  for (const std::string& proto : kProtos) ASSERT_EQ(generate(kSearch, {proto}, scratch.path() / "third").status, 0);
  for (const std::string& name : outputs()) {
    const std::string first = read_file(scratch.path() / "first" / name);
    EXPECT_FALSE(first.empty()) << name;
    EXPECT_EQ(first, read_file(scratch.path() / "second" / name)) << name;
    EXPECT_EQ(first, read_file(scratch.path() / "third" / name)) << name;
  }
}

TEST(GoldenTest, LinesEndingInCarriageReturnsGiveTheSameCode) {
  const ScratchDirectory scratch;
  std::string text;
  for (const char c : read_file(kTestDir / "proto" / "no_package.proto"))
    text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const fs::path file = scratch.path() / "no_package.proto";
  FILE* const out = std::fopen(file.c_str(), "wb");
  ASSERT_NE(out, nullptr);
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  const Outcome outcome = generate({scratch.path()}, {"no_package.proto"}, scratch.path() / "out");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_EQ(read_file(scratch.path() / "out" / "no_package.micro.hpp"), read_file(kTestDir / "golden" / "no_package.micro.hpp"));
}

struct BadCase {
  std::string file;
  std::string parameter;
  std::vector<std::string> says;
};

class BadInputTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadInputTest, EndsProtocWithAMessageThatNamesTheFile) {
  const ScratchDirectory scratch;
  const Outcome outcome =
      generate({kTestDir / "bad", kTestDir / "proto", MICRO_PROTO_DIR}, {GetParam().file}, scratch.path(), GetParam().parameter);
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("micro_out: " + GetParam().file + ": "));
  for (const std::string& part : GetParam().says) EXPECT_THAT(outcome.output, HasSubstr(part));
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadInputTest,
    ::testing::Values(
        BadCase{"keyword_package.proto", "", {"package shop.class", "'class' is a C++ keyword", "rename the package"}},
        BadCase{"generic_services.proto", "", {"cc_generic_services", "service shop.S", "remove the option"}},
        BadCase{"lite.proto", "", {"method shop.S.Get", "message shop.M", "LITE_RUNTIME", "remove the option"}},
        BadCase{"http_template.proto",
                "",
                {"method shop.S.Get: option google.api.http: GET /v1/{name: path template \"/v1/{name\": character 10: '}' is "
                 "missing"}},
        BadCase{
            "http_field.proto", "", {"GET /v1/{nome}: variable {nome}: shop.M has no field \"nome\"; did you mean \"name\"?"}},
        BadCase{"http_no_pattern.proto", "", {"method shop.S.Get", "a binding has no method and path", "write get"}},
        BadCase{"http_nested.proto", "", {"method shop.S.Get", "additional_bindings inside additional_bindings"}},
        BadCase{"no_package.proto", "speed=high", {"takes no parameters", "'speed=high'", "--micro_out=DIR"}}),
    [](const ::testing::TestParamInfo<BadCase>& info) {
      return info.param.parameter.empty() ? info.param.file.substr(0, info.param.file.find('.')) : "unknown_parameter";
    });

TEST(CommandLineTest, AnswersVersionAndHelp) {
  const Outcome version = run("'" MICRO_PLUGIN "' --version");
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.output, "protoc-gen-micro " MICRO_VERSION "\n");
  const Outcome help = run("'" MICRO_PLUGIN "' --help");
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, HasSubstr("--micro_out=DIR"));
  const Outcome unknown = run("'" MICRO_PLUGIN "' --nonsense");
  EXPECT_NE(unknown.status, 0);
  EXPECT_THAT(unknown.output, HasSubstr("--nonsense"));
}

}  // namespace
}  // namespace micro::generator_test
