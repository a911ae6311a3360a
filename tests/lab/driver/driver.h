// The network driver in a node, as a user of Docker has it: started, ended, killed; networks and containers upon it.
//
// What Docker says of a command that failed is text, so that a test reads: CHECK(driver.run(...) == ""). Networks and
// containers carry a label, by which they go when the object does, also those of a test that was killed.
//
// Threads: one. Privilege: root, as Node. One object for a node at a time.
// PLUMB_DRIVER names the way that the driver runs there: `program` (the default) is `plumb driver`, `plugin` a managed
// plugin made by ci/plugin. The tests ask name() for what `docker network create -d` is to be given, and know nothing
// else of it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/lab/node.h"

namespace plumb::lab {

struct DriverOptions {
  bool metrics = false;  // serves them
};

// A way to run the driver in a node.
class DriverProcess {
 public:
  DriverProcess() = default;
  DriverProcess(const DriverProcess&) = delete;
  DriverProcess& operator=(const DriverProcess&) = delete;
  virtual ~DriverProcess() = default;

  [[nodiscard]] virtual std::string name() const = 0;    // "plumb"
  [[nodiscard]] virtual std::string folder() const = 0;  // of its records, in the node
  [[nodiscard]] virtual std::string socket() const = 0;  // that Docker connects to
  [[nodiscard]] virtual std::string metrics_socket() const = 0;
  virtual bool start() = 0;       // returns when it serves; false: it does not
  virtual void stop() = 0;        // in good order
  virtual void kill() = 0;        // returns when it is gone
  virtual std::string log() = 0;  // what it has said since its first start
  [[nodiscard]] virtual bool runs() const = 0;
  // Of its own, as Node::state() has them: another one's after it was killed and started.
  [[nodiscard]] virtual std::set<std::string> namespaces() const { return {}; }
};

class DriverOn {
 public:
  // Starts it. Aborts the test program when it does not come to serve.
  explicit DriverOn(const std::string& node = "n1", DriverOptions options = {});
  DriverOn(const DriverOn&) = delete;
  DriverOn& operator=(const DriverOn&) = delete;
  // Removes the containers and networks, ends the driver and removes its records.
  ~DriverOn();

  [[nodiscard]] const Node& node() const { return node_; }
  [[nodiscard]] std::string name() const { return process_->name(); }
  [[nodiscard]] std::string socket() const { return process_->socket(); }
  void start();
  void stop() { process_->stop(); }
  void kill() { process_->kill(); }
  std::string log() { return process_->log(); }

  // docker network create, with the driver's address management, and the engine's own; docker run -d. They return what
  // is wrong, or nothing. A container that cannot start is removed. With busybox it sleeps.
  [[nodiscard]] std::string network(const std::string& name, const Words& options) const;
  [[nodiscard]] std::string network_of_engine(const std::string& name, const Words& options) const;
  [[nodiscard]] std::string run(const std::string& name, const Words& options,
                                const std::string& image = "busybox") const;
  // A busybox with a MAC of its own, by the engine's API: newer clients have no word for it that an older engine knows.
  [[nodiscard]] std::string run_with_mac(const std::string& name, const std::string& network,
                                         const std::string& address, const std::string& mac) const;
  // Any other command: what is wrong, or nothing.
  [[nodiscard]] std::string docker(const Words& arguments) const;
  // The output without the last line end; empty when it fails.
  [[nodiscard]] std::string ask(const Words& arguments) const;
  // The same of a program in a container.
  [[nodiscard]] std::string inside(const std::string& container, const Words& command) const;
  [[nodiscard]] std::string mac_of(const std::string& container) const { return look(container, "address"); }
  // A file of /sys/class/net/eth0.
  [[nodiscard]] std::string look(const std::string& container, const std::string& file) const;
  // The IPv4 address of its only network.
  [[nodiscard]] std::string address_of(const std::string& container) const;
  // Removes containers by force.
  [[nodiscard]] std::string remove(const Words& containers) const;

  // "networks/ID.json", "endpoints/ID.json", "pools/ID.json", "leases/POOL/ADDRESS".
  [[nodiscard]] std::set<std::string> records() const;
  // The records of its endpoints, as text.
  [[nodiscard]] std::string endpoints() const;
  // What is in the node, with the records, but for what engines keep for good.
  [[nodiscard]] State state() const;
  // What differs from `before`; empty when all is as it was (difference_to_now).
  [[nodiscard]] std::string changed(const State& before) const;

  // The metrics by name and labels; empty when they are not served.
  [[nodiscard]] std::map<std::string, double> metrics() const;
  [[nodiscard]] std::string metrics_socket() const { return process_->metrics_socket(); }

 private:
  void clear() const;

  Node node_;
  std::unique_ptr<DriverProcess> process_;
};

// Whether `text` has `part` in it.
[[nodiscard]] bool says(const std::string& text, const std::string& part);
// Whether the address answers a ping, and serves nginx's page, to somebody in the node. A switch may need a second
// until it forwards for a port whose carrier has just come.
[[nodiscard]] bool pings(const Node& node, const std::string& address);
// That nobody answers several pings.
[[nodiscard]] bool is_silent(const Node& node, const std::string& address);
[[nodiscard]] bool serves(const Node& node, const std::string& address);
// ci/lab rival: a machine of the LAN with that address, gone when the object is.
class Rival {
 public:
  explicit Rival(const Words& arguments);
  Rival(const Rival&) = delete;
  Rival& operator=(const Rival&) = delete;
  ~Rival() { lab({"rival", "--gone"}); }
  [[nodiscard]] const std::string& mac() const { return mac_; }

 private:
  std::string mac_;
};

}  // namespace plumb::lab
