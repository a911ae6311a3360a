#include "specs/service/namespace_checks.h"

#include <algorithm>
#include <set>
#include <vector>

#include "specs/language/spelling.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

class Namespaces {
 public:
  Namespaces(const Draft& draft, Report& report) : draft_(draft), report_(report) {}

  void check() {
    for (const auto& one : draft_.ips)
      if (!one.ip.disable && !one.ip.netns.empty()) check_ip(one);
    for (const auto& one : draft_.containers) {
      if (one.container.disable) continue;
      check_container(one, "netns", one.container.netns, true);
      check_container(one, "pidns", one.container.pidns, true);
      check_container(one, "ipcns", one.container.ipcns, true);
      check_container(one, "userns", one.container.userns, false);
      check_container(one, "utsns", one.container.utsns, false);
      check_shared_network(one);
      check_host_name(one);
    }
  }

 private:
  const ContainerDraft* find(std::string_view id) const {
    const auto found = std::find_if(draft_.containers.begin(), draft_.containers.end(),
                                    [&](const auto& c) { return c.container.id == id; });
    return found == draft_.containers.end() ? nullptr : &*found;
  }

  // What to say of an id that names no container. Ids differ in one digit as a rule, so the nearest one is a poor
  // guess.
  std::string hint_for(std::string_view id, std::string_view asking) const {
    std::vector<std::string> known;
    for (const auto& one : draft_.containers)
      if (one.container.id != asking) known.push_back(one.container.id);
    const bool shaped = id.starts_with("container#");
    if (known.empty())
      return shaped ? "add a section [" + std::string(id) + "]"
                    : "the other containers of the service can be joined; it has none";
    if (!shaped) {
      const auto near = nearest_names(id, known, 1);
      if (!near.empty()) return "did you mean \"" + near.front() + "\"?";
      if (id.find('#') == std::string_view::npos)
        return "write the id of a container section, such as " + known.front();
    }
    std::string all;
    for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
    return "the containers to choose from: " + all;
  }

  // The container that a namespace keyword names, or nullptr with the fault reported.
  const ContainerDraft* target(const std::string& id, const std::string& asking, const std::string& keyword,
                               const Position& where) {
    const auto* owner = find(id);
    if (owner == nullptr) {
      const bool other =
          std::any_of(draft_.ips.begin(), draft_.ips.end(), [&](const auto& ip) { return ip.ip.id == id; });
      report_.error(
          where, keyword + (other ? in_quotes(id) + " is not a container" : "there is no container " + in_quotes(id)),
          hint_for(id, asking));
    } else if (owner->container.disable) {
      report_.error(where, keyword + id + " is disabled on node " + in_quotes(draft_.service.node),
                    "disable this resource too, or enable " + id);
      owner = nullptr;
    } else if (!owner->container.detach) {
      report_.error(where, keyword + id + " has detach = false and ends before others can join it");
      owner = nullptr;
    }
    return owner;
  }

  // Who is on standby runs where nothing else of the service does.
  void check_standby(const Resource& one, const ContainerResource& owner, const Position& where,
                     const std::string& keyword) {
    if (one.standby && !owner.standby)
      report_.error(where, keyword + one.id + " is on standby, but " + owner.id + " is not",
                    "add standby = true to [" + owner.id + "], or remove it from [" + one.id + "]");
  }

  void check_ip(const IpDraft& one) {
    if (one.ip.type == IpType::host) return;
    const auto where = one.place("netns");
    const std::string keyword = "netns in [" + one.ip.id + "]: ";
    const auto* owner = target(one.ip.netns, one.ip.id, keyword, where);
    if (owner == nullptr) return;
    check_standby(one.ip, owner->container, where, keyword);
    const auto& netns = owner->container.netns;
    if (netns == "host")
      report_.error(where, keyword + one.ip.netns + " is in the node's own network namespace",
                    "for an address on the node, use type = host");
    else if (!netns.empty() && netns != "none")
      report_.error(where, keyword + one.ip.netns + " has no network namespace of its own, it joins " + netns,
                    find(netns) != nullptr ? "write netns = " + netns : std::string());
  }

  void check_container(const ContainerDraft& one, const std::string& name, const std::string& value, bool joins) {
    if (value.empty() || value == "host") return;
    if (name == "userns" && value == "private")
      return report_.error(one.place(name),
                           "userns in [" + one.container.id + "]: the engine decides that for all its containers",
                           "write host, or leave it out");
    if (value == (name == "netns" ? "none" : "private")) return;
    if (name == "ipcns" && (value == "shareable" || value == "none")) return;
    const auto where = one.place(name);
    const std::string keyword = name + " in [" + one.container.id + "]: ";
    if (!joins)
      return report_.error(where, keyword + "the Docker Engine cannot share it between containers",
                           name == "userns" ? "write host, or leave it out" : "write host or private");
    if (value == one.container.id) return report_.error(where, keyword + "a container cannot join its own namespace");
    const auto* owner = target(value, one.container.id, keyword, where);
    if (owner != nullptr && in_circle(one.container.id, value))
      return report_.error(where, keyword + "the containers join each other's namespaces in a circle");
    if (owner == nullptr) return;
    check_standby(one.container, owner->container, where, keyword);
    if (name == "netns") check_owner(one, owner->container, keyword, where);
  }

  // Whether `from` cannot be made before `id`, which it joins itself or through others, by whatever namespaces.
  bool joins(const std::string& from, const std::string& id, std::set<std::string>& seen) const {
    const auto* at = find(from);
    if (at == nullptr || !seen.insert(from).second) return false;
    const auto& c = at->container;
    return std::any_of(kJoinedNamespaces.begin(), kJoinedNamespaces.end(),
                       [&](const auto member) { return c.*member == id || joins(c.*member, id, seen); });
  }

  bool in_circle(const std::string& id, const std::string& joined) const {
    std::set<std::string> seen;
    return joins(joined, id, seen);
  }

  void check_owner(const ContainerDraft& one, const ContainerResource& owner, const std::string& keyword,
                   const Position& where) {
    if (owner.netns == "host")
      report_.error(where, keyword + owner.id + " is in the node's own network namespace", "write netns = host");
    else if (!owner.netns.empty() && owner.netns != "none")
      report_.error(where, keyword + owner.id + " has no network namespace of its own, it joins " + owner.netns,
                    "write netns = " + owner.netns);
    if (one.container.existing)
      report_.error(where,
                    keyword + "without an image, " + in_quotes(one.container.name) +
                        " is a container that exists already, and cannot be moved into another namespace",
                    "add an image to let plumb make it");
  }

  // What the engine refuses for a container that joins another's network (moby
  // daemon/internal/runconfig/hostconfig.go).
  void check_shared_network(const ContainerDraft& one) {
    const auto& c = one.container;
    const bool shared = find(c.netns) != nullptr;
    if (!shared && c.netns != "host") return;
    const std::string whose = shared ? c.netns : "the node";
    const auto refuse = [&](std::string_view keyword) {
      report_.error(one.place(keyword),
                    (keyword == "add-host" ? "run_args in [" + c.id + "]: --add-host"
                                           : std::string(keyword) + " in [" + c.id + "]") +
                        ": a container in the network namespace of " + whose + " has that one's",
                    shared ? "set it in [" + c.netns + "]" : "remove it");
    };
    if (shared && !c.hostname.empty()) refuse("hostname");
    if (shared && !c.dns.empty()) refuse("dns");
    if (shared && !c.dns_search.empty()) refuse("dns_search");
    if (shared && !c.options.add_host.empty()) refuse("add-host");
    const bool net = std::any_of(c.sysctl.begin(), c.sysctl.end(), [](const auto& s) {
      return s.first.starts_with("net.") || s.first.starts_with("net/");
    });
    if (net)
      report_.error(
          one.place("sysctl"),
          "sysctl in [" + c.id + "]: parameters of net. belong to the owner of the network namespace, " + whose,
          shared ? "set them in [" + c.netns + "]" : "remove them");
  }

  void check_host_name(const ContainerDraft& one) {
    if (one.container.utsns == "host" && !one.container.hostname.empty())
      report_.error(one.place("hostname"),
                    "hostname in [" + one.container.id + "]: with utsns = host the container has the node's host name",
                    "remove one of the two");
  }

  const Draft& draft_;
  Report& report_;
};

}  // namespace

void check_namespaces(Draft& draft, Report& report) { Namespaces(draft, report).check(); }

}  // namespace plumb
