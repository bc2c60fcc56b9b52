#include "protoc.hpp"

#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace micro::generator_test {

Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::array<char, 4096> chunk;
  while (const std::size_t size = fread(chunk.data(), 1, chunk.size(), pipe)) outcome.output.append(chunk.data(), size);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

Outcome generate(const std::vector<std::filesystem::path>& search, const std::vector<std::string>& protos,
                 const std::filesystem::path& out, const std::string& parameter) {
  std::filesystem::create_directories(out);
  std::string command = "'" MICRO_PROTOC "' '--plugin=protoc-gen-micro=" MICRO_PLUGIN "'";
  command += " '--micro_out=" + (parameter.empty() ? "" : parameter + ":") + out.string() + "'";
  for (const auto& directory : search) command += " '--proto_path=" + directory.string() + "'";
  for (const auto& proto : protos) command += " '" + proto + "'";
  return run(command);
}

ScratchDirectory::ScratchDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "micro-generator-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace micro::generator_test
