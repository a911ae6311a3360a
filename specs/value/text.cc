#include "specs/value/text.h"

#include <algorithm>
#include <array>

#include "specs/value/utf8.h"

namespace plumb {

namespace {

constexpr std::size_t kMostQuoted = 80;  // bytes

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, char sign) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const auto to = text.find(sign, from);
    parts.push_back(text.substr(from, to == std::string_view::npos ? to : to - from));
    if (to == std::string_view::npos) return parts;
    from = to + 1;
  }
}

std::string printable(std::string_view text) {
  static constexpr std::array<char, 16> kHex = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (length > 0) {
      out += text.substr(i, length);
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += "\\x";
      out += kHex.at(byte >> 4U);
      out += kHex.at(byte & 0xfU);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::size_t end = std::min(text.size(), kMostQuoted);
  while (end > 0 && end < text.size() && continues_character(text[end])) --end;
  return "\"" + printable(text.substr(0, end)) + (end < text.size() ? "...\"" : "\"");
}

}  // namespace plumb
