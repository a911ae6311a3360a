#include "plugin/node/node_scan.h"

#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "netns/address/address.h"
#include "netns/socket/namespace_id.h"
#include "netns/socket/route_socket.h"

namespace plumb {

namespace {

constexpr std::size_t kContainerIdLength = 64;

using Seen = std::set<netns::NamespaceId>;

struct Looked {
  std::set<IpAddress> addresses;
  std::optional<std::uint64_t> cookie;
};

Result<Looked> look_into(const netns::Namespace& ns) {
  Looked out;
  auto socket = TRY(netns::RouteSocket::open(ns));
  out.cookie = socket.cookie();
  for (const auto& address : TRY(netns::addresses(socket, 0))) out.addresses.insert(address.cidr.address());
  return out;
}

// Of a process that has ended meanwhile there are none.
void note_cgroups(const std::filesystem::path& process, pid_t pid, NodeScan& out) {
  std::ifstream file(process / "cgroup");
  for (std::string line; std::getline(file, line);)
    if (const auto path = line.find('/'); path != std::string::npos) out.cgroups.emplace(line.substr(path), pid);
}

void look_at_process(const std::filesystem::path& process, pid_t pid, Seen& seen, NodeScan& out) {
  struct stat info {};
  if (::stat((process / "ns/net").c_str(), &info) != 0) {
    out.complete = out.complete && (errno == ENOENT || errno == ESRCH);  // it ended, or is a zombie
    return;
  }
  note_cgroups(process, pid, out);
  if (seen.contains({info.st_dev, info.st_ino})) return;
  const auto ns = netns::Namespace::of_process(pid);
  if (!ns) {
    out.complete = out.complete && ns.error().kind == ErrorKind::not_found;
    return;
  }
  if (!seen.insert(ns->id()).second) return;
  auto found = look_into(*ns);
  out.complete = out.complete && found;
  if (!found) return;
  out.inhabited[ns->id()] = {pid, found->cookie};
  out.elsewhere.merge(found->addresses);
}

// Calls `each` with the folder and the pid of every process. Whether all were seen.
template <typename F>
bool for_each_process(const F& each) {
  std::error_code ec;
  std::filesystem::directory_iterator entries("/proc", ec);
  for (const std::filesystem::directory_iterator end; !ec && entries != end; entries.increment(ec)) {
    const std::string name = entries->path().filename();
    pid_t pid = 0;
    const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && last == name.data() + name.size()) each(entries->path(), pid);
  }
  return !ec;
}

void look_at_processes(Seen& seen, NodeScan& out) {
  const bool all = for_each_process(
      [&](const std::filesystem::path& process, pid_t pid) { look_at_process(process, pid, seen, out); });
  out.complete = out.complete && all;
}

void add_uppers(const netns::Namespace& ns, const netns::Namespace& node, pid_t pid, std::vector<UpperElsewhere>& out) {
  auto socket = netns::RouteSocket::open(ns);
  if (!socket) return;
  const auto number = netns::namespace_id(*socket, node);
  if (!number || !*number) return;  // nothing in there is on the node
  auto found = netns::links(*socket);
  if (!found) return;
  for (auto& link : *found)
    if (link.parent_namespace == *number) out.push_back({std::move(link), ns.id(), pid});
}

}  // namespace

NodeScan scan_node() {
  NodeScan out;
  const auto own = netns::Namespace::current();
  auto at_home = own ? look_into(*own) : Result<Looked>(Err{own.error()});
  out.complete = at_home.has_value();
  if (!out.complete) return out;
  out.own = std::move(at_home->addresses);
  // Those that are bound first: who moves into one meanwhile is found by the look at the processes.
  auto bound = netns::Namespace::bound();
  Seen seen{own->id()};
  look_at_processes(seen, out);
  out.complete = out.complete && bound;
  if (!out.complete) return out;
  for (auto& ns : *bound) {
    if (!seen.insert(ns.id()).second) continue;
    auto found = look_into(ns);
    out.complete = out.complete && found;
    if (found) out.abandoned.push_back({std::move(ns), found->cookie, std::move(found->addresses)});
  }
  return out;
}

std::vector<UpperElsewhere> uppers_elsewhere() {
  std::vector<UpperElsewhere> out;
  const auto node = netns::Namespace::current();
  if (!node) return out;
  Seen seen{node->id()};
  for_each_process([&](const std::filesystem::path& process, pid_t pid) {
    struct stat info {};
    if (::stat((process / "ns/net").c_str(), &info) != 0 || seen.contains({info.st_dev, info.st_ino})) return;
    const auto ns = netns::Namespace::of_process(pid);
    if (ns && seen.insert(ns->id()).second) add_uppers(*ns, *node, pid, out);
  });
  const auto bound = netns::Namespace::bound();
  if (!bound) return out;
  for (const auto& ns : *bound)
    if (seen.insert(ns.id()).second) add_uppers(ns, *node, 0, out);
  return out;
}

std::string whose(const UpperElsewhere& upper) {
  if (upper.pid == 0) return "a network namespace without a process";
  std::string name;
  std::ifstream comm("/proc/" + std::to_string(upper.pid) + "/comm");
  std::getline(comm, name);
  return "process " + std::to_string(upper.pid) + (name.empty() ? "" : " (" + name + ")");
}

bool is_container_cgroup(std::string_view path) {
  std::size_t length = 0;
  for (const char c : path) {
    length = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? length + 1 : 0;
    if (length == kContainerIdLength) return true;
  }
  return false;
}

}  // namespace plumb
