#include "tests/lab/service.h"

#include <fstream>
#include <iterator>
#include <set>

namespace plumb::lab {

namespace {

const Words kNodes{"n1", "n2", "n3"};

}  // namespace

std::string program() { return PLUMB_PROGRAM; }

std::string reference_spec() {
  std::ifstream file(PLUMB_SOURCE_DIR "/specs/examples/svc1.conf");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string shared_engine_spec() { return edited(reference_spec(), "docker_data_dir", ""); }

std::string edited(std::string spec, const std::string& from, const std::string& to) {
  const auto begin = spec.find("\n" + from) + 1;
  return spec.replace(begin, spec.find('\n', begin) - begin, to);
}

Service::Service(std::string name, const std::string& spec) : name_(std::move(name)) {
  for (const auto& node : kNodes) Node(node).write("/etc/plumb/" + name_ + ".conf", spec);
}

Service::~Service() {
  for (const auto& node : kNodes) {
    plumb(Node(node), "shutdown");
    remove_kept(Node(node));
    Node(node).remove("/etc/plumb/" + name_ + ".conf");
    Node(node).remove("/run/plumb/" + name_ + ".lock");
  }
}

// Some engines remove what is joined only after those that join it.
void Service::remove_kept(const Node& node) const {
  const std::string all = "docker ps -aq --filter label=plumb.service=" + name_;
  node.run({"bash", "-c", "for _ in 1 2; do " + all + " | xargs -r -n 1 docker rm -fv; done"});
}

// Lock files stay: they mean nothing once nobody holds them. So does the folder that containerd's shims make.
State Service::state(const Node& node) const {
  State out = node.state({engine()});
  std::erase_if(out["files"], [](const std::string& f) {
    return f == "/run/plumb" || f.starts_with("/run/containerd") ||
           (f.starts_with("/run/plumb/") && f.ends_with(".lock"));
  });
  return out;
}

Outcome Service::plumb(const Node& node, const std::string& verb, const Words& more) const {
  Words command{program(), verb, name_};
  command.insert(command.end(), more.begin(), more.end());
  return node.run(command);
}

std::string installed_agent(const Node& node) {
  static std::set<std::string> installed;
  const std::string folder = "/srv/agent";  // where PLUMB_AGENT_PROGRAM lies
  if (installed.insert(node.name()).second) {
    node.must({"install", "-d", "--mode=755", folder});
    node.must({"install", "--mode=755", PLUMB_PROGRAM, PLUMB_AGENT, folder});
  }
  return folder + "/service";
}

bool answers(const std::string& address) {
  // nginx may not listen yet: a start does not wait for what its containers do. The service's kernel refuses until
  // then.
  Outcome got;
  const auto is_answer = [&] {
    got = Node("client").run({"curl", "-s", "-v", "--max-time", "3", "http://" + address + "/"});
    return got.err.find("Connection refused") == std::string::npos;
  };
  return becomes(is_answer, std::chrono::seconds(30)) && got.exit_code == 0 &&
         got.out.find("Welcome to nginx!") != std::string::npos;
}

}  // namespace plumb::lab
