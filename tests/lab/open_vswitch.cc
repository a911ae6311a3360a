#include "tests/lab/open_vswitch.h"

#include <csignal>
#include <utility>

namespace plumb::lab {

OpenVswitch::OpenVswitch(Node node) : node_(std::move(node)) {
  node_.must({"mkdir", "-p", "/run/openvswitch", "/var/lib/plumb-test"});
  node_.run({"rm", "-f", "/var/lib/plumb-test/conf.db"});
  node_.must({"ovsdb-tool", "create", "/var/lib/plumb-test/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"});
  database_.emplace(
      node_.start({"ovsdb-server", "/var/lib/plumb-test/conf.db", "--remote=punix:/run/openvswitch/db.sock"}));
  must({"--retry", "--no-wait", "init"});
  switch_.emplace(node_.start({"ovs-vswitchd", "unix:/run/openvswitch/db.sock"}));
  const bool in_kernel = node_.run({"test", "-d", "/sys/module/openvswitch"}).exit_code == 0;
  must({"add-br", "ovs0", "--", "set", "Bridge", "ovs0", in_kernel ? "datapath_type=system" : "datapath_type=netdev"});
}

OpenVswitch::~OpenVswitch() {
  node_.run({"ovs-vsctl", "--timeout=5", "--if-exists", "del-br", "ovs0"});
  for (auto* program : {&switch_, &database_})
    if (*program) {
      (*program)->signal(SIGTERM);
      (*program)->wait();
    }
  node_.run({"rm", "-rf", "/run/openvswitch", "/var/lib/plumb-test"});
}

std::string OpenVswitch::must(const Words& arguments) const {
  Words command{"ovs-vsctl", "--timeout=20"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return node_.must(command);
}

}  // namespace plumb::lab
