#include "plugin/node/own_answers.h"

#include <algorithm>
#include <array>
#include <vector>

#include "netns/address/sysctl.h"

namespace plumb {

namespace {

using netns::Sysctl;

constexpr int kStrict = 1;
constexpr int kLoose = 2;

}  // namespace

Result<void> keep_answers_apart(const netns::Namespace& ns, const IfName& device) {
  std::vector<netns::SysctlValue> values{{Sysctl::arp_ignore, 1}, {Sysctl::arp_announce, 2}};
  // The larger one of the device's and that of all counts (IN_DEV_RPFILTER, linux/inetdevice.h).
  const auto all = TRY(IfName::parse("all"));
  const int filter = std::max(TRY(netns::read_sysctl(ns, all, Sysctl::rp_filter)),
                              TRY(netns::read_sysctl(ns, device, Sysctl::rp_filter)));
  if (filter == kStrict) values.push_back({Sysctl::rp_filter, kLoose});
  return netns::write_sysctls(ns, device, values);
}

}  // namespace plumb
