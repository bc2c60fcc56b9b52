#pragma once

#include <memory>

#include <micro/loop/loop.hpp>
#include <micro/registry/registry.hpp>

#include "local_store.hpp"

namespace micro::registry {

// Watches the directory of `store` on `loop`: inotify for what happens, a look at the file for what it means, and the difference
// to what was known for the event. Everything is done inside next(), so a watcher nobody reads costs nothing but the kernel's
// queue; when that overflows the directory is read anew.
Result<std::unique_ptr<Watcher>> make_local_watcher(Loop& loop, std::shared_ptr<LocalStore> store, const std::string& service);

}  // namespace micro::registry
