// Query: the path of a request with its query, percent-encoded.
//
// Threads: plain values. Privilege: none. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::docker {

// `text` with everything but RFC 3986 unreserved characters as %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

class Query {
 public:
  explicit Query(std::string path) : path_(std::move(path)) {}
  Query& add(std::string_view name, std::string_view value);
  [[nodiscard]] std::string str() && { return std::move(path_); }

 private:
  std::string path_;
  bool first_ = true;
};

// The `filters` parameter: {"label":["a","b=c"]}. A filter without values is left out.
struct Filter {
  std::string_view name;
  const std::vector<std::string>& values;
};
[[nodiscard]] std::string encode_filters(const std::vector<Filter>& filters);

}  // namespace plumb::docker
