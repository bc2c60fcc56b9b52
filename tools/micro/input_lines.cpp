#include "input_lines.hpp"

#include <condition_variable>
#include <deque>
#include <iostream>
#include <mutex>
#include <thread>

#include <micro/coro/event.hpp>
#include <micro/loop/loop.hpp>

namespace micro::tool {

struct InputLines::Shared {
  // Read ahead of the call; more wait in the kernel.
  static constexpr std::size_t kMostLines = 64;

  std::mutex mutex;
  std::condition_variable room;
  Loop* loop = Loop::current();  // null: nobody reads any more
  std::deque<std::string> lines;
  bool ended = false;
  // Of the loop alone.
  Event changed;

  static void read(const std::shared_ptr<Shared>& self) {
    std::string line;
    while (std::getline(std::cin, line)) {
      if (!line.empty() && !put(self, std::move(line))) return;
    }
    put(self, std::nullopt);
  }

  // Whether anybody is left to read it.
  static bool put(const std::shared_ptr<Shared>& self, std::optional<std::string> line) {
    std::unique_lock lock(self->mutex);
    self->room.wait(lock, [&] { return self->lines.size() < kMostLines || self->loop == nullptr; });
    if (self->loop == nullptr) return false;
    if (line) {
      self->lines.push_back(std::move(*line));
    } else {
      self->ended = true;
    }
    self->loop->post_remote([self] { self->changed.set(); });
    return true;
  }
};

InputLines::InputLines() : shared_(std::make_shared<Shared>()) { std::thread(&Shared::read, shared_).detach(); }

InputLines::~InputLines() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->room.notify_all();
}

Task<Result<std::optional<std::string>>> InputLines::next(Context& context) {
  while (true) {
    shared_->changed.reset();
    {
      const std::lock_guard lock(shared_->mutex);
      if (!shared_->lines.empty()) {
        std::optional<std::string> line = std::move(shared_->lines.front());
        shared_->lines.pop_front();
        shared_->room.notify_one();
        co_return line;
      }
      if (shared_->ended) co_return std::nullopt;
    }
    Result<void> woken = co_await shared_->changed.wait(context);
    if (!woken) co_return fail(std::move(woken.error()));
  }
}

}  // namespace micro::tool
