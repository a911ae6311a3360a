#include "tests/lab/system_container.h"

namespace plumb::lab {

SystemContainer::SystemContainer(const std::string& node, const std::string& address) : node_(node) {
  node_.must({"docker", "network", "create", "-d", "macvlan", "-o", "parent=eth0", "--subnet", "10.0.3.0/24",
              "--gateway", "10.0.3.1", "vmlan"});
  node_.must({"docker", "create", "--name", "vm1", "--init", "--network", "vmlan", "--ip", address, "nginx"});
}

SystemContainer::~SystemContainer() {
  node_.run({"docker", "rm", "-f", "vm1"});
  node_.run({"docker", "network", "rm", "vmlan"});
}

std::string SystemContainer::inspect(const std::string& format) const {
  const auto out = node_.must({"docker", "inspect", "--format", format, "vm1"});
  return out.substr(0, out.find('\n'));
}

std::string SystemContainer::state() const { return inspect("{{.State.Status}}"); }

std::string SystemContainer::addresses() const {
  return node_.must({"nsenter", "--net=/proc/" + inspect("{{.State.Pid}}") + "/ns/net", "ip", "-br", "-4", "address",
                     "show", "dev", "eth0"});
}

}  // namespace plumb::lab
