#include "plugin/node/open_vswitch.h"

#include <sstream>

#include "plugin/node/program.h"

namespace plumb {

namespace {

constexpr const char* kService = "plumb-service";
constexpr const char* kResource = "plumb-resource";

// What ovs-vsctl prints.
Result<std::string> ask(std::vector<std::string> arguments) {
  const auto program = TRY(find_program(
      "ovs-vsctl", "mode = ovs needs Open vSwitch on the node (Debian: openvswitch-switch), or set mode = macvlan"));
  // --timeout: a switch that is not running is waited for otherwise for ever.
  arguments.insert(arguments.begin(), {program, "--timeout=5"});
  const auto ran = TRY(run_program(arguments));
  if (ran.status == 0) return ran.output;
  std::string said = ran.errors.substr(0, ran.errors.find('\n'));
  // Its own time limit ends it by SIGALRM.
  if (said.empty() || ran.signal != 0) said = "it does not answer";
  return Err{ran.signal != 0 ? ErrorKind::unreachable : ErrorKind::failed, "ask Open vSwitch: " + said,
             "see whether it runs: systemctl status openvswitch-switch"};
}

// One name to a line; a "" stands for an empty list.
std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

std::string quoted_value(const std::string& text) { return "\"" + text + "\""; }

std::string column(const char* key, const std::string& value) {
  return std::string("external_ids:") + key + "=" + quoted_value(value);
}

Result<std::vector<std::string>> ports_of(const std::string& service, const std::string& resource) {
  return lines(TRY(
      ask({"--bare", "--columns=name", "find", "Interface", column(kService, service), column(kResource, resource)})));
}

Result<ObservedSwitch> look(const std::string& service) {
  ObservedSwitch out;
  out.bridges = lines(TRY(ask({"list-br"})));
  const auto listed = TRY(ask({"--format=csv", "--data=bare", "--no-headings", "--columns=name,external_ids", "find",
                               "Interface", column(kService, service)}));
  // pl40000.eth0,plumb-resource=ip#0 plumb-service=svc1
  for (const auto& line : lines(listed)) {
    const auto comma = line.find(',');
    const auto key = line.find(std::string(kResource) + "=");
    if (comma == std::string::npos || key == std::string::npos) continue;
    const auto begin = key + std::string_view(kResource).size() + 1;
    out.ports[line.substr(begin, line.find_first_of(" \"", begin) - begin)].push_back(line.substr(0, comma));
  }
  return out;
}

}  // namespace

ObservedSwitch observe_switch(const std::string& service) {
  auto seen = look(service);
  if (seen) return *std::move(seen);
  ObservedSwitch failed;
  failed.error = std::move(seen).error();
  return failed;
}

Result<void> release_switch_ports(const std::string& service, const std::string& resource) {
  std::vector<std::string> arguments;
  for (const auto& port : TRY(ports_of(service, resource)))
    arguments.insert(arguments.end(), {"--", "--if-exists", "del-port", port});
  if (arguments.empty()) return {};
  arguments.erase(arguments.begin());  // the first command needs no separator
  TRY(ask(std::move(arguments)));
  return {};
}

Result<void> add_switch_port(const SwitchPort& port) {
  // In a transaction of its own: an old port may have the new one's name, and the switch would go on with a link that
  // is gone.
  TRY(release_switch_ports(port.service, port.resource));
  std::vector<std::string> arguments{"add-port", port.bridge, port.device};
  if (port.vlan_tag) arguments.push_back("tag=" + std::to_string(*port.vlan_tag));
  if (!port.vlan_mode.empty()) arguments.push_back("vlan_mode=" + port.vlan_mode);
  arguments.insert(arguments.end(), {"--", "set", "Interface", port.device, column(kService, port.service),
                                     column(kResource, port.resource)});
  TRY(ask(std::move(arguments)));
  // ovs-vsctl succeeds when the switch has looked at the port, whether it could use it or not. Nobody can be heard, so
  // nobody be probed, through one that it could not.
  const auto number = TRY(ask({"get", "Interface", port.device, "ofport"}));
  if (!number.empty() && number.front() >= '1' && number.front() <= '9') return {};
  const auto error = TRY(ask({"get", "Interface", port.device, "error"}));
  return Err{
      ErrorKind::failed,
      "add port " + port.device + " to Open vSwitch bridge " + port.bridge + ": " + error.substr(0, error.find('\n')),
      "see ovs-vsctl show"};
}

}  // namespace plumb
