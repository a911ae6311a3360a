// The driver as a managed plugin of Docker, made by ci/plugin: with the capabilities, the mounts and the read-only
// /proc/sys of one.
#include <doctest/doctest.h>

#include <utility>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

constexpr const char* kDriver = "plumb-test:latest";
constexpr const char* kPage = "http://10.0.3.40/";

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The plugin on the node, enabled; removed with its network and container.
class Plugin {
 public:
  explicit Plugin(Node node) : node_(std::move(node)) {
    remove();  // what a run before this one has left
    const std::string folder = "/srv/plugin";
    node_.must({PLUMB_SOURCE_DIR "/ci/plugin", "--program", program(), folder});
    node_.must({"docker", "plugin", "create", kDriver, folder});
    node_.must({"rm", "-rf", folder});
    node_.must({"docker", "plugin", "enable", kDriver});
  }
  ~Plugin() { remove(); }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

 private:
  void remove() const {
    node_.run({"docker", "rm", "--force", "web"});
    node_.run({"docker", "network", "rm", "lan"});
    node_.run({"docker", "plugin", "rm", "--force", kDriver});
  }
  Node node_;
};

TEST_CASE("Docker keeps the driver as a managed plugin: made, used, and enabled again with its records") {
  const Node n1("n1");
  const Node client("client");
  const Plugin plugin(n1);
  n1.must({"docker", "network", "create", "--driver", kDriver, "--ipam-driver", kDriver, "--subnet", "10.0.3.0/24",
           "--gateway", "10.0.3.1", "--opt", "parent=eth0", "lan"});
  n1.must({"docker", "run", "--detach", "--name", "web", "--network", "lan", "--ip", "10.0.3.40", "nginx"});
  // The client remembers the MAC of the run before: only an announcement corrects that.
  const auto page = [&] {
    return client.run({"curl", "--silent", "--max-time", "5", "--retry", "5", "--retry-connrefused", kPage}).out;
  };
  CHECK(says(page(), "address: 10.0.3.40"));

  n1.must({"docker", "stop", "web"});
  n1.must({"docker", "plugin", "disable", "--force", kDriver});
  n1.must({"docker", "plugin", "enable", kDriver});
  n1.must({"docker", "start", "web"});
  CHECK(says(page(), "address: 10.0.3.40"));
}

}  // namespace
}  // namespace plumb::lab
