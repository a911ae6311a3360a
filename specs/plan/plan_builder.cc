#include "specs/plan/plan_builder.h"

#include "specs/plan/parent_link.h"
#include "specs/plan/planned_address.h"
#include "specs/service/uplink.h"

namespace plumb {

Place place_of(const Service& service, const IpResource& ip) {
  switch (ip.type) {
    case IpType::netns: return {ip.netns, planned_device(service, ip)};
    case IpType::encap: return {ip.netns, uplink(ip)};
    case IpType::host: break;
  }
  return {{}, uplink(ip)};
}

std::size_t PlanBuilder::add(Step step) {
  plan_.steps.push_back(std::move(step));
  return plan_.steps.size() - 1;
}

}  // namespace plumb
