#include "reader.hpp"

#include <utility>

namespace micro::zookeeper {
namespace {

// More than this is somebody else's data, and need not be remembered.
constexpr std::size_t kMostTold = 1024;

}  // namespace

Task<Result<std::vector<registry::Service>>> Reader::read(Context& context, std::string service) {
  std::vector<registry::Service> records;
  std::vector<std::string> folders;
  if (service.empty()) {
    Request look{.kind = Request::Kind::kChildren, .path = paths_.root()};
    Result<Answer> root = co_await session_.ask(context, std::move(look));
    if (!root && root.error().code() != Code::kNotFound) co_return fail(std::move(root.error()));
    if (root) folders = std::move(root->children);
  } else {
    folders.push_back(paths_.folder(service));
  }
  std::vector<Request> requests;
  for (const std::string& folder : folders) {
    requests.push_back({.kind = Request::Kind::kChildren, .path = paths_.path(folder)});
  }
  const auto listed = co_await session_.ask_all(context, std::move(requests));
  if (!listed) co_return fail(listed.error());
  std::vector<std::string> leaves;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const Result<Answer>& answer = (*listed)[i];
    if (!answer) {
      if (answer.error().code() == Code::kNotFound) continue;
      if (!service.empty()) co_return fail(answer.error());
      skip(paths_.path(folders[i]), answer.error());
      continue;
    }
    for (const std::string& leaf : answer->children) leaves.push_back(paths_.path(folders[i], leaf));
  }
  requests.clear();
  for (const std::string& path : leaves) requests.push_back({.kind = Request::Kind::kGet, .path = path});
  const auto read = co_await session_.ask_all(context, std::move(requests));
  if (!read) co_return fail(read.error());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (auto record = decode(leaves[i], service, (*read)[i])) records.push_back(std::move(*record));
  }
  co_return records;
}

std::optional<registry::Service> Reader::decode(const std::string& path, std::string_view service, const Result<Answer>& answer) {
  if (!answer) {
    if (answer.error().code() != Code::kNotFound) skip(path, answer.error());
    return std::nullopt;
  }
  auto record = paths_.layout().decode(path, answer->data);
  if (!record) {
    skip(path, record.error());
    return std::nullopt;
  }
  if (*record && !service.empty() && (*record)->name != service) return std::nullopt;
  return std::move(*record);
}

void Reader::skip(const std::string& path, const Error& why) {
  ++session_.counters.malformed;
  if (told_.size() >= kMostTold) told_.clear();
  if (told_.insert(path).second) session_.logger().warn("skipped a record in ZooKeeper", {{"error", why.message()}});
}

}  // namespace micro::zookeeper
