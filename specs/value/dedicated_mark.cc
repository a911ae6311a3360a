#include "specs/value/dedicated_mark.h"

#include <sstream>

#include "specs/value/scalar.h"

namespace plumb {

namespace {

constexpr std::string_view kPrefix = "plumb dedicated ";

}  // namespace

std::string DedicatedMark::to_string() const {
  std::string out = std::string(kPrefix) + device;
  if (mac) out += " mac=" + mac->to_string();
  if (mtu != 0) out += " mtu=" + std::to_string(mtu);
  return out + (up ? " up" : "");
}

std::optional<DedicatedMark> DedicatedMark::parse(std::string_view alias) {
  if (!alias.starts_with(kPrefix)) return std::nullopt;
  std::istringstream words(std::string(alias.substr(kPrefix.size())));
  DedicatedMark mark;
  words >> mark.device;
  if (!IfName::parse(mark.device)) return std::nullopt;
  for (std::string word; words >> word;) {
    if (word == "up") mark.up = true;
    if (word.starts_with("mac="))
      if (const auto mac = Mac::parse(std::string_view(word).substr(4))) mark.mac = *mac;
    if (word.starts_with("mtu="))
      if (const auto mtu = parse_integer(std::string_view(word).substr(4), 1, 65535)) mark.mtu = *mtu;
  }
  return mark;
}

}  // namespace plumb
