#include <micro/websocket/deflate.hpp>

#include <gtest/gtest.h>

#include "extension.hpp"

namespace micro::websocket {
namespace {

std::string shown(const Deflate& deflate) {
  std::string out = deflate.server_no_context_takeover ? "s- " : "s+ ";
  out += deflate.client_no_context_takeover ? "c- " : "c+ ";
  return out + std::to_string(deflate.server_max_window_bits) + " " + std::to_string(deflate.client_max_window_bits);
}

TEST(Extensions, Syntax) {
  const auto render = [](std::string_view text) {
    const auto extensions = parse_extensions(text);
    if (!extensions) return std::string("malformed");
    std::string out;
    for (const Extension& extension : *extensions) {
      out += "<" + extension.name;
      for (const auto& [name, value] : extension.parameters) out += ";" + name + (value ? "=" + *value : "");
      out += ">";
    }
    return out;
  };
  const struct {
    std::string_view text;
    std::string_view parsed;
  } rows[] = {
      {"", ""},
      {" , ,", ""},
      {"foo", "<foo>"},
      {"foo, bar; baz=2", "<foo><bar;baz=2>"},
      {" foo ;\ta = b ; c ,bar", "<foo;a=b;c><bar>"},
      {"foo; a=\"b\"", "<foo;a=b>"},
      {"foo; a=\"b\\c\"; d", "<foo;a=bc;d>"},
      {"foo; a=\"b c\"", "malformed"},
      {"foo; a=\"\"", "malformed"},
      {"foo; a=\"b", "malformed"},
      {"foo; a=\"b\\", "malformed"},
      {"foo;", "malformed"},
      {"foo; =1", "malformed"},
      {"foo; a=", "malformed"},
      {"foo bar", "malformed"},
      {"; a", "malformed"},
      {"foo=1", "malformed"},
      {"f\xc3\xa4", "malformed"},
  };
  for (const auto& row : rows) EXPECT_EQ(render(row.text), row.parsed) << row.text;
}

TEST(Server, ChoosesAnOffer) {
  const DeflateOptions forgetful{.server_no_context_takeover = true, .client_no_context_takeover = true};
  const DeflateOptions small{.server_max_window_bits = 10, .client_max_window_bits = 11};
  const struct {
    std::string_view offers;
    DeflateOptions options;
    std::string_view agreed;  // and the answer
  } rows[] = {
      {"", {}, "none"},
      {"x-webkit-deflate-frame", {}, "none"},
      {"permessage-deflate", {}, "s+ c+ 15 15: permessage-deflate"},
      {"Permessage-Deflate", {}, "s+ c+ 15 15: permessage-deflate"},
      {"foo, permessage-deflate; client_max_window_bits", {}, "s+ c+ 15 15: permessage-deflate"},
      {"permessage-deflate", {.enabled = false}, "none"},
      {"permessage-deflate", forgetful,
       "s- c- 15 15: permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
      {"permessage-deflate; server_no_context_takeover", {}, "s- c+ 15 15: permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; client_no_context_takeover", {}, "s+ c- 15 15: permessage-deflate; client_no_context_takeover"},
      {"permessage-deflate", small, "s+ c+ 10 15: permessage-deflate; server_max_window_bits=10"},
      {"permessage-deflate; client_max_window_bits", small,
       "s+ c+ 10 11: permessage-deflate; server_max_window_bits=10; client_max_window_bits=11"},
      {"permessage-deflate; client_max_window_bits=9; server_max_window_bits=9", small,
       "s+ c+ 9 9: permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=\"12\"", {}, "s+ c+ 12 15: permessage-deflate; server_max_window_bits=12"},
      {"permessage-deflate; server_max_window_bits=15", {}, "s+ c+ 15 15: permessage-deflate; server_max_window_bits=15"},
      {"permessage-deflate; server_max_window_bits=8", {}, "s+ c+ 8 15: permessage-deflate; server_max_window_bits=8"},
      // Passed over, for the next one or none.
      {"permessage-deflate; foo, permessage-deflate; server_no_context_takeover",
       {},
       "s- c+ 15 15: permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; foo", {}, "none"},
      {"permessage-deflate; server_no_context_takeover=1", {}, "none"},
      {"permessage-deflate; client_no_context_takeover=1", {}, "none"},
      {"permessage-deflate; server_max_window_bits", {}, "none"},
      {"permessage-deflate; server_max_window_bits=7", {}, "none"},
      {"permessage-deflate; server_max_window_bits=16", {}, "none"},
      {"permessage-deflate; server_max_window_bits=08", {}, "none"},
      {"permessage-deflate; server_max_window_bits=100", {}, "none"},
      {"permessage-deflate; client_max_window_bits=x", {}, "none"},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", {}, "none"},
      {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", {}, "none"},
      {"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", {}, "none"},
      {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", {}, "none"},
      {"permessage-deflate;", {}, "malformed"},
  };
  for (const auto& row : rows) {
    const auto answer = choose_deflate(row.offers, row.options);
    if (!answer) {
      EXPECT_EQ(row.agreed, "malformed") << row.offers;
      EXPECT_EQ(answer.error().code(), Code::kInvalidArgument);
    } else {
      EXPECT_EQ(*answer ? shown((*answer)->deflate) + ": " + (*answer)->extension : "none", row.agreed) << row.offers;
    }
  }
}

TEST(Client, Offers) {
  EXPECT_EQ(deflate_offer({}), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(deflate_offer({.enabled = false}), "");
  EXPECT_EQ(deflate_offer({.server_no_context_takeover = true,
                           .client_no_context_takeover = true,
                           .server_max_window_bits = 10,
                           .client_max_window_bits = 3}),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; "
            "client_max_window_bits=8");
}

TEST(Client, ReadsTheAnswer) {
  const DeflateOptions demanding{.server_no_context_takeover = true, .server_max_window_bits = 10, .client_max_window_bits = 12};
  const struct {
    std::string_view answer;
    DeflateOptions options;
    std::string_view agreed;
  } rows[] = {
      {"", {}, "none"},
      {"permessage-deflate", {}, "s+ c+ 15 15"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=9", {}, "s- c+ 9 15"},
      {"permessage-deflate; client_no_context_takeover; client_max_window_bits=9", {}, "s+ c- 15 9"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=10", demanding, "s- c+ 10 12"},
      {"permessage-deflate", {.client_no_context_takeover = true}, "s+ c- 15 15"},
      {"permessage-deflate; server_max_window_bits=10", demanding, "refused"},
      {"permessage-deflate; server_no_context_takeover", demanding, "refused"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=11", demanding, "refused"},
      {"permessage-deflate; server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=13", demanding,
       "refused"},
      {"permessage-deflate; client_max_window_bits", {}, "refused"},
      {"permessage-deflate; foo", {}, "refused"},
      {"permessage-deflate, permessage-deflate", {}, "refused"},
      {"foo", {}, "refused"},
      {"permessage-deflate", {.enabled = false}, "refused"},
      {"permessage-deflate;", {}, "refused"},
  };
  for (const auto& row : rows) {
    const auto agreed = read_deflate_answer(row.answer, row.options);
    if (!agreed) {
      EXPECT_EQ(row.agreed, "refused") << row.answer;
      EXPECT_EQ(agreed.error().code(), Code::kInternal);
      EXPECT_EQ(agreed.error().reason(), "WEBSOCKET_EXTENSIONS");
    } else {
      EXPECT_EQ(*agreed ? shown(**agreed) : "none", row.agreed) << row.answer;
    }
  }
}

// Whatever the two ends want, they end up with the same parameters.
TEST(Property, BothEndsAgree) {
  std::vector<DeflateOptions> all;
  for (const bool server : {false, true}) {
    for (const bool client : {false, true}) {
      for (const std::uint8_t server_bits : {8, 9, 12, 15}) {
        for (const std::uint8_t client_bits : {8, 9, 12, 15}) all.push_back({true, server, client, server_bits, client_bits});
      }
    }
  }
  for (const DeflateOptions& ours : all) {
    for (const DeflateOptions& theirs : all) {
      const auto answer = choose_deflate(deflate_offer(ours), theirs);
      ASSERT_TRUE(answer.has_value() && answer->has_value());
      const auto agreed = read_deflate_answer((*answer)->extension, ours);
      ASSERT_TRUE(agreed.has_value() && agreed->has_value()) << (*answer)->extension;
      EXPECT_EQ(shown(**agreed), shown((*answer)->deflate));
    }
  }
}

}  // namespace
}  // namespace micro::websocket
