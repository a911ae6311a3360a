#include "driver_world.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "netns/link/link.h"
#include "netns/link/moved_link.h"
#include "plugin/driver/record/record.h"
#include "plugin/node/device.h"

namespace plumb::test {

namespace {

// libFuzzer closes standard error, of which the driver makes much use (-close_fd_mask=2).
const int kReport = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
constexpr const char* kState = "/run/plumb-fuzz";
constexpr const char* kDevices =
    "ip link set lo up && ip link add eth0 type veth peer name lan0 && ip addr add 10.0.3.11/24 dev eth0 && "
    "ip link set eth0 up && ip link set lan0 up && ip link add br0 type bridge && ip link add port0 type veth peer "
    "name "
    "port1 && ip link set port0 master br0 && ip link set br0 up && ip link set port0 up && ip link set port1 up && "
    "ip netns add box && ip netns exec box ip link set lo up";

void cover(const char* path) {
  if (::mount("tmpfs", path, "tmpfs", 0, "size=64m") != 0) broken(std::string("mount a tmpfs on ") + path);
}

netns::Namespace own_namespace() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) broken("unshare: the fuzzer of the driver has to be root");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) broken("make the mounts private");
  cover("/run");
  if (::mount("sysfs", "/sys", "sysfs", 0, nullptr) != 0) broken("mount a sysfs");
  if (std::system(kDevices) != 0) broken("make the devices");  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a constant
  return must(netns::Namespace::current());
}

bool is_endpoints(const netns::Link& link) {
  const auto& name = link.name.str();
  return name.starts_with("pe") || (name.starts_with("po") && !name.starts_with("port"));
}

template <typename Record>
std::size_t read_again(const driver::Store& store, driver::RecordKind kind,
                       Result<Record> (*decode)(const std::string&)) {
  const auto all = must(store.load(kind));
  for (const auto& [id, text] : all)
    if (must(decode(text)).id != id) broken("the record of " + id + " is another's");
  return all.size();
}

driver::Neighbourhood neighbours(driver::Networks& networks) {
  return {
      [&](const std::string& network, const IpAddress& address) { return networks.endpoint_with(network, address); },
      [&](const std::string& network, const IpAddress& address) { return networks.answers(network, address); }};
}

}  // namespace

void broken(const std::string& what) {
  ::dprintf(kReport, "fuzz_driver: %s\n", what.c_str());
  __builtin_trap();
}

DriverWorld::Driver::Driver(driver::Store opened)
    : store(std::move(opened)),
      networks(must(driver::Networks::open(store, metrics))),
      pools(must(driver::Pools::open(store, neighbours(*networks)))),
      protocol(*networks, pools, metrics) {}

DriverWorld::DriverWorld() : node_(own_namespace()), box_(must(netns::Namespace::from_path("/run/netns/box"))) {
  auto socket = must(netns::RouteSocket::open(*node_));
  devices_ = must(netns::links(socket)).size();
  start();
}

void DriverWorld::start() { driver_ = std::make_unique<Driver>(must(driver::Store::open(kState))); }

void DriverWorld::restart() {
  driver_.reset();  // it holds the folder's lock
  start();
}

HttpReply DriverWorld::answer(const HttpRequest& request) { return driver_->protocol.answer(request); }

void DriverWorld::move_links(const netns::Namespace& from, const netns::Namespace& to) {
  auto source = must(netns::RouteSocket::open(from));
  auto target = must(netns::RouteSocket::open(to));
  for (const auto& link : must(netns::links(source)))
    if (link.name.str().starts_with("pe"))
      static_cast<void>(netns::move_link(source, target, {link.index, link.name, link.alias, {}, {}, true}));
}

// The engine moves a link where Join said; a link that was not joined stays.
void DriverWorld::take_links() {
  for (const auto& [id, text] : must(driver_->store.load(driver::RecordKind::endpoint))) {
    const auto record = must(driver::decode_endpoint(text));
    if (record.sandbox != "/run/netns/box" || record.was) continue;
    auto source = must(netns::RouteSocket::open(*node_));
    auto target = must(netns::RouteSocket::open(*box_));
    if (const auto link = must(device_named(source, record.device)))
      static_cast<void>(netns::move_link(source, target, {link->index, link->name, link->alias, {}, {}, true}));
  }
}

void DriverWorld::bring_links_back() { move_links(*box_, *node_); }

void DriverWorld::check_links(const netns::Namespace& where) {
  auto socket = must(netns::RouteSocket::open(where));
  const auto records = must(driver_->store.load(driver::RecordKind::endpoint));
  for (const auto& link : must(netns::links(socket))) {
    if (!is_endpoints(link)) continue;
    bool known = false;
    for (const auto& [id, text] : records) {
      const auto record = must(driver::decode_endpoint(text));
      known = known || link.name.str() == record.device || link.name.str() == record.outer;
    }
    if (!known) broken("nobody knows the link " + link.name.str());
  }
}

void DriverWorld::check() {
  const auto& store = driver_->store;
  if (read_again(store, driver::RecordKind::network, driver::decode_network) != driver_->networks->network_count())
    broken("there are more networks, or fewer, than records");
  if (read_again(store, driver::RecordKind::endpoint, driver::decode_endpoint) != driver_->networks->endpoint_count())
    broken("there are more endpoints, or fewer, than records");
  read_again(store, driver::RecordKind::pool, driver::decode_pool);
  check_links(*node_);
  check_links(*box_);
}

void DriverWorld::clear() {
  bring_links_back();
  for (const auto& [id, text] : must(driver_->store.load(driver::RecordKind::endpoint)))
    must(driver_->networks->delete_endpoint(id));
  for (const auto& [id, text] : must(driver_->store.load(driver::RecordKind::network)))
    must(driver_->networks->delete_network(id));
  for (const auto& [id, text] : must(driver_->store.load(driver::RecordKind::pool)))
    must(driver_->pools.release_pool(id));
  check();
  check_empty();
}

void DriverWorld::check_empty() {
  if (driver_->networks->endpoint_count() != 0 || driver_->networks->network_count() != 0) broken("something is left");
  auto socket = must(netns::RouteSocket::open(*node_));
  const auto left = must(netns::links(socket));
  for (const auto& link : left)
    if (!link.alias.empty()) broken(link.name.str() + " is still marked: " + link.alias);
  if (left.size() != devices_) broken("the node has " + std::to_string(left.size()) + " devices");
}

}  // namespace plumb::test
