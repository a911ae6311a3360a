#include "specs/value/host_name.h"

#include <algorithm>

#include "specs/value/text.h"

namespace plumb {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <typename Test>
bool all(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

}  // namespace

bool is_host_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         all(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

Result<HostName> HostName::parse(std::string_view text) {
  const auto labels = split_at(text.ends_with('.') ? text.substr(0, text.size() - 1) : text, '.');
  const bool shape = text.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_host_label);
  if (shape && !all(labels.back(), is_digit)) return HostName(std::string(text));
  const bool numeric = all(text, [](char c) { return is_digit(c) || c == '.'; });
  if (numeric || text.find(':') != std::string_view::npos)
    return Err{ErrorKind::spec, in_quotes(text) + " is not an IP address"};
  return Err{ErrorKind::spec, in_quotes(text) + " is neither an IP address nor a host name"};
}

}  // namespace plumb
