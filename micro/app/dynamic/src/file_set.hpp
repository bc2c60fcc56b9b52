#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <micro/error/error.hpp>

namespace micro::dynamic {

// Serialised FileDescriptorProtos on their way in, and what is still missing.
class FileSet {
 public:
  // Files that are there already are passed over.
  // Errors: FAILED_PRECONDITION, reason BAD_SCHEMA, for bytes that are no descriptor, and for more files than any service needs.
  Result<void> add(std::vector<std::string> files);
  bool defines(const std::string& service) const { return services_.contains(service); }

  // Imports nobody brought yet.
  const std::set<std::string>& missing() const noexcept { return missing_; }
  // Stops looking for an import. Some servers leave out protobuf's own files, which every program has: those are taken from here.
  void give_up(const std::string& import);

  const std::vector<std::string>& files() const noexcept { return files_; }

 private:
  std::vector<std::string> files_;
  std::set<std::string> names_;
  std::set<std::string> given_up_;
  std::set<std::string> missing_;
  std::set<std::string> services_;
};

}  // namespace micro::dynamic
