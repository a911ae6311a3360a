#include "plugin/node/own_answers.h"

#include <algorithm>
#include <vector>

#include "netns/address/sysctl.h"
#include "netns/namespace/enter.h"

namespace plumb {

namespace {

using netns::Sysctl;

constexpr int kStrict = 1;
constexpr int kLoose = 2;

// In its namespace, by one thread.
Result<void> keep_apart_here(const netns::Namespace& ns, const IfName& device) {
  std::vector<netns::SysctlValue> values{{Sysctl::arp_ignore, 1}, {Sysctl::arp_announce, 2}};
  // The larger one of the device's and that of all counts (IN_DEV_RPFILTER, linux/inetdevice.h).
  const auto all = TRY(IfName::parse("all"));
  const int general = TRY(netns::read_sysctl(ns, all, Sysctl::rp_filter));
  const int own = TRY(netns::read_sysctl(ns, device, Sysctl::rp_filter));
  if (std::max(general, own) == kStrict) values.push_back({Sysctl::rp_filter, kLoose});
  return netns::write_sysctls(ns, device, values);
}

}  // namespace

Result<void> keep_answers_apart(const netns::Namespace& ns, const IfName& device) {
  return netns::run_in(ns, [&] { return keep_apart_here(ns, device); });
}

}  // namespace plumb
