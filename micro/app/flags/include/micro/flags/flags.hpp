#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/duration/chrono.hpp>
#include <micro/error/error.hpp>

namespace micro {

// Command-line flags with environment variables behind them: `--registry_address DIR` goes before MICRO_REGISTRY_ADDRESS, which
// goes before the value the variable had. Underscore and hyphen in flag names mean the same.
//
//   Flags flags("greeter", "Says hello.", "1.0.0");
//   flags.add("address", options.address, "where to listen, for example :8080");
//   auto parsed = flags.parse(argc, argv);
//
// Every flag has an environment variable: the prefix, an underscore and its name in upper case. Variables added must outlive
// parse().
class Flags {
 public:
  Flags(std::string program, std::string description, std::string version, std::string env_prefix = "MICRO");
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;
  Flags(Flags&&) noexcept;
  ~Flags();

  void add(std::string name, std::string& value, std::string help);
  void add(std::string name, bool& value, std::string help);
  void add(std::string name, std::size_t& value, std::string help);
  void add(std::string name, Duration& value, std::string help);
  // A number of bytes, with or without a unit: "4MiB", "1.5MB", "4096".
  void add_size(std::string name, std::size_t& value, std::string help);
  // "k=v", may be given several times.
  void add(std::string name, std::vector<std::string>& values, std::string help);
  // An argument without a name, in the order they were added.
  void add_argument(std::string name, std::string& value, std::string help, bool required);
  // The arguments that are left, any number of them; the last one to add.
  void add_arguments(std::string name, std::vector<std::string>& values, std::string help);

  // A sub-command with flags of its own; valid as long as this object.
  Flags& command(std::string name, std::string help);

  struct Parsed {
    // Set when the program is to print this and end well: --help, --version.
    std::string text;
    // The sub-command chosen, empty when there is none.
    std::string command;
  };
  // Fails with INVALID_ARGUMENT; the message names the flag, its value, what is wrong with it and where help is to be had.
  Result<Parsed> parse(int argc, const char* const* argv);
  std::string help() const;

 private:
  struct Impl;
  explicit Flags(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace micro
