#include <micro/flags/flags.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include <micro/duration/duration.hpp>

namespace micro {
namespace {

std::string with_hyphens(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

// "--registry_address,--registry-address": both spellings, the underscore first because go-micro's users write it so.
std::string spellings(const std::string& name) {
  const std::string hyphens = with_hyphens(name);
  return "--" + name + (hyphens == name ? "" : ",--" + hyphens);
}

std::string env_name(const std::string& prefix, const std::string& name) {
  std::string upper = prefix + "_" + name;
  for (char& c : upper) c = c == '-' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  return upper;
}

// Levenshtein's distance: how many letters to change, add or drop.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

// What was meant by an unknown argument: the flag or command nearest to it, if any is near.
std::string suggestion(const CLI::App& app, const std::string& unknown) {
  const std::string wanted = unknown.substr(0, unknown.find('='));
  std::string best;
  std::size_t best_distance = 3;
  const auto consider = [&](const std::string& name) {
    const std::size_t d = distance(wanted, name);
    if (d < best_distance) best_distance = d, best = name;
  };
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) consider("--" + name);
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) consider(command->get_name());
  return best.empty() ? "" : " (did you mean " + best + "?)";
}

// A program and its commands may have one flag for one variable. Where it was given counts then, and the environment does not:
// CLI11 would read it for each of them that was not given the flag, over the value of the one that was.
void ignore_environment_of_given(CLI::App& app, std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (!argument.starts_with("--")) continue;
    const std::string name(argument.substr(0, argument.find('=')));
    const auto ignore = [&name](CLI::App& each) {
      if (CLI::Option* const option = each.get_option_no_throw(name)) option->envname("");
    };
    ignore(app);
    for (CLI::App* const command : app.get_subcommands([](CLI::App*) { return true; })) ignore(*command);
  }
}

}  // namespace

struct Flags::Impl {
  std::string prefix;
  std::unique_ptr<CLI::App> root;  // of the top object alone
  CLI::App* app = nullptr;
  std::vector<std::unique_ptr<Flags>> commands;

  CLI::Option* finish(CLI::Option* option, const std::string& name) { return option->envname(env_name(prefix, name)); }
};

Flags::Flags(std::string program, std::string description, std::string version, std::string env_prefix)
    : impl_(std::make_unique<Impl>()) {
  impl_->prefix = std::move(env_prefix);
  impl_->root = std::make_unique<CLI::App>(std::move(description), program);
  impl_->app = impl_->root.get();
  impl_->app->set_help_flag("--help,-h", "Print this help and exit");
  impl_->app->set_version_flag("--version", program + " " + version, "Print the version and exit");
  impl_->app->get_formatter()->column_width(34);
}

Flags::Flags(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Flags::Flags(Flags&&) noexcept = default;
Flags::~Flags() = default;

void Flags::add(std::string name, std::string& value, std::string help) {
  impl_->finish(impl_->app->add_option(spellings(name), value, std::move(help)), name)->type_name("TEXT")->capture_default_str();
}

void Flags::add(std::string name, bool& value, std::string help) {
  impl_->finish(impl_->app->add_flag(spellings(name), value, std::move(help)), name);
}

void Flags::add(std::string name, std::size_t& value, std::string help) {
  impl_->finish(impl_->app->add_option(spellings(name), value, std::move(help)), name)
      ->type_name("NUMBER")
      ->capture_default_str();
}

void Flags::add(std::string name, Duration& value, std::string help) {
  const auto take = [&value, flag = "--" + name](const std::string& text) {
    const Result<Duration> parsed = parse_duration(text);
    if (!parsed) throw CLI::ValidationError(flag, parsed.error().message());
    value = *parsed;
  };
  CLI::Option* option = impl_->app->add_option_function<std::string>(spellings(name), take, std::move(help));
  impl_->finish(option, name)->type_name("DURATION")->default_str(format_duration(value));
}

void Flags::add_size(std::string name, std::size_t& value, std::string help) {
  const auto take = [&value, flag = "--" + name](const std::string& text) {
    const Result<std::uint64_t> parsed = parse_size(text);
    if (!parsed) throw CLI::ValidationError(flag, parsed.error().message());
    value = *parsed;
  };
  CLI::Option* option = impl_->app->add_option_function<std::string>(spellings(name), take, std::move(help));
  impl_->finish(option, name)->type_name("SIZE")->default_str(format_size(value));
}

void Flags::add(std::string name, std::vector<std::string>& values, std::string help) {
  impl_->finish(impl_->app->add_option(spellings(name), values, std::move(help)), name)
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void Flags::add_argument(std::string name, std::string& value, std::string help, bool required) {
  impl_->app->add_option(std::move(name), value, std::move(help))->type_name("")->required(required);
}

void Flags::add_arguments(std::string name, std::vector<std::string>& values, std::string help) {
  impl_->app->add_option(std::move(name), values, std::move(help))->type_name("");
}

Flags& Flags::command(std::string name, std::string help) {
  auto child = std::make_unique<Impl>();
  child->prefix = impl_->prefix;
  child->app = impl_->app->add_subcommand(std::move(name), std::move(help));
  impl_->commands.push_back(std::unique_ptr<Flags>(new Flags(std::move(child))));
  return *impl_->commands.back();
}

Result<Flags::Parsed> Flags::parse(int argc, const char* const* argv) {
  Parsed parsed;
  CLI::App& app = *impl_->app;
  const auto help_is_at = [&app] {
    const auto chosen = app.get_subcommands();
    return "; see " + app.get_name() + (chosen.empty() ? "" : " " + chosen.front()->get_name()) + " --help";
  };
  ignore_environment_of_given(app, std::span(argv, static_cast<std::size_t>(argc)));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    // The help of the sub-command that was asked for it.
    const auto chosen = app.get_subcommands();
    parsed.text = chosen.empty() ? app.help() : chosen.front()->help(app.get_name());
    return parsed;
  } catch (const CLI::CallForVersion& version) {
    parsed.text = std::string(version.what()) + "\n";
    return parsed;
  } catch (const CLI::ExtrasError&) {
    const auto chosen = app.get_subcommands();
    const CLI::App& used = chosen.empty() ? app : *chosen.front();
    const std::vector<std::string> unknown = app.remaining(true);
    const std::string first = unknown.empty() ? std::string() : unknown.front();
    return fail(invalid_argument("unknown argument " + first + suggestion(used, first) + help_is_at()));
  } catch (const CLI::ParseError& error) {
    return fail(invalid_argument(std::string(error.what()) + help_is_at()));
  }
  const auto chosen = app.get_subcommands();
  if (!chosen.empty()) parsed.command = chosen.front()->get_name();
  return parsed;
}

std::string Flags::help() const { return impl_->app->help(); }

}  // namespace micro
