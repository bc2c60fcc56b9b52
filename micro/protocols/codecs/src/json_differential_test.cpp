// JsonCodec against protobuf's own JSON, on random messages: each must read what the other wrote.
#include <micro/codecs/json_codec.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include "everything.pb.h"
#include "test_support.hpp"

namespace micro::codec {
namespace {

using namespace ::codecs::test;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Fills messages by reflection, with a liking for the values at the edges.
class Filler {
 public:
  explicit Filler(std::uint32_t seed) : random_(seed) {}

  void fill(Message& message, int depth) {
    const auto* type = message.GetDescriptor();
    if (well_known(message, depth)) return;
    for (int i = 0; i < type->field_count(); ++i) {
      // A map entry has both; a google.protobuf.Value nobody set would come back as null.
      if (!type->options().map_entry() && below(3) == 0) continue;
      const FieldDescriptor& field = *type->field(i);
      const int count = !field.is_repeated() ? 1 : field.is_map() ? below(2) : below(4);
      for (int n = 0; n < count; ++n) value(message, field, depth);
    }
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint32_t>(limit)); }

  template <class Integer>
  Integer integer() {
    using Limits = std::numeric_limits<Integer>;
    const Integer edges[] = {0, 1, Limits::min(), Limits::max(), static_cast<Integer>(Limits::max() / 3)};
    const std::uint64_t bits = std::uint64_t{random_()} << 32 | random_();
    return below(2) == 0 ? edges[below(5)] : static_cast<Integer>(bits >> below(64));
  }

  // Without -0.0, whose sign protobuf's parser loses.
  double real() {
    const double edges[] = {0.0, 0.1, 1e300, -5e-324, 1e15, 123456789.125, 1e21, NAN, INFINITY, -INFINITY};
    return below(2) == 0 ? edges[below(10)] : std::ldexp(static_cast<double>(random_()), below(200) - 100);
  }

  std::string text() {
    static const char* const parts[] = {"a",     "quite some text ", "\"", "\\", "\n", "\x01", "é", "€", "😀", "/", "<&>", "\x7f",
                                        "\u2028"};
    std::string out;
    for (int i = below(8); i-- > 0;) out += parts[below(13)];
    return out;
  }

  std::string blob() {
    std::string out;
    for (int i = below(9); i-- > 0;) out.push_back(static_cast<char>(random_()));
    return out;
  }

  bool well_known(Message& message, int depth) {
    const std::string& name = message.GetDescriptor()->full_name();
    if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(&message)) {
      time->set_seconds(static_cast<std::int64_t>(random_()) * 60 - 62'135'596'800);
      time->set_nanos(below(2) == 0 ? 0 : below(1000) * 1'000'000);
    } else if (auto* span = dynamic_cast<google::protobuf::Duration*>(&message)) {
      span->set_seconds(static_cast<std::int64_t>(random_()) + 1);
      span->set_nanos(below(1'000'000'000));
    } else if (auto* mask = dynamic_cast<google::protobuf::FieldMask*>(&message)) {
      for (int i = below(3); i-- > 0;) mask->add_paths("user_name.first");
    } else if (auto* any = dynamic_cast<google::protobuf::Any*>(&message)) {
      Lists lists;
      fill(lists, depth + 1);
      google::protobuf::Duration span_inside;
      well_known(span_inside, depth + 1);
      any->PackFrom(below(2) == 0 ? static_cast<const Message&>(lists) : span_inside);
    } else if (auto* value = dynamic_cast<google::protobuf::Value*>(&message)) {
      dynamic(*value, depth);
    } else {
      return name == "google.protobuf.Empty";
    }
    return true;
  }

  void dynamic(google::protobuf::Value& value, int depth) {
    switch (below(depth > 4 ? 4 : 6)) {
      case 0:
        value.set_null_value(google::protobuf::NULL_VALUE);
        break;
      case 1:
        value.set_bool_value(below(2) == 0);
        break;
      case 2:
        value.set_string_value(text());
        break;
      case 3:
        value.set_number_value(below(1000) / 8.0);
        break;
      case 4:
        value.mutable_list_value();
        for (int i = below(3); i-- > 0;) dynamic(*value.mutable_list_value()->add_values(), depth + 1);
        break;
      default:
        value.mutable_struct_value();
        for (int i = below(3); i-- > 0;) dynamic((*value.mutable_struct_value()->mutable_fields())[text()], depth + 1);
    }
  }

  void value(Message& message, const FieldDescriptor& field, int depth) {
    const auto& r = *message.GetReflection();
    const bool add = field.is_repeated();
    const FieldDescriptor* f = &field;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        const auto v = integer<std::int32_t>();
        return add ? r.AddInt32(&message, f, v) : r.SetInt32(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        const auto v = integer<std::int64_t>();
        return add ? r.AddInt64(&message, f, v) : r.SetInt64(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        const auto v = integer<std::uint32_t>();
        return add ? r.AddUInt32(&message, f, v) : r.SetUInt32(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        const auto v = integer<std::uint64_t>();
        return add ? r.AddUInt64(&message, f, v) : r.SetUInt64(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return add ? r.AddDouble(&message, f, real()) : r.SetDouble(&message, f, real());
      case FieldDescriptor::CPPTYPE_FLOAT: {
        const auto v = static_cast<float>(std::ldexp(static_cast<double>(random_()), below(60) - 30));
        return add ? r.AddFloat(&message, f, v) : r.SetFloat(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        return add ? r.AddBool(&message, f, below(2) == 0) : r.SetBool(&message, f, below(2) == 0);
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number = field.enum_type()->value(below(field.enum_type()->value_count()))->number();
        return add ? r.AddEnumValue(&message, f, number) : r.SetEnumValue(&message, f, number);
      }
      case FieldDescriptor::CPPTYPE_STRING: {
        const std::string v = field.type() == FieldDescriptor::TYPE_BYTES ? blob() : text();
        return add ? r.AddString(&message, f, v) : r.SetString(&message, f, v);
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth > 4) return;
        fill(add ? *r.AddMessage(&message, f) : *r.MutableMessage(&message, f), depth + 1);
    }
  }

  std::mt19937 random_;
};

bool same(const Message& a, const Message& b) {
  google::protobuf::util::MessageDifferencer differ;
  differ.set_float_comparison(google::protobuf::util::MessageDifferencer::EXACT);
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  differ.set_field_comparator(&comparator);
  return differ.Compare(a, b);
}

class Random : public testing::TestWithParam<const Message*> {};

TEST_P(Random, AgreesWithProtobuf) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const std::unique_ptr<Message> message(GetParam()->New());
    Filler(seed).fill(*message, 0);
    const JsonOptions options{.emit_zero_values = seed % 2 == 0,
                              .int64_as_string = seed % 3 != 0,
                              .enum_as_number = seed % 5 == 0,
                              .proto_field_names = seed % 7 == 0,
                              .pretty = seed % 11 == 0};
    const std::string ours = to_json(*message, options);

    const std::unique_ptr<Message> read(GetParam()->New());
    ASSERT_TRUE(JsonCodec().unmarshal(ours, ref(*read))) << ours << "\n" << from_json(*read, ours);
    ASSERT_TRUE(same(*message, *read)) << ours;

    const std::unique_ptr<Message> read_by_protobuf(GetParam()->New());
    const auto parsed = google::protobuf::util::JsonStringToMessage(ours, read_by_protobuf.get());
    ASSERT_TRUE(parsed.ok()) << parsed.ToString() << ours;
    ASSERT_TRUE(same(*message, *read_by_protobuf)) << ours;

    google::protobuf::util::JsonPrintOptions print;
    print.always_print_primitive_fields = seed % 2 == 0;
    print.add_whitespace = seed % 3 == 0;
    print.preserve_proto_field_names = seed % 5 == 0;
    std::string theirs;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(*message, &theirs, print).ok());
    ASSERT_TRUE(JsonCodec().unmarshal(theirs, ref(*read))) << theirs << "\n" << from_json(*read, theirs);
    ASSERT_TRUE(same(*message, *read)) << theirs;
  }
}

INSTANTIATE_TEST_SUITE_P(Messages, Random,
                         testing::Values(&Scalars::default_instance(), &Lists::default_instance(), &Maps::default_instance(),
                                         &Choice::default_instance(), &Tree::default_instance(), &User::default_instance(),
                                         &WellKnownTypes::default_instance()),
                         [](const auto& param) { return param.param->GetDescriptor()->name(); });

// Without whitespace and with the same field order, the text itself is the same.
TEST(SameText, AsProtobuf) {
  const std::string texts[] = {
      "an_int32: -1 an_int64: 5 a_uint64: 6 a_double: 0.5 a_bool: true a_string: 'x' a_bytes: 'abc' color: RED maybe: 0",
      "a_double: nan a_float: inf an_int64: -9223372036854775808",
      "a_string: 'tab\\t quote\\\" back\\\\ slash/ nul\\000 e\\303\\251'",
      "color: 42",
  };
  for (const std::string& text : texts) {
    const auto message = parse_text<Scalars>(text);
    std::string theirs;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &theirs).ok());
    EXPECT_EQ(to_json(message), theirs);
  }
}

// Random damage to good input must end in a message or an error, with nothing read past the end.
TEST(Damage, IsAlwaysNoticedOrHarmless) {
  std::mt19937 random(7);
  WellKnownTypes message;
  Filler(11).fill(message, 0);
  const std::string good = to_json(message);
  ASSERT_FALSE(good.starts_with("error"));
  static constexpr char kBytes[] = "{}[]\",:\\u0aeE+-.1 \n\x80\xff tfn";
  for (int round = 0; round < 3000; ++round) {
    std::vector<char> damaged(good.begin(), good.end());
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = kBytes[random() % (sizeof kBytes - 1)];
    WellKnownTypes read;
    const auto done = JsonCodec({.ignore_unknown_fields = round % 2 == 0}).unmarshal({damaged.data(), damaged.size()}, ref(read));
    if (!done) EXPECT_EQ(done.error().code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace micro::codec
