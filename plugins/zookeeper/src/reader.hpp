#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <micro/registry/registry.hpp>

#include "paths.hpp"
#include "session.hpp"

namespace micro::zookeeper {

// Reads records. Lives on the registry's loop.
class Reader {
 public:
  Reader(Session& session, Paths paths) : session_(session), paths_(std::move(paths)) {}

  // All records of `service`, of all services when it is empty, one a node.
  Task<Result<std::vector<registry::Service>>> read(Context& context, std::string service);
  // The record at `path`; nullopt when it is none, or of another service than `service` (empty: of any). What cannot be read is
  // counted, and told once to the log.
  std::optional<registry::Service> decode(const std::string& path, std::string_view service, const Result<Answer>& answer);
  const Paths& paths() const noexcept { return paths_; }

 private:
  void skip(const std::string& path, const Error& why);

  Session& session_;
  const Paths paths_;
  std::set<std::string> told_;
};

}  // namespace micro::zookeeper
