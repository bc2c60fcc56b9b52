#pragma once

// The messages the codec targets work on: every kind of field there is.
#include <array>
#include <memory>

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

}  // namespace micro::fuzz
