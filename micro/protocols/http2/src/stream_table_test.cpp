#include <gtest/gtest.h>

#include <map>
#include <random>

#include "stream_table.hpp"

namespace micro::http2 {
namespace {

TEST(StreamTable, AgreesWithAMap) {
  StreamTable table;
  std::map<std::uint32_t, StreamState*> model;
  std::mt19937 random(5);
  std::uint32_t next = 1;
  for (int step = 0; step < 20000; ++step) {
    const bool grow = step % 4000 < 2000;
    if (model.empty() || random() % 10 < (grow ? 6U : 4U)) {
      next += 2 * (1 + random() % 3);
      StreamState* const stream = acquire_stream(next);
      table.insert(stream);
      model[next] = stream;
    } else {
      auto victim = std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
      table.erase(victim->first);
      recycle_stream(victim->second);
      model.erase(victim);
    }
    ASSERT_EQ(table.size(), model.size());
    const std::uint32_t probe = 1 + 2 * (random() % next);
    const auto found = model.find(probe);
    ASSERT_EQ(table.find(probe), found == model.end() ? nullptr : found->second);
  }
  const auto ids = table.ids();
  ASSERT_EQ(ids.size(), model.size());
  std::size_t i = 0;
  for (const auto& [id, stream] : model) {
    EXPECT_EQ(ids[i++], id);
    EXPECT_EQ(table.find(id), stream);
    table.erase(id);
    recycle_stream(stream);
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.find(1), nullptr);
}

TEST(StreamPool, GivesCleanStreams) {
  StreamState* stream = acquire_stream(1);
  stream->user = stream;
  stream->pending.append("left over");
  stream->send_window = -5;
  recycle_stream(stream);
  stream = acquire_stream(3);
  EXPECT_EQ(stream->id(), 3U);
  EXPECT_EQ(stream->user, nullptr);
  EXPECT_TRUE(stream->pending.empty());
  EXPECT_EQ(stream->send_window, 0);
  recycle_stream(stream);
}

TEST(ResetStreams, RemembersTheLatestAndForgivesTheOld) {
  using Fate = ResetStreams::Fate;
  ResetStreams streams;
  EXPECT_EQ(streams.fate(1), Fate::kEnded);
  streams.add(1, false);
  EXPECT_EQ(streams.fate(1), Fate::kResetByPeer);
  streams.add(1, true);
  EXPECT_EQ(streams.fate(1), Fate::kResetByUs);
  streams.add(3, false);
  for (std::uint32_t id = 5; id < 37; id += 2) streams.add(id, true);
  EXPECT_EQ(streams.fate(3), Fate::kResetByUs);
  EXPECT_EQ(streams.fate(35), Fate::kResetByUs);
  EXPECT_EQ(streams.fate(37), Fate::kEnded);
}

TEST(SendQueue, RemovesFromAnywhere) {
  StreamState streams[4];
  for (std::uint32_t i = 0; i < 4; ++i) streams[i].id_ = i;
  for (std::uint32_t out = 0; out < 4; ++out) {
    SendQueue queue;
    for (StreamState& stream : streams) queue.push(stream);
    queue.push(streams[2]);  // already in
    queue.remove(streams[out]);
    queue.remove(streams[out]);
    for (std::uint32_t i = 0; i < 4; ++i) {
      if (i != out) {
        EXPECT_EQ(queue.pop().id(), i);
      }
    }
    EXPECT_TRUE(queue.empty());
  }
}

}  // namespace
}  // namespace micro::http2
