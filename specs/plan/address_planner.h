// The part of a start's plan that is about one address: its link, its probe, itself, its route. Internal to specs.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/plan/plan_builder.h"
#include "specs/plan/planned_address.h"

namespace plumb {

class AddressPlanner {
 public:
  // All references outlive this.
  AddressPlanner(const Service& service, const Observed& seen, PlanBuilder& out)
      : service_(service), seen_(seen), out_(out) {}

  // A step that removes a link of an earlier start: until then a probe would hear ourselves.
  void probe_after(std::size_t step) { probe_after_.push_back(step); }

  // A hand-over: instead of a probe, every address waits for this step, after which nobody has it.
  void claim_after(std::size_t step) { request_ = step; }

  // The link of `ip` in `ns` before anything else of it; see plumb().
  void link_early(const IpResource& ip, const ObservedNetns* ns, const std::vector<std::size_t>& base) {
    link(ip, ns, base);
  }

  // The device that the LAN of the ip's addresses is asked, and heard, from.
  [[nodiscard]] Place heard_from(const IpResource& ip) const;

  // Asks the node's network for the address, where that can be done before its link is there.
  void probe_early(const IpResource& ip, const PlannedAddress& address) {
    if (!probed_inside(ip)) probe(ip, address, {});
  }

  // All that brings the addresses of `ip` up in `ns`: the node's, a container's, or, as nullptr, one that is yet to be
  // made. `base`: the steps that its namespace waits for. Returns the last step of each address.
  std::vector<std::size_t> plumb(const IpResource& ip, const std::vector<PlannedAddress>& addresses,
                                 const ObservedNetns* ns, const std::vector<std::size_t>& base);

 private:
  // The probe goes out of the very device that the address goes on, in the container.
  [[nodiscard]] bool probed_inside(const IpResource& ip) const;
  std::optional<std::size_t> vlan(const IpResource& ip);
  std::optional<std::size_t> probe(const IpResource& ip, const PlannedAddress& address,
                                   const std::optional<std::size_t>& link);
  std::optional<std::size_t> link(const IpResource& ip, const ObservedNetns* ns, const std::vector<std::size_t>& base);
  std::optional<std::size_t> address(const IpResource& ip, const PlannedAddress& address, const ObservedNetns* ns,
                                     const std::optional<std::size_t>& link, const std::vector<std::size_t>& base);

  const Service& service_;
  const Observed& seen_;
  PlanBuilder& out_;
  std::vector<std::size_t> probe_after_;
  std::optional<std::size_t> request_;
  std::map<std::string, std::size_t> links_;  // by owner's id and device
  std::map<std::string, std::size_t> vlans_;  // by ip
};

}  // namespace plumb
