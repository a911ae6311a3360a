// What the engine, the kernel and the driver's files say, each as the same lines.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "tests/lab/driver/faults.h"

namespace plumb::lab {

namespace {

using Json = nlohmann::json;

Json parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

std::string with_mac(const std::string& id, const std::string& address, const std::string& mac) {
  return id.substr(0, 12) + " " + address + " " + mac;
}

Words lines_of(const std::string& text) {
  std::istringstream in(text);
  Words out;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) out.push_back(line);
  return out;
}

struct Engine {
  State said;
  std::map<std::string, std::string> pids;  // of the running containers on plumb's networks, by endpoint
  std::string odd;                          // where it contradicts itself
};

// `docker network inspect` and `docker ps` with `docker inspect`.
Engine ask_engine(const Node& node) {
  Engine out;
  out.said = {{"networks", {}}, {"endpoints", {}}};
  for (const auto& network :
       lines_of(node.must({"docker", "network", "ls", "-q", "--no-trunc", "-f", "driver=plumb"}))) {
    out.said["networks"].insert(network.substr(0, 12));
    const auto inspected = parsed(node.must({"docker", "network", "inspect", network}));
    for (const auto& [id, container] : inspected.at(0).at("Containers").items()) {
      const auto endpoint = container.at("EndpointID").get<std::string>();
      const auto pid = inspect(node, id, "{{if .State.Running}}{{.State.Pid}}{{end}}");
      out.said["endpoints"].insert(with_mac(endpoint, container.at("IPv4Address"), container.at("MacAddress")));
      out.pids[endpoint] = pid;
      if (pid.empty()) out.odd += "the network has the container " + id.substr(0, 12) + ", which does not run\n";
    }
  }
  // The other way round: whoever runs on a plumb network has an address there.
  for (const auto& id : lines_of(node.must({"docker", "ps", "-q", "--no-trunc"}))) {
    const auto ends = parsed(inspect(node, id, "{{json .NetworkSettings.Networks}}"));
    for (const auto& [name, end] : ends.items())
      if (out.said["networks"].contains(end.at("NetworkID").get<std::string>().substr(0, 12)) &&
          !out.pids.contains(end.at("EndpointID").get<std::string>()))
        out.odd += "the container " + id.substr(0, 12) + " runs without its endpoint on " + name + "\n";
  }
  return out;
}

State ask_files(const Node& node) {
  State out{{"networks", {}}, {"endpoints", {}}};
  for (const auto& record : records(node)) {
    std::ifstream file(node.outside(kDriverState + "/" + record));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto json = parsed(text);
    if (record.starts_with("networks/")) out["networks"].insert(record.substr(9, 12));
    if (record.starts_with("endpoints/"))
      out["endpoints"].insert(with_mac(json.value("id", record), json.value("addresses", Words{"-"}).at(0),
                                       json.value("mac", std::string())));
    if (!record.ends_with(".json") && !record.starts_with("leases/")) out["odd files"].insert(record);
  }
  return out;
}

// In the namespaces of the containers, as the engine names them.
State ask_kernel(const Node& node, const Engine& engine) {
  State out{{"networks", engine.said.at("networks")}, {"endpoints", {}}};
  for (const auto& link : lines_of(links_on_node(node))) out["on the node"].insert(link);
  for (const auto& [endpoint, pid] : engine.pids) {
    if (pid.empty()) continue;
    for (const auto& link : parsed(node.must({"nsenter", "-t", pid, "-n", "ip", "-j", "-d", "address"}))) {
      const auto alias = link.value("ifalias", std::string());
      if (!alias.starts_with("plumb endpoint ")) continue;
      if (link.value("operstate", std::string()) != "UP") out["down"].insert(alias);
      for (const auto& address : link.at("addr_info"))
        if (address.at("family") == "inet")
          out["endpoints"].insert(with_mac(
              alias.substr(15),
              address.at("local").get<std::string>() + "/" + std::to_string(address.at("prefixlen").get<int>()),
              link.at("address")));
    }
  }
  return out;
}

}  // namespace

std::string inspect(const Node& node, const std::string& container, const std::string& format) {
  auto outcome = node.run({"docker", "inspect", "-f", format, container});
  if (outcome.exit_code != 0) return {};
  outcome.out.erase(outcome.out.find_last_not_of('\n') + 1);
  return outcome.out;
}

std::string links_on_node(const Node& node) {
  std::string out;
  for (const auto& link : parsed(node.must({"ip", "-j", "link"})))
    if (link.value("ifalias", std::string()).starts_with("plumb endpoint "))
      out += link.at("ifname").get<std::string>() + "\n";
  return out;
}

std::vector<std::string> records(const Node& node, const std::string& state) {
  const std::filesystem::path folder = node.outside(state);
  std::vector<std::string> out;
  if (!std::filesystem::exists(folder)) return out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != ".lock")
      out.push_back(entry.path().lexically_relative(folder));
  std::sort(out.begin(), out.end());
  return out;
}

std::string agree(const Node& node) {
  const Engine engine = ask_engine(node);
  const auto files = difference(engine.said, ask_files(node));
  const auto kernel = difference(engine.said, ask_kernel(node, engine));
  return engine.odd + (files.empty() ? "" : "engine and files:\n" + files) +
         (kernel.empty() ? "" : "engine and kernel:\n" + kernel);
}

bool reaches(const std::string& address, const std::string& container) {
  const Node client("client");
  // Its neighbour's entry is of whoever had the address before: the announcement that would tell is another test's.
  client.run({"ip", "neighbour", "flush", "to", address});
  const auto got =
      client.run({"curl", "--silent", "--fail", "--connect-timeout", "1", "--max-time", "5", "--retry", "5",
                  "--retry-connrefused", "--retry-delay", "0", "--retry-max-time", "5", "http://" + address + "/"});
  return got.exit_code == 0 && got.out.find("host: " + container.substr(0, 12)) != std::string::npos;
}

Words EngineNetwork::create(const std::string& name, const Words& more) {
  Words words{"docker", "network",     "create",   "-d",          "plumb",     "--ipam-driver", "plumb",
              "-o",     "parent=eth0", "--subnet", "10.0.3.0/24", "--gateway", "10.0.3.1"};
  words.insert(words.end(), more.begin(), more.end());
  words.push_back(name);
  return words;
}

Words EngineNetwork::run(const std::string& container, const std::string& address, const Words& more) const {
  Words words{"docker", "run", "-d", "--name", container, "--hostname", container, "--network", name_, "--ip", address};
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("nginx");
  return words;
}

EngineNetwork::EngineNetwork(Node node, std::string name, const Words& more)
    : node_(std::move(node)), name_(std::move(name)) {
  clear_engine(node_);  // of a test that was killed
  node_.must(create(name_, more));
}

EngineNetwork::~EngineNetwork() { clear_engine(node_); }

void clear_engine(const Node& node) {
  const Outcome cleared = node.run(
      {"bash", "-c",
       "docker ps -aq | xargs -r docker rm -fv; docker network ls -qf driver=plumb | xargs -r docker network rm"});
  if (cleared.exit_code != 0) std::cerr << node.name() << ": not cleared: " << cleared.err << std::endl;
}

}  // namespace plumb::lab
