#include "tests/lab/driver/driver.h"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <utility>

#include "tests/lab/driver/settled.h"
#include "tests/lab/service.h"

namespace plumb::lab {

namespace {

using namespace std::chrono_literals;

const std::string kLabel = "plumb.test=driver";
const std::string kPidFile = "/run/plumb-test-driver.pid";

// `plumb driver`, as somebody starts it by hand.
class DriverProgram final : public DriverProcess {
 public:
  DriverProgram(Node node, DriverOptions options) : node_(std::move(node)), options_(options) {}
  ~DriverProgram() override { stop(); }

  [[nodiscard]] std::string name() const override { return "plumb"; }
  [[nodiscard]] std::string folder() const override { return "/var/lib/plumb/driver"; }
  [[nodiscard]] std::string socket() const override { return "/run/docker/plugins/plumb.sock"; }
  [[nodiscard]] std::string metrics_socket() const override { return "/run/plumb-test-metrics.sock"; }

  bool start() override {
    end_forgotten();
    Words command{"bash", "-c", "echo $$ >" + kPidFile + "; exec \"$@\"", "driver", program(), "driver"};
    if (options_.metrics) command.insert(command.end(), {"--metrics", metrics_socket()});
    running_.emplace(node_.start(command));
    return running_->await_errors("plumb driver: ready", 10s) &&
           becomes([&] { return has_settled(running_->errors()); }, 10s);
  }
  void stop() override { end(SIGTERM); }
  void kill() override { end(SIGKILL); }
  std::string log() override { return running_ ? said_ + running_->errors() : said_; }
  [[nodiscard]] bool runs() const override { return running_.has_value(); }

 private:
  // One whose test was killed: it would be in the way of all tests that come.
  void end_forgotten() const {
    node_.run({"bash", "-c",
               "read -r pid <" + kPidFile + " && [[ $(readlink /proc/$pid/exe) == " + program() +
                   " ]] && kill -9 $pid && while kill -0 $pid; do :; done"});
  }
  void end(int signal) {
    if (!running_) return;
    running_->signal(signal);
    said_ += running_->wait(10s).err;
    running_.reset();
    node_.remove(kPidFile);
  }

  Node node_;
  DriverOptions options_;
  std::optional<Running> running_;
  std::string said_;  // by those that have ended
};

// A managed plugin of the node's Docker Engine. It is made once for all tests of the program, and enabled and disabled
// as others are started and stopped; its records go when a test's networks do.
class DriverPlugin final : public DriverProcess {
 public:
  DriverPlugin(Node node, DriverOptions options) : node_(std::move(node)), options_(options) {
    install();
    said_before_ = node_.engine_log().size();
  }
  ~DriverPlugin() override { stop(); }

  [[nodiscard]] std::string name() const override { return "plumb:latest"; }
  [[nodiscard]] std::string folder() const override {
    return "/var/lib/docker/plugins/" + id() + "/propagated-mount/driver";
  }
  [[nodiscard]] std::string socket() const override { return sockets() + "plumb.sock"; }
  [[nodiscard]] std::string metrics_socket() const override { return sockets() + "metrics.sock"; }

  bool start() override {
    if (!enabled()) {
      node_.must({"docker", "plugin", "set", name(),
                  std::string("args=") + (options_.metrics ? "--metrics=/run/docker/plugins/metrics.sock"
                                                           : "--socket=/run/docker/plugins/plumb.sock")});
      if (node_.run({"docker", "plugin", "enable", name()}).exit_code != 0) return false;
    }
    // Docker starts one that was killed again by itself.
    const bool serves = node_
                            .run({"bash", "-c",
                                  "until curl -s -o /dev/null -X POST --unix-socket " + socket() +
                                      " http://x/NetworkDriver.Leave; do :; done"},
                                 20s)
                            .exit_code == 0;
    return serves && becomes([&] { return has_settled(node_.engine_log()); }, 10s);
  }
  void stop() override { node_.run({"docker", "plugin", "disable", "--force", name()}); }
  void kill() override {
    node_.must({"bash", "-c", "pid=$(cat " + pid_path() + ") && kill -9 $pid && while kill -0 $pid; do :; done"});
  }
  [[nodiscard]] std::set<std::string> namespaces() const override {
    std::istringstream lines(
        node_.must({"bash", "-c", "readlink /proc/$(cat " + pid_path() + ")/ns/{ipc,mnt,pid,uts}"}));
    std::set<std::string> out;
    for (std::string line; std::getline(lines, line);) out.insert(line);
    return out;
  }
  std::string log() override { return node_.engine_log().substr(said_before_); }
  [[nodiscard]] bool runs() const override { return enabled(); }

 private:
  // Another program's may be there, of a test before this one's.
  void install() const {
    static std::set<std::string> made;
    if (!made.insert(node_.name()).second) return;
    const std::string files = "/srv/plugin";
    node_.run({"docker", "plugin", "rm", "--force", name()});
    node_.must({PLUMB_SOURCE_DIR "/ci/plugin", "--program", program(), files});
    node_.must({"docker", "plugin", "create", "plumb", files});
    node_.must({"rm", "-rf", files});
  }
  [[nodiscard]] std::string asked(const std::string& what) const {
    auto out = node_.must({"docker", "plugin", "inspect", "-f", "{{." + what + "}}", name()});
    out.pop_back();
    return out;
  }
  [[nodiscard]] bool enabled() const { return asked("Enabled") == "true"; }
  [[nodiscard]] std::string id() const { return asked("Id"); }
  [[nodiscard]] std::string pid_path() const {
    return "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/plugins.moby/" + id() + "/init.pid";
  }
  [[nodiscard]] std::string sockets() const { return "/run/docker/plugins/" + id() + "/"; }

  Node node_;
  DriverOptions options_;
  std::size_t said_before_ = 0;
};

std::unique_ptr<DriverProcess> process_for(const Node& node, DriverOptions options) {
  const char* way = std::getenv("PLUMB_DRIVER");
  if (way == nullptr || way == std::string("program")) return std::make_unique<DriverProgram>(node, options);
  if (way == std::string("plugin")) return std::make_unique<DriverPlugin>(node, options);
  give_up(std::string("PLUMB_DRIVER=") + way + ": there is no such way to run the driver");
}

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

Words joined(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

DriverOn::DriverOn(const std::string& node, DriverOptions options)
    : node_(node), process_(process_for(node_, options)) {
  start();
  clear();
}

DriverOn::~DriverOn() {
  // A call to a driver that is away is repeated for 15 s each.
  if (!process_->runs()) process_->start();
  clear();
  process_->stop();
  node_.remove(process_->folder());
}

void DriverOn::start() {
  if (!process_->start()) give_up("the driver does not serve on " + node_.name() + ": " + process_->log());
}

void DriverOn::clear() const {
  node_.run({"bash", "-c",
             "docker ps -aq --filter label=" + kLabel +
                 " | xargs -r docker rm -fv; docker network ls -q --filter label=" + kLabel +
                 " | xargs -r docker network rm"});
}

std::string DriverOn::docker(const Words& arguments) const {
  const Outcome outcome = node_.run(joined({"docker"}, arguments));
  if (outcome.exit_code == 0) return {};
  return outcome.err.empty() ? "docker ended with " + std::to_string(outcome.exit_code) : outcome.err;
}

std::string DriverOn::ask(const Words& arguments) const {
  Outcome outcome = node_.run(joined({"docker"}, arguments));
  return outcome.exit_code == 0 ? without_line_end(std::move(outcome.out)) : std::string();
}

std::string DriverOn::network(const std::string& name, const Words& options) const {
  return network_of_engine(name, joined({"--ipam-driver", this->name()}, options));
}

std::string DriverOn::network_of_engine(const std::string& name, const Words& options) const {
  Words command{"network", "create", "--label", kLabel, "-d", this->name()};
  command = joined(std::move(command), options);
  command.push_back(name);
  return docker(command);
}

std::string DriverOn::run(const std::string& name, const Words& options, const std::string& image) const {
  Words command = joined({"run", "-d", "--label", kLabel, "--name", name}, options);
  command.push_back(image);
  if (image == "busybox") command.insert(command.end(), {"sleep", "1000"});
  std::string wrong = docker(command);
  if (!wrong.empty()) node_.run({"docker", "rm", "-fv", name});
  return wrong;
}

std::string DriverOn::run_with_mac(const std::string& name, const std::string& network, const std::string& address,
                                   const std::string& mac) const {
  const auto equals = kLabel.find('=');
  const std::string body = R"({"Image":"busybox","Cmd":["sleep","1000"],"MacAddress":")" + mac + R"(","Labels":{")" +
                           kLabel.substr(0, equals) + R"(":")" + kLabel.substr(equals + 1) +
                           R"("},"HostConfig":{"NetworkMode":")" + network +
                           R"("},"NetworkingConfig":{"EndpointsConfig":{")" + network +
                           R"(":{"IPAMConfig":{"IPv4Address":")" + address + R"("}}}}})";
  const Outcome made = node_.run({"curl", "-s", "--fail-with-body", "--unix-socket", "/run/docker.sock", "-H",
                                  "Content-Type: application/json", "-d", body,
                                  "http://localhost/v1.41/containers/create?name=" + name});
  if (made.exit_code != 0) return made.out + made.err;
  std::string wrong = docker({"start", name});
  if (!wrong.empty()) node_.run({"docker", "rm", "-fv", name});
  return wrong;
}

std::string DriverOn::inside(const std::string& container, const Words& command) const {
  return ask(joined({"exec", container}, command));
}

std::string DriverOn::look(const std::string& container, const std::string& file) const {
  return inside(container, {"cat", "/sys/class/net/eth0/" + file});
}

std::string DriverOn::address_of(const std::string& container) const {
  return ask({"inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container});
}

std::string DriverOn::remove(const Words& containers) const { return docker(joined({"rm", "-fv"}, containers)); }

std::set<std::string> DriverOn::records() const {
  std::istringstream lines(
      node_.run({"find", process_->folder(), "-mindepth", "2", "-type", "f", "-printf", "%P\n"}).out);
  std::set<std::string> out;
  for (std::string line; std::getline(lines, line);) out.insert(line);
  return out;
}

std::string DriverOn::endpoints() const {
  return node_.run({"bash", "-c", "cat '" + process_->folder() + "'/endpoints/*.json"}).out;
}

// Lock files mean nothing once nobody holds them; containerd's folder is made by its first shim.
State DriverOn::state() const {
  State out = node_.state();
  std::erase_if(out["files"], [](const std::string& file) {
    return file == "/run/plumb" || file.starts_with("/run/containerd") ||
           (file.starts_with("/run/plumb/") && file.ends_with(".lock"));
  });
  for (const auto& own : process_->namespaces()) out["namespaces"].erase(own);
  out["records"] = records();
  return out;
}

std::string DriverOn::changed(const State& before) const {
  return difference_to_now(before, [this] { return state(); });
}

std::map<std::string, double> DriverOn::metrics() const {
  std::istringstream lines(
      node_.run({"curl", "-s", "--max-time", "3", "--unix-socket", metrics_socket(), "http://localhost/metrics"}).out);
  std::map<std::string, double> out;
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string::npos) continue;
    out[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return out;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// With both -c and -w, ping(8) goes on until so many have been answered, or the seconds are over.
bool pings(const Node& node, const std::string& address) {
  return node.run({"ping", "-c", "1", "-i", "0.2", "-w", "4", address}).exit_code == 0;
}

bool is_silent(const Node& node, const std::string& address) {
  return node.run({"ping", "-c", "1", "-i", "0.2", "-w", "1", address}).exit_code == 1;
}

// nginx listens some time after its container has been started: a connection that is refused is tried again.
bool serves(const Node& node, const std::string& address) {
  const auto got = node.run({"curl", "--silent", "--fail", "--max-time", "5", "--retry", "5", "--retry-connrefused",
                             "--retry-delay", "0", "http://" + address + "/"});
  return got.exit_code == 0 && says(got.out, "Welcome to nginx!");
}

Rival::Rival(const Words& arguments) {
  Words command{"rival"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  mac_ = without_line_end(lab(command));
}

}  // namespace plumb::lab
