#include "schema.hpp"

#include <algorithm>
#include <numeric>
#include <string>

namespace micro::dynamic {
namespace {

constexpr std::size_t kListed = 20;

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

bool is_infrastructure(const codec::DynamicService& service) { return service.name.starts_with("grpc."); }

char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein's distance without regard to case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (folded(a[i]) == folded(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The names of all endpoints, those of grpc itself only when there is nothing else.
std::vector<std::string> known_endpoints(const Schema& schema) {
  std::vector<std::string> names;
  for (const bool infrastructure : {false, true}) {
    if (!names.empty()) break;
    for (const codec::DynamicService* service : schema.services) {
      if (is_infrastructure(*service) != infrastructure) continue;
      for (const codec::DynamicMethod& method : service->methods) names.push_back(short_name(service->name, method.name));
    }
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kListed; ++i) out.append(i == 0 ? "" : ", ").append(names[i]);
  if (names.size() > kListed) out += ", ...";
  return out;
}

// The name nearest to what was asked for, when it is near; a part alone ("Helo") is compared with the same part of the others.
std::string nearest(std::string_view endpoint, const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 100;
  std::string wanted(endpoint);
  std::ranges::replace(wanted, '/', '.');
  const std::size_t dots = static_cast<std::size_t>(std::ranges::count(wanted, '.'));
  if (dots > 1) wanted = wanted.substr(wanted.rfind('.', wanted.rfind('.') - 1) + 1);
  std::string best;
  if (wanted.size() > kLongest) return best;
  // By the length of the method's name: that of the service is the same for most and says nothing.
  std::size_t closest = last_part(wanted).size() / 3 + 2;
  for (const std::string& name : names) {
    const std::string_view compared = dots == 0 ? last_part(name) : std::string_view(name);
    if (compared.size() > kLongest) continue;
    const std::size_t far = distance(wanted, compared);
    if (far < closest) {
      closest = far;
      best = name;
    }
  }
  return best;
}

Error no_endpoint(const Schema& schema, std::string_view service, std::string_view endpoint) {
  const std::vector<std::string> known = known_endpoints(schema);
  std::string text = "service \"" + std::string(service) + "\" has no endpoint \"" + std::string(endpoint) + "\"";
  if (const std::string near = nearest(endpoint, known); !near.empty()) text += "; did you mean \"" + near + "\"?";
  text += known.empty() ? "; it has none" : "; it has " + joined(known);
  return not_found(std::move(text)).with_reason("NO_ENDPOINT");
}

}  // namespace

rpc::MethodKind kind_of(const codec::DynamicMethod& method) noexcept {
  if (method.client_streaming) return method.server_streaming ? rpc::MethodKind::kBidiStream : rpc::MethodKind::kClientStream;
  return method.server_streaming ? rpc::MethodKind::kServerStream : rpc::MethodKind::kUnary;
}

std::string short_name(std::string_view service, std::string_view method) {
  return std::string(last_part(service)).append(".").append(method);
}

Result<Method> find_method(const Schema& schema, std::string_view service, std::string_view endpoint) {
  std::string_view wanted = endpoint;
  if (wanted.starts_with('/')) wanted.remove_prefix(1);
  std::size_t cut = wanted.find('/');
  if (cut == std::string_view::npos) cut = wanted.rfind('.');
  const std::string_view owner = cut == std::string_view::npos ? std::string_view() : wanted.substr(0, cut);
  const std::string_view name = cut == std::string_view::npos ? wanted : wanted.substr(cut + 1);

  const bool is_full = std::ranges::any_of(schema.services, [&](const auto* s) { return s->name == owner; });
  std::vector<Method> matches;
  for (const codec::DynamicService* candidate : schema.services) {
    const bool may_be = owner.empty() || candidate->name == owner || (!is_full && last_part(candidate->name) == owner);
    const codec::DynamicMethod* method = may_be ? candidate->find(name) : nullptr;
    if (method != nullptr) matches.push_back({candidate, method});
  }
  if (owner.empty() && matches.size() > 1) {
    std::vector<Method> users;
    std::ranges::copy_if(matches, std::back_inserter(users), [](const Method& m) { return !is_infrastructure(*m.service); });
    if (!users.empty()) matches = std::move(users);
  }
  if (matches.empty()) return fail(no_endpoint(schema, service, endpoint));
  if (matches.size() == 1) return matches.front();
  std::vector<std::string> names;
  for (const Method& match : matches) names.push_back(match.service->name + "/" + match.method->name);
  return fail(invalid_argument("endpoint \"" + std::string(endpoint) + "\" of service \"" + std::string(service) +
                               "\" is ambiguous; name one of " + joined(names)));
}

}  // namespace micro::dynamic
