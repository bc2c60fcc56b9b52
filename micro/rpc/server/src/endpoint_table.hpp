#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <micro/call/endpoint.hpp>
#include <micro/transcoding/router.hpp>

namespace micro::rpc {

// Finds a method by its path, or by one of its HTTP bindings. Filled once, then only read.
class EndpointTable {
 public:
  Result<void> add(std::shared_ptr<Handler> handler);
  // Fixes the table: endpoints get their final addresses.
  void build();
  const Endpoint* find(std::string_view path) const noexcept;
  // The same for a caller that mostly asks for the path it asked for last.
  struct Hint {
    std::string_view path;
    const Endpoint* endpoint = nullptr;
  };
  const Endpoint* find(std::string_view path, Hint& hint) const noexcept;
  // By the name that go-micro gives a method, "Greeter.Hello", which leaves the package out. nullptr when there is none, and when
  // several packages have it: nobody can tell which is meant.
  const Endpoint* find_name(std::string_view name) const noexcept;
  // For gRPC as go-micro speaks it: "/any.pkg.Greeter/Hello" is Greeter.Hello, whatever is before. Not when the package has a
  // version ("v1", "v2beta1") that the method's has not: then another method is meant.
  const Endpoint* find_any_package(std::string_view path) const noexcept;
  // The HTTP bindings; a binding's target is the index of its endpoint.
  const transcoding::Router& bindings() const noexcept { return bindings_; }
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
  // What to say when find() found nothing: which part is unknown, and what there is.
  Error unknown(std::string_view path) const;
  // The same about a name, in go-micro's words.
  Error unknown_name(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::shared_ptr<Handler>> handlers_;
  std::vector<Endpoint> endpoints_;
  transcoding::Router bindings_;
  std::unordered_map<std::string, const Endpoint*, Hash, std::equal_to<>> by_path_;
  std::unordered_map<std::string, const Endpoint*, Hash, std::equal_to<>> by_name_;  // null: of several packages
};

}  // namespace micro::rpc
