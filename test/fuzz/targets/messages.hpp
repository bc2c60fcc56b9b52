#pragma once

// The messages the codec targets work on: every kind of field there is.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>

#include "everything.pb.h"

namespace micro::fuzz {

inline std::unique_ptr<google::protobuf::Message> make_message(std::size_t choice) {
  using namespace ::codecs::test;
  static const std::array<const google::protobuf::Message*, 7> kPrototypes = {
      &Scalars::default_instance(), &Lists::default_instance(), &Maps::default_instance(),          &Choice::default_instance(),
      &Tree::default_instance(),    &User::default_instance(),  &WellKnownTypes::default_instance()};
  return std::unique_ptr<google::protobuf::Message>(kPrototypes[choice % kPrototypes.size()]->New());
}

// Equal to the bit, but for NaN, which equals itself.
inline bool same(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  google::protobuf::util::MessageDifferencer differ;
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  differ.set_field_comparator(&comparator);
  return differ.Compare(a, b);
}

// For comparisons with protobuf's JSON, which reads "treeAA" in a FieldMask as tree_aa and "Foo" as foo, where field_mask.proto
// (and Go) have tree_a_a and _foo.
inline std::string text_of(const google::protobuf::Message& message) {
  const auto* all = dynamic_cast<const ::codecs::test::WellKnownTypes*>(&message);
  if (all == nullptr || !all->has_mask()) return message.DebugString();
  auto plain = *all;
  for (std::string& path : *plain.mutable_mask()->mutable_paths()) std::erase(path, '_');
  return plain.DebugString();
}

// The message in binary, with maps in a fixed order.
inline std::string serialized(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return out;
}

// protobuf's JSON knows type URLs of one host only; ours takes any, as the documentation of Any has it, and looks at the type.
inline bool is_foreign_url(std::string_view status) { return status.find("Invalid type URL") != status.npos; }

}  // namespace micro::fuzz
