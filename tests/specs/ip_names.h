// The names of an ip, as a test writes them.
#pragma once

#include <initializer_list>
#include <vector>

#include "specs/value/ip_name.h"

namespace plumb::test {

inline IpName ip_name(const char* text) { return IpName::parse(text).value(); }

inline std::vector<IpName> ip_names(std::initializer_list<const char*> texts) {
  std::vector<IpName> out;
  for (const auto* text : texts) out.push_back(ip_name(text));
  return out;
}

}  // namespace plumb::test
