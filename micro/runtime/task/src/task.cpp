#include <micro/task/task.hpp>

namespace micro {

Detached spawn(Task<void> task) { co_await std::move(task); }

}  // namespace micro
