#include <micro/transcoding/router.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <micro/transcoding/template.hpp>

#include "path_parts.hpp"
#include "percent.hpp"

namespace micro::transcoding {
namespace {

struct Route {
  std::string verb;
  const Binding* binding = nullptr;
};

}  // namespace

// One place in the tree of segments.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> any;
  std::vector<Route> routes;       // of templates that end here
  std::vector<Route> rest_routes;  // of those that go on with "**"

  const Node* literal(std::string_view segment) const noexcept {
    if (segment.find('%') == segment.npos) {
      const auto found = literals.find(segment);
      return found == literals.end() ? nullptr : found->second.get();
    }
    for (const auto& [text, node] : literals) {
      if (equals_decoded(segment, text)) return node.get();
    }
    return nullptr;
  }
};

// One walk through the tree. A node is reached by one way only, so that no path costs more than the tree has nodes.
struct Router::Walk {
  std::string_view method;
  std::string_view verb;  // still encoded
  bool with_verb = false;
  std::vector<std::string_view>* methods =
      nullptr;  // where those of all matching templates gather; null: the first match ends it

  const Binding* find(const Node& node, std::string_view path) const {
    if (path.empty()) {
      const Binding* ends = among(node.routes);
      return ends != nullptr ? ends : among(node.rest_routes);
    }
    std::string_view rest = path;
    const std::string_view segment = next_segment(rest);
    if (const Node* next = node.literal(segment)) {
      if (const Binding* found = find(*next, rest)) return found;
    }
    if (node.any != nullptr && !segment.empty()) {
      if (const Binding* found = find(*node.any, rest)) return found;
    }
    return among(node.rest_routes);
  }

  const Binding* among(const std::vector<Route>& routes) const {
    const Binding* get = nullptr;
    const Binding* any = nullptr;
    for (const Route& route : routes) {
      if (with_verb ? !equals_decoded(verb, route.verb) : !route.verb.empty()) continue;
      const std::string_view wanted = route.binding->method();
      if (methods != nullptr) {
        methods->push_back(wanted);
      } else if (wanted == method) {
        return route.binding;
      } else if (wanted == "GET" && method == "HEAD") {
        get = route.binding;
      } else if (wanted == "*") {
        any = route.binding;
      }
    }
    return get != nullptr ? get : any;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Result<void> Router::add(std::string_view name, const Rule& rule, const codec::MessageType& request,
                         const codec::MessageType& reply, std::size_t target) {
  auto binding = Binding::make(name, rule, request, reply, target);
  if (!binding) return fail(std::move(binding).error());
  const Result<Template> parsed = Template::parse(rule.path);
  if (!parsed) return fail(parsed.error());

  Node* node = root_.get();
  bool rest = false;
  for (const Template::Segment& segment : parsed->segments) {
    if (segment.kind == Template::Kind::kRest) {
      rest = true;
      break;
    }
    std::unique_ptr<Node>& next = segment.kind == Template::Kind::kAny ? node->any : node->literals[segment.literal];
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
  }
  std::vector<Route>& routes = rest ? node->rest_routes : node->routes;
  for (const Route& other : routes) {
    if (other.verb != parsed->verb || other.binding->method() != rule.method) continue;
    return fail(already_exists("HTTP binding " + std::string(rule.method) + " " + std::string(rule.path) + " of " +
                               std::string(name) + " matches the same requests as " + other.binding->method() + " " +
                               other.binding->path() + " of " + other.binding->name() + "; change one of the paths"));
  }
  routes.push_back({parsed->verb, binding->get()});
  if (!parsed->verb.empty() && std::ranges::find(verbs_, parsed->verb) == verbs_.end()) verbs_.push_back(parsed->verb);
  bindings_.push_back(*std::move(binding));
  return {};
}

namespace {

// The verb a path ends with, if it is one of `verbs`.
std::string_view verb_of(std::string_view path, const std::vector<std::string>& verbs) noexcept {
  const std::size_t colon = path.rfind(':');
  if (verbs.empty() || colon == path.npos || path.find('/', colon) != path.npos) return {};
  const std::string_view verb = path.substr(colon + 1);
  const bool known = std::ranges::any_of(verbs, [&](const std::string& other) { return equals_decoded(verb, other); });
  return known ? verb : std::string_view{};
}

std::string_view without_verb(std::string_view path, std::string_view verb) noexcept {
  return path.substr(0, path.size() - verb.size() - 1);
}

// "/" has no segments.
std::string_view rooted(std::string_view path) noexcept { return path == "/" ? std::string_view{} : path; }

}  // namespace

const Binding* Router::find(std::string_view method, std::string_view path) const noexcept {
  if (!path.starts_with('/')) return nullptr;
  if (const std::string_view verb = verb_of(path, verbs_); !verb.empty()) {
    if (const Binding* found = Walk{method, verb, true}.find(*root_, without_verb(path, verb))) return found;
  }
  return Walk{method, {}, false}.find(*root_, rooted(path));
}

std::string Router::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> methods;
  if (!path.starts_with('/')) return {};
  if (const std::string_view verb = verb_of(path, verbs_); !verb.empty()) {
    Walk{{}, verb, true, &methods}.find(*root_, without_verb(path, verb));
  }
  Walk{{}, {}, false, &methods}.find(*root_, rooted(path));
  if (std::ranges::find(methods, "GET") != methods.end()) methods.push_back("HEAD");
  std::ranges::sort(methods);
  const auto repeated = std::ranges::unique(methods);
  methods.erase(repeated.begin(), repeated.end());
  std::string list;
  for (const std::string_view method : methods) list.append(list.empty() ? "" : ", ").append(method);
  return list;
}

}  // namespace micro::transcoding
