#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <micro/selector/selector.hpp>

// The conformance suite of the selector port: what every Selector promises, however it chooses. A selector's tests say
//
//   INSTANTIATE_TEST_SUITE_P(Ewma, SelectorConformance, testing::Values(Subject{"ewma", make_ewma}), subject_name);
//
// in namespace micro::selector::conformance, and link micro::selector-conformance.
namespace micro::selector::conformance {

struct Subject {
  std::string name;  // for the test's name: letters and digits
  std::function<std::unique_ptr<Selector>()> make;
};

std::string subject_name(const testing::TestParamInfo<Subject>& info);

class SelectorConformance : public testing::TestWithParam<Subject> {
 protected:
  // The id of the chosen node, or the error as text.
  std::string choose(const NodeList& nodes, const Request& request = {});
  // The ids chosen in `times` choices, each once, sorted.
  std::vector<std::string> chosen(const NodeList& nodes, int times, const Request& request = {});

  const std::unique_ptr<Selector> selector_ = GetParam().make();
  TimePoint now_{};  // moves a millisecond with each choice
};

// Nodes "a", "b" ... of "greeter", alternately of version v1 and v2, in zones eu (the first two) and us, at 10.0.0.<n>:80.
NodeList make_nodes(int count, const std::string& service = "greeter");

}  // namespace micro::selector::conformance
