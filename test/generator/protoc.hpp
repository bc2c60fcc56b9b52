#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Runs the real protoc with the plugin.
namespace micro::generator_test {

struct Outcome {
  int status = 0;
  std::string output;  // standard output and standard error
};

// Runs a command line of the shell.
Outcome run(const std::string& command);

// Generates `protos` into `out`, which is made. `search` are the directories of imports.
Outcome generate(const std::vector<std::filesystem::path>& search, const std::vector<std::string>& protos,
                 const std::filesystem::path& out, const std::string& parameter = "");

// A directory of its own that goes with the object.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Empty when the file is not there.
std::string read_file(const std::filesystem::path& file);

}  // namespace micro::generator_test
