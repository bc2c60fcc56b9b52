#include "record_json.hpp"

#include <string>

namespace micro::registry {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Deeper schemas are cut by those who make them; this bounds what a stranger's record can make us recurse.
constexpr int kMaxSchemaDepth = 32;

OrderedJson properties_value(const Properties& properties) {
  OrderedJson value = OrderedJson::object();
  for (const auto& [key, text] : properties) value[key] = text;
  return value;
}

// go-micro writes nil slices and pointers as null.
OrderedJson schema_value(const codec::Schema& schema) {
  OrderedJson values = nullptr;
  for (const codec::Schema& field : schema.values) values.push_back(schema_value(field));
  return {{"name", schema.name}, {"type", schema.type}, {"values", std::move(values)}};
}

OrderedJson optional_schema_value(const codec::Schema& schema) {
  return schema == codec::Schema{} ? OrderedJson(nullptr) : schema_value(schema);
}

// Reads members of one JSON object and remembers the first thing that is wrong.
class Reader {
 public:
  const Json* object(const Json& value, const std::string& path) { return expect(value.is_object(), value, path, "an object"); }

  const Json* member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  void text(const Json& object, const std::string& path, const char* name, std::string& out) {
    const Json* value = member(object, name);
    if (value != nullptr && expect(value->is_string(), *value, join(path, name), "a string"))
      out = value->get_ref<const std::string&>();
  }

  void properties(const Json& object, const std::string& path, Properties& out) {
    const Json* value = member(object, "metadata");
    if (value == nullptr || !expect(value->is_object(), *value, join(path, "metadata"), "an object")) return;
    for (const auto& [key, entry] : value->items()) {
      if (!expect(entry.is_string(), entry, join(path, "metadata") + "." + key, "a string")) return;
      out.emplace_back(key, entry.template get_ref<const std::string&>());
    }
  }

  // Calls `each(element, path of the element)` for the elements of an array of objects; null, a nil pointer in Go, is none.
  template <class F>
  void array(const Json& object, const std::string& path, const char* name, F each) {
    const Json* value = member(object, name);
    if (value == nullptr || !expect(value->is_array(), *value, join(path, name), "an array")) return;
    for (std::size_t i = 0; i < value->size() && ok(); ++i) {
      if ((*value)[i].is_null()) continue;
      const std::string element_path = join(path, name) + "[" + std::to_string(i) + "]";
      if (this->object((*value)[i], element_path) != nullptr) each((*value)[i], element_path);
    }
  }

  void schema(const Json& object, const std::string& path, const char* name, codec::Schema& out) {
    const Json* value = member(object, name);
    if (value != nullptr && this->object(*value, join(path, name)) != nullptr) schema(*value, join(path, name), out, 0);
  }

  void fail_at(const std::string& path, const std::string& what) {
    if (error_.empty()) error_ = "registry record: " + path + ": " + what;
  }
  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }

 private:
  static std::string join(const std::string& path, const char* name) { return path.empty() ? name : path + "." + name; }

  const Json* expect(bool right, const Json& value, const std::string& path, const char* wanted) {
    if (right) return &value;
    fail_at(path.empty() ? "the record" : path, std::string("expected ") + wanted + ", found " + value.type_name());
    return nullptr;
  }

  void schema(const Json& value, const std::string& path, codec::Schema& out, int depth) {
    if (depth >= kMaxSchemaDepth) return fail_at(path, "nested deeper than " + std::to_string(kMaxSchemaDepth) + " levels");
    text(value, path, "name", out.name);
    text(value, path, "type", out.type);
    array(value, path, "values", [&](const Json& field, const std::string& field_path) {
      schema(field, field_path, out.values.emplace_back(), depth + 1);
    });
  }

  std::string error_;
};

}  // namespace

OrderedJson to_value(const Service& service) {
  OrderedJson endpoints = OrderedJson::array();
  for (const Endpoint& endpoint : service.endpoints) {
    endpoints.push_back({{"name", endpoint.name},
                         {"request", optional_schema_value(endpoint.request)},
                         {"response", optional_schema_value(endpoint.response)},
                         {"metadata", properties_value(endpoint.metadata)}});
  }
  OrderedJson nodes = OrderedJson::array();
  for (const Node& node : service.nodes) {
    nodes.push_back({{"id", node.id}, {"address", node.address}, {"metadata", properties_value(node.metadata)}});
  }
  return {{"name", service.name},
          {"version", service.version},
          {"metadata", properties_value(service.metadata)},
          {"endpoints", std::move(endpoints)},
          {"nodes", std::move(nodes)}};
}

Result<Service> from_value(const Json& value) {
  Reader reader;
  Service service;
  if (reader.object(value, "") != nullptr) {
    reader.text(value, "", "name", service.name);
    reader.text(value, "", "version", service.version);
    reader.properties(value, "", service.metadata);
    reader.array(value, "", "endpoints", [&](const Json& element, const std::string& path) {
      Endpoint& endpoint = service.endpoints.emplace_back();
      reader.text(element, path, "name", endpoint.name);
      reader.schema(element, path, "request", endpoint.request);
      reader.schema(element, path, "response", endpoint.response);
      reader.properties(element, path, endpoint.metadata);
    });
    reader.array(value, "", "nodes", [&](const Json& element, const std::string& path) {
      Node& node = service.nodes.emplace_back();
      reader.text(element, path, "id", node.id);
      reader.text(element, path, "address", node.address);
      reader.properties(element, path, node.metadata);
    });
    if (reader.ok() && service.name.empty()) reader.fail_at("name", "is missing or empty");
  }
  if (!reader.ok()) return fail(invalid_argument(reader.error()));
  return service;
}

std::string dump(const OrderedJson& value) { return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

Result<Json> parse(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {  // a number that no double holds is another kind than bad grammar
    return fail(invalid_argument(std::string(what) + " is not JSON: " + error.what()));
  }
}

std::string to_json(const Service& service) { return dump(to_value(service)); }

Result<Service> from_json(std::string_view json) {
  auto value = parse(json, "registry record");
  if (!value) return fail(std::move(value.error()));
  return from_value(*value);
}

}  // namespace micro::registry
