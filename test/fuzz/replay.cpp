// Runs targets on files, without libFuzzer:  fuzz_replay <target> <file or directory>...
// Every file is run whole, and the process ends at the first one that breaks a promise; the last name printed is to blame.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

#define MICRO_FUZZ_DECLARE(name) MICRO_FUZZ_TARGET(name);
#include "fuzz_targets.inc"

namespace {

namespace fs = std::filesystem;

struct Target {
  std::string_view name;
  void (*run)(std::string_view input);
};

#undef MICRO_FUZZ_DECLARE
#define MICRO_FUZZ_DECLARE(name) {#name, fuzz_##name},
constexpr Target kTargets[] = {
#include "fuzz_targets.inc"
};

bool replay(const Target& target, const fs::path& path, std::size_t& count) {
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (!replay(target, entry.path(), count)) return false;
    }
    return true;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "fuzz_replay: cannot read %s\n", path.c_str());
    return false;
  }
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  target.run(micro::fuzz::Copy(bytes).view());
  ++count;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  for (const Target& target : kTargets) {
    if (arguments.empty() || target.name != arguments.front()) continue;
    std::size_t count = 0;
    target.run({});
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      if (!replay(target, arguments[i], count)) return 2;
    }
    std::printf("%zu inputs\n", count);
    return count == 0 ? 2 : 0;
  }
  std::fputs("usage: fuzz_replay <target> <file or directory>...\n  targets:", stderr);
  for (const Target& target : kTargets) std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
  std::fputs("\n", stderr);
  return 2;
}
