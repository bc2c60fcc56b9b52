#include "node_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <micro/registry/records.hpp>

namespace micro::mdns {
namespace {

using namespace std::string_literals;
using registry::Service;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Name kDomain{"micro"};
const Name kHost{"box"};

Service full_record() {
  return {.name = "my.greeter",
          .version = "latest",
          .endpoints = {{.name = "Greeter.Hello", .request = {.name = "Req", .type = "Req"}, .metadata = {{"a", "b"}}}},
          .nodes = {{.id = "my.greeter-1", .address = "10.1.2.3:8080", .metadata = {{"protocol", "mucp"}}}}};
}

Message answer(const Service& service) {
  return {.answers = service_records(publish(service, kDomain, kHost).value(), kDomain, kHost)};
}

TEST(NodeRecord, IsAsGoMicroHasIt) {
  const Published node = publish(full_record(), kDomain, kHost).value();
  EXPECT_EQ(unpack_texts(node.texts).value(),
            R"({"Metadata":{"protocol":"mucp"},"Service":"my.greeter","Version":"latest","Endpoints":[{"name":"Greeter.Hello",)"
            R"("request":{"name":"Req","type":"Req","values":null},"response":null,"metadata":{"a":"b"}}]})");
  const std::vector<Record> records = service_records(node, kDomain, kHost);
  const Name service{"my", "greeter", "micro"};
  const Name instance{"my", "greeter-1", "my", "greeter", "micro"};
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0], (Record{.name = service, .type = Type::kPtr, .ttl = 120, .target = instance}));
  EXPECT_EQ(
      records[1],
      (Record{.name = instance, .type = Type::kSrv, .ttl = 120, .target = kHost, .priority = 10, .weight = 1, .port = 8080}));
  EXPECT_EQ(records[2], (Record{.name = kHost, .type = Type::kA, .ttl = 120, .data = "\x0A\1\2\3"}));
  EXPECT_EQ(records[3], (Record{.name = instance, .type = Type::kTxt, .ttl = 120, .texts = node.texts}));
}

TEST(NodeRecord, TheListingIsAsGoMicroHasIt) {
  const std::vector<Record> records = listing_records({"my", "greeter"}, kDomain, kHost);
  const Name list{"_services", "micro"};
  const Name entry{"my", "greeter", "_services", "micro"};
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0], (Record{.name = list, .type = Type::kPtr, .ttl = 120, .target = entry}));
  EXPECT_EQ(records[1],
            (Record{.name = entry, .type = Type::kSrv, .ttl = 120, .target = kHost, .priority = 10, .weight = 1, .port = 9999}));
  EXPECT_EQ(records[2], (Record{.name = kHost, .type = Type::kA, .ttl = 120, .data = "\0\0\0\0"s}));
  EXPECT_EQ(records[3], (Record{.name = entry, .type = Type::kTxt, .ttl = 120}));
  EXPECT_THAT(heard_services({.answers = records}, kDomain), ElementsAre(Name{"my", "greeter"}));
  EXPECT_THAT(heard_services({.answers = records}, {"other"}), IsEmpty());
  EXPECT_THAT(heard_nodes({.answers = records}, kDomain), IsEmpty()) << "a listing is no node";
}

TEST(NodeRecord, ThereAndBack) {
  Service six = full_record();
  six.nodes[0].address = "[fd00::7]:9000";
  Service with_metadata = full_record();
  with_metadata.metadata = {{"team", "core"}};
  Service odd = full_record();
  odd.name = "../a b";
  odd.nodes[0].id = "grüße \"1\"\\";
  Service endless = full_record();
  endless.nodes[0].id = std::string(70, 'x');
  for (const Service& service : {full_record(), six, with_metadata, odd, endless}) {
    const auto bytes = encode(answer(service), true);
    ASSERT_TRUE(bytes) << bytes.error().to_string();
    const auto nodes = heard_nodes(decode(*bytes).value(), kDomain);
    ASSERT_EQ(nodes.size(), 1u) << service.name;
    EXPECT_EQ(nodes[0].record, service);
    EXPECT_FALSE(nodes[0].leaving);
  }
}

TEST(NodeRecord, GoMicroSeesNoMembersItDoesNotKnowWhereItKnowsAll) {
  EXPECT_THAT(unpack_texts(publish(full_record(), kDomain, kHost)->texts).value(), testing::Not(HasSubstr("\"Id\"")));
  EXPECT_THAT(unpack_texts(publish(full_record(), kDomain, kHost)->texts).value(), testing::Not(HasSubstr("ServiceMetadata")));
}

// What Go makes of nil maps and slices.
TEST(NodeRecord, ReadsWhatGoMicroWrites) {
  const std::string document = R"({"Metadata":null,"Service":"greeter","Version":"latest","Endpoints":null})";
  const Name instance{"greeter-1", "greeter", "micro"};
  Message message{.answers = {{.name = instance, .type = Type::kSrv, .ttl = 120, .target = kHost, .port = 80},
                              {.name = kHost, .type = Type::kAaaa, .ttl = 120, .data = std::string(15, '\0') + "\1"},
                              {.name = kHost, .type = Type::kA, .ttl = 120, .data = "\x7F\0\0\1"s},
                              {.name = instance, .type = Type::kTxt, .ttl = 0, .texts = pack_texts(document)}}};
  const auto nodes = heard_nodes(message, kDomain);
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].record,
            (Service{.name = "greeter", .version = "latest", .nodes = {{.id = "greeter-1", .address = "127.0.0.1:80"}}}))
      << "IPv4 goes first";
  EXPECT_TRUE(nodes[0].leaving);
  message.answers.erase(message.answers.begin() + 2);
  EXPECT_EQ(heard_nodes(message, kDomain).at(0).record.nodes[0].address, "[::1]:80");
}

TEST(NodeRecord, WhatIsIncompleteOrOfOthersIsLeftOut) {
  const Message whole = answer(full_record());
  for (const std::size_t missing : {1u, 2u, 3u}) {
    Message message = whole;
    message.answers.erase(message.answers.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_THAT(heard_nodes(message, kDomain), IsEmpty()) << missing;
  }
  EXPECT_THAT(heard_nodes(whole, {"local"}), IsEmpty());
  Message message = whole;
  message.answers[1].port = 0;
  EXPECT_THAT(heard_nodes(message, kDomain), IsEmpty());
  for (const char* document : {"", "7", "{}", R"({"Service":7})", R"({"Service":"other","Version":"1"})"}) {
    message = whole;
    message.answers[3].texts = pack_texts(document);
    EXPECT_THAT(heard_nodes(message, kDomain), IsEmpty()) << document;
  }
}

TEST(NodeRecord, TextsAreHexadecimalDigitsOfAZlibStream) {
  const std::string text(100000, 'x');
  EXPECT_EQ(unpack_texts(pack_texts(text)).value(), text);
  for (const std::string& part : pack_texts(text)) EXPECT_LE(part.size(), 255u);
  std::string upper = pack_texts("x")[0];
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(unpack_texts({upper}).value(), "x");
  EXPECT_FALSE(unpack_texts({}));
  EXPECT_FALSE(unpack_texts({"abc"}));
  EXPECT_FALSE(unpack_texts({"zz"}));
  EXPECT_FALSE(unpack_texts({"789c"})) << "cut off";
  EXPECT_FALSE(unpack_texts(pack_texts(std::string(std::size_t{5} << 20, 'x')))) << "a few bytes that claim to be megabytes";
}

TEST(NodeRecord, SaysWhatCannotBePublished) {
  const auto refused = [](auto change) {
    Service service = full_record();
    change(service);
    const auto published = publish(service, kDomain, kHost);
    return published ? "published" : published.error().to_string();
  };
  EXPECT_THAT(refused([](Service& s) { s.nodes[0].address = "box:80"; }),
              HasSubstr("mDNS carries IP addresses with a port, not \"box:80\""));
  EXPECT_THAT(refused([](Service& s) { s.nodes[0].address = "unix:/run/x.sock"; }), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(refused([](Service& s) { s.nodes[0].address = "10.0.0.1:0"; }), HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(refused([](Service& s) { s.nodes[0].address = "nonsense"; }),
              HasSubstr("node \"my.greeter-1\" of service \"my.greeter\""));
  EXPECT_THAT(refused([](Service& s) { s.name = "_services"; }), HasSubstr("cannot be called _services"));
  EXPECT_THAT(refused([](Service& s) { s.name = std::string(300, 'x'); }), HasSubstr("too long"));
  EXPECT_THAT(refused([](Service& s) {
                std::uint32_t state = 1;
                std::string noise;  // that deflate makes nothing of
                for (int i = 0; i < 60000; ++i)
                  noise.push_back(static_cast<char>('!' + ((state = state * 1664525 + 1013904223) >> 24) % 90));
                s.nodes[0].metadata = {{"noise", noise}};
              }),
              HasSubstr("RESOURCE_EXHAUSTED"));
}

}  // namespace
}  // namespace micro::mdns
