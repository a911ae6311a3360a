#include "specs/plan/observed.h"

#include <algorithm>

namespace plumb {

namespace {

template <typename Range, typename Predicate>
auto find_or_null(const Range& range, Predicate predicate) -> const typename Range::value_type* {
  const auto found = std::find_if(range.begin(), range.end(), predicate);
  return found == range.end() ? nullptr : &*found;
}

}  // namespace

const ObservedLink* ObservedNetns::link(std::string_view name) const {
  if (const auto* named = find_or_null(links, [&](const ObservedLink& l) { return l.name == name; })) return named;
  return find_or_null(links, [&](const ObservedLink& l) {
    return std::find(l.altnames.begin(), l.altnames.end(), name) != l.altnames.end();
  });
}

const ObservedLink* ObservedNetns::link(int index) const {
  return find_or_null(links, [&](const ObservedLink& l) { return l.index == index; });
}

const ObservedAddress* ObservedNetns::address(const IpAddress& ip) const {
  return find_or_null(addresses, [&](const ObservedAddress& a) { return a.cidr.address() == ip; });
}

}  // namespace plumb
