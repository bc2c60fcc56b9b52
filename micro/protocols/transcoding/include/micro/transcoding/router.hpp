#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/codec/message.hpp>
#include <micro/error/error.hpp>
#include <micro/transcoding/binding.hpp>
#include <micro/transcoding/rule.hpp>

namespace micro::transcoding {

// Finds the binding of a request by its method and path: a tree of segments, walked once.
//
// Among templates that match a path, the one with the verb the path ends with wins over those without a verb; then, segment by
// segment from the left, a literal wins over "*", which wins over "**". A template without a binding for the method is passed
// over. Of one template's bindings the exact method wins over "*"; HEAD is answered by GET when it has no binding of its own.
//
// Filled before use, then read by any number of threads.
class Router {
 public:
  Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router();

  // Adds a binding of the method `name` ("library.Shelves/Get", for errors); `target` is what the binding answers with. The types
  // must outlive the router. On failure the router is as before.
  // Errors: those of check(), naming the method; ALREADY_EXISTS naming both methods when another binding matches the same
  // requests; UNIMPLEMENTED for messages that are not protobuf.
  Result<void> add(std::string_view name, const Rule& rule, const codec::MessageType& request, const codec::MessageType& reply,
                   std::size_t target);

  // The binding, or null. `path` is still percent-encoded. Allocates nothing.
  const Binding* find(std::string_view method, std::string_view path) const noexcept;

  // The methods `path` may be requested with, for Allow: "GET, HEAD, POST"; empty when no template matches. "*" stands for all.
  std::string allowed_methods(std::string_view path) const;

  bool empty() const noexcept { return bindings_.empty(); }

 private:
  struct Node;
  struct Walk;

  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<const Binding>> bindings_;
  std::vector<std::string> verbs_;
};

}  // namespace micro::transcoding
