#include "pool.hpp"

#include <cstring>
#include <thread>

#include <gtest/gtest.h>

namespace micro::bytes {
namespace {

TEST(Pool, BlockSizes) {
  EXPECT_EQ(block_size(0), 64u);
  EXPECT_EQ(block_size(65), 128u);
  EXPECT_EQ(block_size(1 << 20), std::size_t{1} << 20);
  EXPECT_EQ(block_size((1 << 20) + 5000), (std::size_t{1} << 20) + 8192);
  EXPECT_EQ(block_size(SIZE_MAX), SIZE_MAX);
}

TEST(Pool, KeepsABoundedNumberOfBlocks) {
  const struct {
    std::size_t size, made, kept;
  } cases[] = {{64, 1100, 1024}, {4096, 600, 512}, {65536, 40, 32}, {1 << 20, 6, 4}};
  std::thread([&] {
    for (const auto& test : cases) {
      std::vector<void*> blocks;
      for (std::size_t i = 0; i < test.made; ++i) blocks.push_back(allocate(test.size));
      for (void* const block : blocks) deallocate(block, test.size);
      EXPECT_EQ(kept(test.size), kPooled ? test.kept : 0) << test.size;
    }
  }).join();
}

TEST(Pool, BlocksServeTheirOwnSizeOnly) {
  std::thread([] {
    deallocate(allocate(256), 256);
    EXPECT_EQ(kept(256), kPooled ? 1u : 0u);
    void* const other = allocate(512);
    EXPECT_EQ(kept(256), kPooled ? 1u : 0u);
    std::memset(other, 1, 512);
    void* const same = allocate(256);
    EXPECT_EQ(kept(256), 0u);
    std::memset(same, 1, 256);
    deallocate(other, 512);
    deallocate(same, 256);
  }).join();
}

TEST(Pool, LargeBlocksAreNotKept) {
  const std::size_t size = block_size(kLargestBlock + 1);
  void* const block = allocate(size);
  std::memset(block, 1, size);
  deallocate(block, size);
}

}  // namespace
}  // namespace micro::bytes
