// The world of fuzz_driver: a real driver (store, networks, pools, protocol) in namespaces of the fuzzer's own, with
// devices to make networks on, and an engine's hands to move links.
//
// Threads: the fuzzer's only, but for those of the driver. Privilege: root.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "plugin/daemon/http_server.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/networks.h"
#include "plugin/driver/pools.h"
#include "plugin/driver/protocol.h"
#include "plugin/driver/store.h"

namespace plumb::test {

// Ends the process with the text: libFuzzer keeps the input and shows where.
[[noreturn]] void broken(const std::string& what);

template <typename T>
T must(Result<T> result) {
  if (!result) broken(result.error().what);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class DriverWorld {
 public:
  // Namespaces for network and mounts, eth0 (a pair's end, up) and br0 (a bridge with a port), a namespace at
  // /run/netns/box, and an empty folder of records.
  DriverWorld();

  [[nodiscard]] driver::Reply answer(const driver::Request& request);
  // The driver ends, and another one reads its records.
  void restart();
  // What the engine does after Join and after Leave.
  void take_links();
  void bring_links_back();

  // What holds after every call: a link of an endpoint has a record, wherever it is; records are read again; the driver
  // counts what it has written.
  void check();
  // Everything is removed as an engine would; nothing may be left of it.
  void clear();

 private:
  struct Driver {
    explicit Driver(driver::Store opened);
    driver::Store store;
    driver::Metrics metrics;
    std::unique_ptr<driver::Networks> networks;
    driver::Pools pools;
    driver::Protocol protocol;
  };

  void start();
  void check_links(const netns::Namespace& where);
  void check_empty();
  void move_links(const netns::Namespace& from, const netns::Namespace& to);

  std::optional<netns::Namespace> node_;
  std::optional<netns::Namespace> box_;
  std::size_t devices_ = 0;  // of the node, without any network
  std::unique_ptr<Driver> driver_;
};

}  // namespace plumb::test
