#pragma once

#include <memory>
#include <optional>
#include <string>

#include <micro/dynamic/caller.hpp>

namespace micro::tool {

// The lines of standard input, those that are empty left out. Somebody may type them, so a thread of their own waits for them,
// and next() ends with its context. That thread is left behind when the call ends before the input does. Thread safety: one loop.
// One object a process.
class InputLines final : public JsonSource {
 public:
  InputLines();
  InputLines(const InputLines&) = delete;
  InputLines& operator=(const InputLines&) = delete;
  ~InputLines() override;

  Task<Result<std::optional<std::string>>> next(Context& context) override;

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace micro::tool
