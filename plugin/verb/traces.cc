#include "plugin/verb/traces.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "netns/socket/route_socket.h"
#include "plugin/node/boot.h"
#include "plugin/node/process_stat.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/node/state_file.h"
#include "specs/plan/planned_address.h"

namespace plumb {

namespace {

constexpr std::string_view kNoCookie = "-";

// "9:pids:/docker/ID" in version 1, "0::/system.slice/docker-ID.scope" in version 2 (cgroups(7)). One that does not
// carry the container's id is that of its engine, or of everybody.
std::vector<std::string> cgroups_of(pid_t pid, const std::string& id) {
  std::vector<std::string> out;
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto path = line.find('/');
    if (path == std::string::npos || line.find(id, path) == std::string::npos) continue;
    line.erase(0, path);
    if (std::find(out.begin(), out.end(), line) == out.end()) out.push_back(std::move(line));
  }
  return out;
}

Result<TracedNamespace> traced(const netns::Namespace& ns) {
  return TracedNamespace{ns.id(), TRY(netns::RouteSocket::open(ns)).cookie()};
}

// The words of one line, behind its first, for as long as all of them are there and well.
class Words {
 public:
  explicit Words(const std::string& line) : in_(line) { in_ >> kind_; }

  [[nodiscard]] const std::string& kind() const { return kind_; }
  template <typename T>
  T next() {
    T out{};
    well_ = well_ && in_ >> out;
    return out;
  }
  std::optional<std::uint64_t> cookie() {
    const auto text = next<std::string>();
    if (text == kNoCookie) return std::nullopt;
    std::istringstream number(text);
    std::uint64_t out = 0;
    well_ = well_ && number >> out && number.eof();
    return out;
  }
  // All that is left, blanks included.
  std::string rest() {
    std::string out;
    well_ = well_ && std::getline(in_ >> std::ws, out);
    return out;
  }
  [[nodiscard]] bool well() const { return well_; }

 private:
  std::istringstream in_;
  std::string kind_;
  bool well_ = true;
};

bool take(Traces& out, Words words) {
  if (words.kind() == "boot") {
    out.boot = words.rest();
    return words.well();
  }
  if (words.kind() == "container") {
    auto& c = out.containers.emplace_back();
    c.resource = words.next<std::string>();
    c.pid = words.next<pid_t>();
    c.start_ticks = words.next<std::uint64_t>();
    return words.well();
  }
  if (words.kind() == "address") {
    auto resource = words.next<std::string>();
    auto address = IpAddress::parse(words.rest());
    if (!address) return false;
    out.addresses.push_back({std::move(resource), *address});
    return words.well();
  }
  // Of the container above.
  if (out.containers.empty()) return false;
  auto& c = out.containers.back();
  if (words.kind() == "cgroup") {
    c.cgroups.push_back(words.rest());
    return words.well();
  }
  if (words.kind() != "netns") return false;
  auto& ns = c.ns.emplace();
  ns.id.dev = words.next<dev_t>();
  ns.id.ino = words.next<ino_t>();
  ns.cookie = words.cookie();
  return words.well();
}

}  // namespace

std::vector<IpAddress> Traces::addresses_of(std::string_view resource) const {
  std::vector<IpAddress> out;
  for (const auto& one : addresses)
    if (one.resource == resource) out.push_back(one.address);
  return out;
}

std::string encode_traces(const Traces& traces) {
  std::ostringstream out;
  out << kTracesState.heading << "\nboot " << traces.boot << "\n";
  for (const auto& c : traces.containers) {
    out << "container " << c.resource << " " << c.pid << " " << c.start_ticks << "\n";
    if (c.ns)
      out << "netns " << c.ns->id.dev << " " << c.ns->id.ino << " "
          << (c.ns->cookie ? std::to_string(*c.ns->cookie) : std::string(kNoCookie)) << "\n";
    for (const auto& path : c.cgroups) out << "cgroup " << path << "\n";
  }
  for (const auto& one : traces.addresses) out << "address " << one.resource << " " << one.address.to_string() << "\n";
  return std::move(out).str();
}

std::optional<Traces> decode_traces(std::string_view text) {
  const auto body = without_heading(text, kTracesState.heading);
  if (!body || body->size() == text.size()) return std::nullopt;
  std::istringstream lines{std::string(*body)};
  std::string line;
  Traces out;
  while (std::getline(lines, line))
    if (!take(out, Words(line))) return std::nullopt;
  if (out.boot.empty()) return std::nullopt;
  return out;
}

Result<Traces> traces_of(const Service& service, const Observation& observation) {
  Traces out;
  out.boot = TRY(boot_id());
  for (const auto& c : service.containers) {
    const auto found = observation.seen.containers.find(c.id);
    if (c.disable || c.standby || found == observation.seen.containers.end()) continue;
    const auto& seen = found->second;
    const bool ours = c.existing || seen.service == service.name;
    const auto start = ours && seen.running && seen.pid > 0 ? start_ticks_of(seen.pid) : std::nullopt;
    if (!start) continue;
    TracedContainer one{c.id, seen.pid, *start, cgroups_of(seen.pid, seen.id), {}};
    if (const auto ns = observation.namespaces.find(c.id); ns != observation.namespaces.end()) {
      const auto same = std::find_if(out.containers.begin(), out.containers.end(), [&](const TracedContainer& other) {
        return other.ns && other.ns->id == ns->second->id();
      });
      one.ns = same != out.containers.end() ? *same->ns : TRY(traced(*ns->second));
    }
    out.containers.push_back(std::move(one));
  }
  for (const auto& ip : service.ips) {
    if (ip.disable || ip.standby) continue;
    const auto addresses = resolved_addresses(ip, observation.seen);
    if (!addresses && ip.optional) continue;  // it was not plumbed either
    for (const auto& address : TRY(addresses)) out.addresses.push_back({ip.id, address});
  }
  return out;
}

std::string encode_unsettled(const std::string& boot) {
  return std::string(kUnsettledState.heading).append("\n").append(boot);
}

bool unsettles(std::string_view text, const std::string& boot) {
  const auto body = without_heading(text, kUnsettledState.heading);
  return !body || *body == boot;
}

Result<void> unsettle_traces(const std::string& service) {
  auto done = [&]() -> Result<void> {
    TRY(run_directory());
    const auto boot = TRY(boot_id());
    return write_state_file(path_of(kUnsettledState, service), encode_unsettled(boot), 0600, Durable::no);
  }();
  if (!done) ::unlink(path_of(kTracesState, service).c_str());
  return done;
}

void resettle_traces(const std::string& service) { ::unlink(path_of(kUnsettledState, service).c_str()); }

Result<void> record_traces(const std::string& service, const Traces& traces) {
  TRY(run_directory());
  TRY(write_state_file(path_of(kTracesState, service), encode_traces(traces), 0600, Durable::no));
  ::unlink(path_of(kUnsettledState, service).c_str());
  return {};
}

void forget_traces(const std::string& service) {
  for (const char* kind : {".unsettled", ".traces"}) {
    ::unlink(("/run/plumb/" + service + kind).c_str());
    [[maybe_unused]] const auto removed = remove_drafts("/run/plumb", service + kind);
  }
}

std::optional<Traces> read_traces(const std::string& service) {
  const auto text = read_state_file(path_of(kTracesState, service));
  return text ? decode_traces(*text) : std::nullopt;
}

bool traces_unsettled(const std::string& service) {
  const auto text = read_state_file(path_of(kUnsettledState, service));
  if (!text) return false;
  const auto boot = boot_id();
  return !boot || unsettles(*text, *boot);
}

}  // namespace plumb
