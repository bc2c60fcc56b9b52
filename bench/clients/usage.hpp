// What the client programs of this folder have in common: their arguments, and what they print at the end.
#pragma once

#include <getopt.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace bench {

struct Arguments {
  unsigned connections = 1;
  unsigned streams = 1;  // calls outstanding on each connection
  std::uint64_t calls = 10000;
  std::string address;
};

inline Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int option; (option = getopt(argc, argv, "c:m:n:")) != -1;) {
    if (option == 'c') arguments.connections = static_cast<unsigned>(std::atoi(optarg));
    if (option == 'm') arguments.streams = static_cast<unsigned>(std::atoi(optarg));
    if (option == 'n') arguments.calls = static_cast<std::uint64_t>(std::atoll(optarg));
    if (option == '?') std::exit(2);
  }
  if (optind + 1 != argc || arguments.connections == 0 || arguments.streams == 0) {
    std::fprintf(stderr, "usage: %s -c CONNECTIONS -m CALLS_OUTSTANDING -n CALLS IPV4:PORT\n", argv[0]);
    std::exit(2);
  }
  arguments.address = argv[optind];
  return arguments;
}

// Processor time of this process so far: all threads, user and kernel.
inline double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Measures from its construction to report().
class Measurement {
 public:
  void report(std::uint64_t ok) const {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun_;
    std::printf("{\"ok\": %llu, \"seconds\": %.3f, \"cpu_seconds\": %.6f}\n", static_cast<unsigned long long>(ok),
                seconds.count(), processor_seconds() - before_);
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  double before_ = processor_seconds();
};

}  // namespace bench
