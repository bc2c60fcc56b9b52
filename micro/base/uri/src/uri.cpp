#include <micro/uri/uri.hpp>

#include <algorithm>

#include "grammar.hpp"

namespace micro {
namespace {

using namespace uri;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

// Walks over one text; what it returns are views into it, so that errors can tell positions.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Result<Uri> run() {
    Uri out;
    if (auto done = scheme(out); !done) return fail(std::move(done).error());
    if (rest_.starts_with("//")) {
      rest_.remove_prefix(2);
      out.has_authority = true;
      if (auto done = authority(take("/?#"), out); !done) return fail(std::move(done).error());
    }
    const std::string_view path = take("?#");
    if (auto ok = check(path, "path", kPath); !ok) return fail(std::move(ok).error());
    out.path = path;
    if (rest_.starts_with('?')) {
      rest_.remove_prefix(1);
      const std::string_view query = take("#");
      if (auto ok = check(query, "query", kQuery); !ok) return fail(std::move(ok).error());
      out.query = query;
    }
    if (rest_.starts_with('#')) {
      rest_.remove_prefix(1);
      if (auto ok = check(rest_, "fragment", kQuery); !ok) return fail(std::move(ok).error());
      out.fragment = decode(rest_);
    }
    return out;
  }

 private:
  std::unexpected<Error> bad(std::string_view at, const std::string& why) const {
    std::string message = "cannot parse URI \"";
    message.append(text_).append("\": ").append(why).append(" at position ");
    return fail(invalid_argument(message.append(std::to_string(at.data() - text_.data()))));
  }

  // Everything before the first of `stops` off the front.
  std::string_view take(std::string_view stops) {
    const std::string_view taken = rest_.substr(0, rest_.find_first_of(stops));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  Result<void> check(std::string_view part, std::string_view name, unsigned set) const {
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (is_in(part[i], set)) continue;
      if (is_escape(part, i)) {
        i += 2;
        continue;
      }
      const std::string_view at = part.substr(i);
      const std::string in = " in the " + std::string(name);
      if (part[i] == '%') return bad(at, "'%' without two hex digits" + in);
      return bad(at, describe(part[i]) + in + " must be percent-encoded");
    }
    return {};
  }

  // A colon before any slash can only end a scheme: the first segment of a relative path must not hold one (section 4.2).
  Result<void> scheme(Uri& out) {
    const std::string_view head = rest_.substr(0, rest_.find_first_of(":/?#"));
    if (head.size() == rest_.size() || rest_[head.size()] != ':') return {};
    if (head.empty()) return bad(head, "the scheme before ':' is missing");
    for (std::size_t i = 0; i < head.size(); ++i) {
      const bool allowed =
          is_in(head[i], kAlpha) || (i > 0 && (is_in(head[i], kDigit) || std::string_view("+-.").contains(head[i])));
      if (!allowed) return bad(head.substr(i), "a scheme cannot hold " + describe(head[i]));
    }
    out.scheme = lower(head);
    rest_.remove_prefix(head.size() + 1);
    return {};
  }

  Result<void> authority(std::string_view part, Uri& out) const {
    if (const std::size_t at = part.find('@'); at != part.npos) {
      const std::string_view userinfo = part.substr(0, at);
      if (auto ok = check(userinfo, "user information", kUserinfo); !ok) return ok;
      out.userinfo = decode(userinfo);
      part.remove_prefix(at + 1);
    }
    std::string_view host;
    if (part.starts_with('[')) {
      const std::size_t end = part.find(']');
      if (end == part.npos) return bad(part, "'[' without ']'");
      host = part.substr(1, end - 1);
      if (!is_ipv6(host)) return bad(host, "no IPv6 address between the brackets");
      part.remove_prefix(end + 1);
      if (!part.empty() && part.front() != ':') return bad(part, "expected ':' or the end of the host after ']'");
    } else {
      host = part.substr(0, part.find(':'));
      if (auto ok = check(host, "host", kRegName); !ok) return ok;
      part.remove_prefix(host.size());
    }
    out.host = decode(host);
    if (std::ranges::any_of(out.host, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; })) {
      return bad(host, "a control character in the host");
    }
    if (part.size() <= 1) return {};  // "host:" has the default port (section 3.2.3)
    out.port = parse_port(part.substr(1));
    if (!out.port) return bad(part.substr(1), "the port is not a number from 0 to 65535");
    return {};
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Result<Uri> Uri::parse(std::string_view text) { return Parser(text).run(); }

std::string Uri::to_string() const {
  std::string out;
  if (!scheme.empty()) out.append(scheme).append(":");
  if (has_authority) {
    out.append("//");
    if (!userinfo.empty()) out.append(encode(userinfo, kUserinfo)).append("@");
    if (is_ipv6(host)) {
      out.append("[").append(host).append("]");
    } else {
      out.append(encode(host, kRegName));
    }
    if (port) out.append(":").append(std::to_string(*port));
  }
  out.append(path);
  if (!query.empty()) out.append("?").append(query);
  if (!fragment.empty()) out.append("#").append(encode(fragment, kQuery));
  return out;
}

}  // namespace micro
