#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <micro/call/endpoint.hpp>

namespace micro::rpc {

// Finds a method by its path. Filled once, then only read.
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
  const std::vector<Endpoint>& endpoints() const noexcept { return endpoints_; }
  // What to say when find() found nothing: which part is unknown, and what there is.
  Error unknown(std::string_view path) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::vector<std::shared_ptr<Handler>> handlers_;
  std::vector<Endpoint> endpoints_;
  std::unordered_map<std::string, const Endpoint*, Hash, std::equal_to<>> by_path_;
};

}  // namespace micro::rpc
