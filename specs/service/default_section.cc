#include "specs/service/default_section.h"

#include <algorithm>
#include <array>

#include "specs/service/container_value.h"
#include "specs/value/host_name.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

Result<std::string> parse_node(std::string_view text) {
  if (text.find_first_of("*?=!,+") != std::string_view::npos)
    return Err{ErrorKind::spec, in_quotes(text) + " is not a node's name",
               "node selectors of OpenSVC are not supported: list the names, separated by spaces"};
  const auto name = HostName::parse(text);
  if (!name) return Err{ErrorKind::spec, in_quotes(text) + " is not a node's name"};
  return name->str();
}

// The options that make the private engine private.
constexpr std::array<std::string_view, 14> kOwnOptions = {"-g",
                                                          "--graph",
                                                          "--data-root",
                                                          "--exec-root",
                                                          "-H",
                                                          "--host",
                                                          "-p",
                                                          "--pidfile",
                                                          "--containerd",
                                                          "--containerd-namespace",
                                                          "--root",
                                                          "--config-file",
                                                          "--containerd-plugins-namespace",
                                                          "--userland-proxy-path"};

void check_daemon_args(SectionReader& reader, const Service& service, const std::vector<Placed<std::string>>& args) {
  if (args.empty()) return;
  if (service.docker_data_dir.empty())
    reader.report().warning(args.front().where, "docker_daemon_args in [DEFAULT] has no effect without docker_data_dir",
                            "it is for the private engine that docker_data_dir asks for");
  if (!args.front().value.starts_with('-'))
    reader.report().error(args.front().where,
                          "docker_daemon_args in [DEFAULT]: " + in_quotes(args.front().value) + " is not an option");
  for (const auto& arg : args) {
    const auto option = std::string_view(arg.value).substr(0, arg.value.find('='));
    if (std::find(kOwnOptions.begin(), kOwnOptions.end(), option) != kOwnOptions.end())
      reader.report().error(arg.where,
                            "docker_daemon_args in [DEFAULT]: " + in_quotes(option) + " is set by plumb itself",
                            "the private engine has its own, derived from docker_data_dir");
  }
}

// The path without doubled and last slashes and "." parts; ".." is kept, and refused by the caller.
std::string plain_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/');
    const auto part = path.substr(0, end);
    if (!part.empty() && part != ".") out += "/" + std::string(part);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
  return out.empty() ? "/" : out;
}

Result<std::string> parse_data_dir(std::string_view text) {
  const auto path = plain_path(TRY(parse_path(text)));
  const auto under = [&](std::string_view dir) { return path == dir || path.starts_with(std::string(dir) + "/"); };
  if (path.find("/../") != std::string::npos || path.ends_with("/.."))
    return Err{ErrorKind::spec, in_quotes(text) + " has a .. in it", "write the path without"};
  for (const std::string_view taken : {"/var/lib/docker", "/var/lib/containerd"})
    if (under(taken))
      return Err{ErrorKind::spec, in_quotes(text) + " belongs to the node's own engine",
                 "give the service a directory of its own, such as /srv/SERVICE/docker_data_dir"};
  for (const std::string_view system : {"/proc", "/sys", "/dev", "/run", "/var/run"})
    if (under(system)) return Err{ErrorKind::spec, in_quotes(text) + " is on a file system that does not keep data"};
  if (path == "/") return Err{ErrorKind::spec, "the root directory cannot be a data directory"};
  return path;
}

// The longest path that the service's own engine binds a socket to (unix(7): sun_path, with a NUL).
void check_socket_path(SectionReader& reader, const std::string& service, const Position& where) {
  constexpr std::size_t kLongestSocketPath = 107;
  const std::string longest = "/run/plumb/" + service + "/exec/containerd/containerd.sock.ttrpc";
  if (longest.size() <= kLongestSocketPath) return;
  reader.report().error(where,
                        "docker_data_dir in [DEFAULT]: the service's name has " + std::to_string(service.size()) +
                            " bytes, and with an engine of its own it may have " +
                            std::to_string(kLongestSocketPath + service.size() - longest.size()),
                        longest + " would be no socket's path; shorten the name, or use the node's engine");
}

void read_privacy(SectionReader& reader, Service& service) {
  const auto is_private = reader.single("docker_daemon_private", parse_bool);
  if (!is_private) return;
  if (!is_private->value) service.docker_data_dir.clear();
  if (is_private->value && service.docker_data_dir.empty() && !reader.may_be_mistyped("docker_data_dir"))
    reader.report().error(
        is_private->where, "docker_daemon_private in [DEFAULT]: a private engine needs a docker_data_dir",
        "say where the engine keeps its data, such as docker_data_dir = /srv/SERVICE/docker_data_dir");
}

}  // namespace

void read_groups(const IniSection& section, Resolver& resolver, Report& report, Service& service) {
  SectionReader reader(resolver, section, SectionKind::defaults, report);
  std::vector<Placed<std::string>> all;
  const auto read = [&](std::string_view name, std::vector<std::string>& out) {
    for (auto& node : reader.list(name, parse_node)) {
      const std::string lower = lower_case(node.value);
      const bool twice =
          std::any_of(all.begin(), all.end(), [&](const auto& n) { return lower_case(n.value) == lower; });
      if (twice)
        report.error(node.where, "node " + in_quotes(node.value) + " is listed twice",
                     "a node is in one of nodes, drpnodes and encapnodes, once");
      out.push_back(node.value);
      all.push_back(std::move(node));
    }
  };
  read("nodes", service.nodes);
  read("drpnode", service.drpnodes);
  read("drpnodes", service.drpnodes);
  read("encapnodes", service.encapnodes);
  const bool set = std::any_of(section.entries.begin(), section.entries.end(),
                               [](const auto& e) { return e.key == "nodes" && !e.value.empty(); });
  if (!set) service.nodes = {service.node};
  resolver.set_groups(service.nodes, service.drpnodes, service.encapnodes);
}

void read_defaults(SectionReader& reader, Service& service) {
  service.topology = reader.choice("topology");
  service.rollback = reader.boolean("rollback");
  const auto dir = reader.single("docker_data_dir", parse_data_dir);
  if (dir) service.docker_data_dir = dir->value;
  read_privacy(reader, service);
  if (!service.docker_data_dir.empty() && dir) check_socket_path(reader, service.name, dir->where);
  const auto args = reader.words("docker_daemon_args");
  check_daemon_args(reader, service, args);
  for (const auto& arg : args) service.docker_daemon_args.push_back(arg.value);
  service.timeout = reader.duration("timeout");
  service.start_timeout = reader.duration("start_timeout");
  service.stop_timeout = reader.duration("stop_timeout");
  service.handover = reader.boolean("handover");
  service.handover_timeout = reader.duration("handover_timeout");
}

}  // namespace plumb
