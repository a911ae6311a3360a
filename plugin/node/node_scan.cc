#include "plugin/node/node_scan.h"

#include <sys/stat.h>

#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "netns/address/address.h"
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

void look_at_processes(Seen& seen, NodeScan& out) {
  std::error_code ec;
  std::filesystem::directory_iterator entries("/proc", ec);
  for (const std::filesystem::directory_iterator end; !ec && entries != end; entries.increment(ec)) {
    const std::string name = entries->path().filename();
    pid_t pid = 0;
    const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && last == name.data() + name.size()) look_at_process(entries->path(), pid, seen, out);
  }
  out.complete = out.complete && !ec;
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

bool is_container_cgroup(std::string_view path) {
  std::size_t length = 0;
  for (const char c : path) {
    length = std::isxdigit(static_cast<unsigned char>(c)) != 0 ? length + 1 : 0;
    if (length == kContainerIdLength) return true;
  }
  return false;
}

}  // namespace plumb
