#include "plugin/driver/check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>

#include "netns/link/link.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/capability.h"
#include "plugin/driver/privileges.h"
#include "plugin/node/program.h"
#include "plugin/node/unix_address.h"
#include "plugin/output/console.h"
#include "plugin/output/output.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::driver {

namespace {

constexpr const char* kOrdered = "plumb-driver.socket";
constexpr const char* kEnable = "systemctl enable --now plumb-driver.socket";

std::string reason(int err) { return std::strerror(err); }  // NOLINT(concurrency-mt-unsafe): one thread

// The nearest folder of the path that is there.
std::string existing(std::filesystem::path path) {
  std::error_code ignored;
  while (path.has_relative_path() && !std::filesystem::exists(path, ignored)) path = path.parent_path();
  return path;
}

Finding capabilities() {
  const auto missing = netns::missing_capabilities();
  if (!missing) return {Verdict::problem, "node", "privilege", missing.error().what, missing.error().next};
  std::string names;
  for (const auto& name : *missing) names += (names.empty() ? "" : ", ") + name;
  if (names.empty()) return {Verdict::ok, "node", "privilege", "the capabilities of the driver are there", ""};
  return {Verdict::problem, "node", "privilege", names + (missing->size() > 1 ? " are" : " is") + " missing",
          "run it as root (sudo plumb driver --check), or with these capabilities"};
}

Finding kind_finding(const Result<bool>& known, const char* kind, const char* module, const char* used_for,
                     bool needed) {
  const std::string name = std::string("links of kind ") + kind;
  if (!known) return {Verdict::problem, "kernel", kind, known.error().what, known.error().next};
  if (*known) return {Verdict::ok, "kernel", kind, "the kernel makes " + name, ""};
  return {needed ? Verdict::problem : Verdict::note, "kernel", kind,
          "the kernel makes no " + name + ", which " + used_for, std::string("modprobe ") + module};
}

std::vector<Finding> kinds() {
  // In a namespace that ends with the question: asked for a veth, the kernel makes one at once.
  const auto ns = netns::Namespace::create();
  if (!ns) return {{Verdict::problem, "kernel", "links", ns.error().what, ns.error().next}};
  auto socket = netns::RouteSocket::open(*ns);
  if (!socket) return {{Verdict::problem, "kernel", "links", socket.error().what, socket.error().next}};
  const auto ask = [&](const char* kind, const char* module, const char* used_for, bool needed) {
    return kind_finding(netns::knows_kind(*socket, kind), kind, module, used_for, needed);
  };
  return {ask("macvlan", "macvlan", "a network has unless it says -o mode=...", true),
          ask("veth", "veth", "networks on a bridge need", true),
          ask("ipvlan", "ipvlan", "networks with -o mode=ipvlan-... need", false),
          ask("vlan", "8021q", "networks with -o vlan_tag=... need", false)};
}

Finding state_folder(const std::string& folder) {
  const auto there = existing(folder);
  struct stat status {};
  if (::stat(there.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
    return {Verdict::problem, "state", "folder", there + " is no folder", "remove it, or give another with --state"};
  if (::faccessat(AT_FDCWD, there.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return {Verdict::problem, "state", "folder", there + " cannot be written to: " + reason(errno),
            "run it as root, or give another with --state"};
  const bool made = there == std::filesystem::path(folder);
  return {Verdict::ok, "state", "folder", folder + (made ? " can be written to" : " can be made"), ""};
}

// What connect(2) says; the driver is not spoken to.
int connect_error(const std::string& path) {
  const auto address = UnixAddress::of_path(path);
  if (!address) return ENAMETOOLONG;
  // Not blocking: a driver that accepts nothing would be waited for.
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno;
  return ::connect(fd.get(), address->get(), address->size()) == 0 ? 0 : errno;
}

Finding listener(const std::string& path) {
  const auto finding = [&](Verdict verdict, std::string text, std::string fix) {
    return Finding{verdict, "socket", "listener", std::move(text), std::move(fix)};
  };
  const int err = connect_error(path);
  switch (err) {
    case 0:
    case EAGAIN: return finding(Verdict::ok, "somebody listens on " + path, "");
    case ENOENT: return finding(Verdict::note, "nobody listens on " + path + " yet", kEnable);
    case ECONNREFUSED: {
      struct stat status {};
      if (::stat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
        return finding(Verdict::problem, path + " is no socket", "remove it, or give another with --socket");
      return finding(Verdict::note, "nobody listens on " + path + ": it is left of a driver that has ended", kEnable);
    }
    default: return finding(Verdict::problem, "connect to " + path + ": " + reason(err), "run it as root");
  }
}

Finding plugin_folder(const std::string& path) {
  const auto finding = [&](Verdict verdict, std::string text, std::string fix) {
    return Finding{verdict, "socket", "folder", std::move(text), std::move(fix)};
  };
  const auto folder = std::filesystem::path(path).parent_path();
  const std::string searched = "/run/docker/plugins";
  std::string name = std::filesystem::path(path).stem();
  // NAME.sock, or NAME/NAME.sock.
  if (folder != searched && folder != searched + "/" + name)
    return finding(Verdict::note, "Docker does not look for drivers in " + folder.string(),
                   "echo unix://" + path + " >/etc/docker/plugins/" + name + ".spec");
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored))
    return finding(Verdict::ok, "Docker finds a driver in it by the name " + name, "");
  if (std::filesystem::exists(folder, ignored))
    return finding(Verdict::problem, folder.string() + " is no folder", "remove it");
  if (std::filesystem::exists("/run/docker", ignored))
    return finding(Verdict::note, folder.string() + " is not there yet: the driver, or its socket unit, makes it",
                   kEnable);
  return finding(Verdict::note, "there is no /run/docker: no Docker Engine has run since the node started",
                 "systemctl start docker");
}

// Docker has to find the driver when it starts its containers: without it each call is repeated for 15 s.
Finding order() {
  const auto finding = [&](Verdict verdict, std::string text, std::string fix) {
    return Finding{verdict, "systemd", "order", std::move(text), std::move(fix)};
  };
  const std::string by_hand = "start the driver before Docker, and end it after";
  std::error_code ignored;
  if (!std::filesystem::exists("/run/systemd/system", ignored))
    return finding(Verdict::note, "systemd does not run this node, so nothing orders Docker after the driver", by_hand);
  const auto program = find_program("systemctl", "");
  if (!program) return finding(Verdict::note, program.error().what, by_hand);
  const auto ran = run_program({*program, "show", "--property=After", "--value", "docker.service"});
  if (!ran || ran->status != 0 || ran->signal != 0)
    return finding(Verdict::note, "systemctl does not say what docker.service is ordered after",
                   "systemctl show --property=After docker.service");
  std::istringstream units(ran->output);
  for (std::string unit; units >> unit;)
    if (unit == kOrdered) return finding(Verdict::ok, std::string("docker.service starts after ") + kOrdered, "");
  return finding(Verdict::note, std::string("docker.service is not ordered after ") + kOrdered, kEnable);
}

Finding open_vswitch() {
  const auto program =
      find_program("ovs-vsctl", "install it for networks with -o mode=ovs (Debian: openvswitch-switch)");
  if (!program) return {Verdict::note, "node", "ovs", "ovs-vsctl is not installed", program.error().next};
  // Some distributions run the switch as a user of its own: root without CAP_DAC_OVERRIDE cannot write to its socket.
  const std::string database = "/run/openvswitch/db.sock";
  if (connect_error(database) == EACCES)
    return {Verdict::note, "node", "ovs", "the driver must not connect to " + database + ", which is not root's",
            "setfacl -m u:root:rw " + database + ", for networks with -o mode=ovs"};
  return {Verdict::ok, "node", "ovs", *program, ""};
}

}  // namespace

std::vector<Finding> check(const DriverCommand& command) {
  std::vector<Finding> out{capabilities()};
  for (auto& finding : kinds()) out.push_back(std::move(finding));
  out.push_back(open_vswitch());
  out.push_back(state_folder(command.state));
  out.push_back(plugin_folder(command.socket));
  out.push_back(listener(command.socket));
  out.push_back(order());
  return out;
}

int show_check(const DriverCommand& command, bool json) {
  if (auto dropped = drop_privileges(); !dropped) return report({{}, {}, json}, "driver --check", dropped.error());
  const auto findings = check(command);
  print(json ? diagnosis_json("", findings) : diagnosis_text(findings, colour_on(1)));
  const bool well = std::none_of(findings.begin(), findings.end(),
                                 [](const Finding& finding) { return finding.verdict == Verdict::problem; });
  return code(well ? ExitCode::ok : ExitCode::failed);
}

}  // namespace plumb::driver
