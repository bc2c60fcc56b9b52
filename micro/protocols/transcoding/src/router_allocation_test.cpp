// Every request that is no method's own path is looked for among the bindings, so a lookup must cost no memory.
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include <micro/codecs/protobuf.hpp>
#include <micro/transcoding/router.hpp>

#include "messaging.pb.h"

// The thread sanitizer brings operators of its own and does not let them be replaced.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MICRO_CANNOT_COUNT
#endif
#endif

namespace {
thread_local std::size_t allocations = 0;
}

#ifndef MICRO_CANNOT_COUNT
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace micro::transcoding {
namespace {

TEST(RouterAllocation, NeitherHitNorMissAllocates) {
#ifdef MICRO_CANNOT_COUNT
  GTEST_SKIP() << "allocations are not counted under the thread sanitizer";
#endif
  Router router;
  const codec::MessageType& type = codec::message_type<messaging::Kinds>();
  for (const char* path : {"/v1/{a_string=shelves/*/books/*}", "/v1/{a_string=**}:list", "/v1/a%20segment/{a_string=**}"}) {
    ASSERT_TRUE(router.add("test.Service/Method", {"GET", path, {}, {}}, type, type, 0));
  }
  const std::string long_part(200, 'x');
  const std::string hits[] = {"/v1/shelves/" + long_part + "/books/1", "/v1/" + long_part + ":list",
                              "/v1/a%20segment/" + long_part};
  const std::string misses[] = {"/v1/shelves/" + long_part, "/v2/" + long_part, "/v1/%61%20" + long_part + "/x",
                                "/v1/" + long_part + ":other"};
  const std::size_t before = allocations;
  std::size_t found = 0;
  for (const std::string& path : hits) found += router.find("GET", path) != nullptr ? 1 : 0;
  for (const std::string& path : misses) found += router.find("GET", path) != nullptr ? 1 : 0;
  const std::size_t after = allocations;
  EXPECT_EQ(found, 3u);
  EXPECT_EQ(after, before);
  const std::string probe(100, 'x');
  EXPECT_GT(allocations, after) << "the test counts";
  EXPECT_EQ(probe.size(), 100u);
}

}  // namespace
}  // namespace micro::transcoding
