#include "docker_client/query.h"

#include <array>

#include "docker_client/json.h"

namespace plumb::docker {

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

Query& Query::add(std::string_view name, std::string_view value) {
  path_ += first_ ? '?' : '&';
  first_ = false;
  path_ += name;
  path_ += '=';
  path_ += percent_encode(value);
  return *this;
}

std::string encode_filters(const std::vector<Filter>& filters) {
  Json json = Json::object();
  for (const Filter& filter : filters) {
    if (!filter.values.empty()) json[std::string(filter.name)] = filter.values;
  }
  return dump(json);
}

}  // namespace plumb::docker
