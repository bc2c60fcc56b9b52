// Uses one component that needs another, and nothing else of the tree around it.
#include <micro/duration/duration.hpp>
#include <micro/id/id.hpp>

int main() {
  const int Wall = 1;
  {
    const int Wall = 2;
    static_cast<void>(Wall);
  }  // -Wshadow would complain
  const auto parsed = micro::parse_duration("1m30s");
  return parsed && micro::uuid_v4().size() == 36 && Wall == 1 ? 0 : 1;
}
