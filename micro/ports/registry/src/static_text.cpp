#include "static_text.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <micro/registry/records.hpp>
#include <micro/registry/static.hpp>
#include <micro/uri/uri.hpp>

#include "record_json.hpp"

namespace micro::registry {
namespace {

constexpr std::string_view kDirect = "direct:///";

// Where a piece of a text begins, for messages.
class Text {
 public:
  explicit Text(std::string_view text) : text_(text) {}

  Error wrong(std::string_view piece, const std::string& why) const {
    const auto position = static_cast<std::size_t>(piece.data() - text_.data());
    return invalid_argument("static registry \"" + std::string(text_) + "\": at position " + std::to_string(position) + ": " +
                            why +
                            "; write for example \"greeter=10.0.0.7:8080,10.0.0.8:8080;users=10.0.0.9:9090\", or \"file:\" and "
                            "the path of a file of records");
  }

 private:
  const std::string_view text_;
};

// The next piece of `rest` up to `separator`, both of which it loses.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Result<Node> parse_node(const Text& text, const Service& service, std::string_view piece) {
  if (piece.empty()) return fail(text.wrong(piece, "an address of service \"" + service.name + "\" is missing"));
  const auto address = Address::parse(piece);
  if (!address) return fail(text.wrong(piece, address.error().message()));
  if (!address->is_unix() && (address->port == 0 || address->host.empty())) {
    return fail(text.wrong(piece, "\"" + std::string(piece) + "\" cannot be called: it needs a host and a port that is not 0"));
  }
  Node node{.id = service.name + "-" + address->to_string(), .address = address->to_string()};
  const auto same = [&](const Node& other) { return other.id == node.id; };
  if (std::ranges::any_of(service.nodes, same)) {
    return fail(text.wrong(piece, "service \"" + service.name + "\" has " + node.address + " twice"));
  }
  return node;
}

Result<Service> parse_service(const Text& text, std::string_view piece) {
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos) {
    return fail(text.wrong(piece, "\"" + std::string(piece) + "\" has no '=' between a service and its addresses"));
  }
  const std::string_view name = trimmed(piece.substr(0, equals));
  if (name.empty()) return fail(text.wrong(piece, "the name of the service is missing before '='"));
  Service service{.name = std::string(name), .version = "latest"};
  std::string_view rest = trimmed(piece.substr(equals + 1));
  if (rest.starts_with(kDirect)) rest.remove_prefix(kDirect.size());
  bool more = true;
  while (more) {
    more = rest.contains(',');
    auto node = parse_node(text, service, trimmed(cut(rest, ',')));
    if (!node) return fail(std::move(node.error()));
    service.nodes.push_back(std::move(*node));
  }
  return service;
}

}  // namespace

Result<std::vector<Service>> Static::parse(std::string_view whole) {
  const Text text(whole);
  std::vector<Service> services;
  for (std::string_view rest = whole; !rest.empty();) {
    const std::string_view piece = trimmed(cut(rest, ';'));
    if (piece.empty()) continue;  // a last ';', or two in a row
    auto service = parse_service(text, piece);
    if (!service) return fail(std::move(service.error()));
    const auto same = [&](const Service& other) { return other.name == service->name; };
    if (std::ranges::any_of(services, same)) {
      return fail(text.wrong(piece, "service \"" + service->name + "\" is there twice; put all its addresses into one list"));
    }
    services.push_back(std::move(*service));
  }
  if (services.empty()) return fail(text.wrong(whole, "no service is named"));
  return services;
}

Result<std::vector<Service>> single_nodes(const std::vector<Service>& services) {
  std::vector<Service> records;
  std::set<std::pair<std::string, std::string>> known;
  for (const Service& service : services) {
    if (auto checked = check_registrable(service); !checked) return fail(std::move(checked.error()));
    for (const Node& node : service.nodes) {
      if (!known.emplace(service.name, node.id).second) {
        return fail(invalid_argument("node \"" + node.id + "\" of service \"" + service.name + "\" is there twice"));
      }
      records.push_back(single_node(service, node));
    }
  }
  return records;
}

Result<std::vector<Service>> records_from_file(const std::string& content) {
  auto value = micro::registry::parse(content, "it");
  if (!value) return fail(std::move(value.error()));
  if (value->is_object()) *value = nlohmann::json::array({std::move(*value)});
  if (!value->is_array())
    return fail(invalid_argument("expected a JSON array of records, found " + std::string(value->type_name())));
  std::vector<Service> services;
  for (const nlohmann::json& element : *value) {
    auto service = from_value(element);
    if (!service) return fail(std::move(service.error()).with_context("record " + std::to_string(services.size() + 1)));
    services.push_back(std::move(*service));
  }
  return single_nodes(services);
}

}  // namespace micro::registry
