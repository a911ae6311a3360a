// Arrivals: notices when the engine has moved a link into its container, and what becomes of the carriers of the node's
// devices.
//
// The engine tells a driver nothing after Join. The kernel does: the link leaves the node's namespace, and is up with
// its addresses in the sandbox a moment later. Nothing here delays or fails a start. No namespace is held for longer
// than an arrival takes: one that is held would outlive its container, and its address with it.
//
// Threads: one of its own, which all waits share; the functions are safe from any. Privilege: CAP_NET_ADMIN,
// CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netns/link/link.h"
#include "netns/socket/route_socket.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/record/record.h"
#include "plugin/driver/record/way_out.h"
#include "plugin/node/host_link.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb::driver {

// An endpoint whose link arrives, or has arrived.
struct Arrival {
  EndpointRecord endpoint;
  std::vector<HostSide> host;  // what its namespace has to know of the node
  std::vector<OwnRoute> way;   // default routes that the engine does not make
};

// What a link in its container was found with.
struct Greeting {
  std::vector<Cidr> present;  // the addresses on it
  bool usable = false;        // it is up, and has all of the endpoint's
};
// Makes the link keep its answers apart, and once it is usable the ways there that the engine does not make. `inside`:
// a conversation with the container's namespace, from a thread that is there. What fails is said.
[[nodiscard]] Greeting greet(netns::RouteSocket& inside, const netns::Link& link, const Arrival& arrival);

// What it tells, by its own thread, with no lock held.
struct ArrivalHooks {
  // The addresses are on the link, which is up. The endpoint may have been forgotten meanwhile.
  std::function<void(const std::string& endpoint, const netns::Link& link)> arrived;
  // A device is new, or its carrier has changed, or was away for a moment (`flapped`).
  std::function<void(const std::string& device, bool up, bool flapped)> carrier;
};

class Arrivals {
 public:
  // Errors: permission.
  [[nodiscard]] static Result<Arrivals> start(Metrics& metrics, ArrivalHooks hooks);
  Arrivals(Arrivals&&) noexcept;
  Arrivals& operator=(Arrivals&&) = delete;
  ~Arrivals();

  // The engine is about to move the link. Call it before the engine is answered.
  void expect(Arrival arrival);
  // The link is in its container already: an endpoint of before this driver's start. `usable`: as it has been greeted
  // there; nothing: it is still to become so.
  void resume(Arrival arrival, const std::optional<netns::Link>& usable);
  // The link is about to go: it is not waited for any more.
  void forget(const std::string& endpoint);

 private:
  struct Loop;
  explicit Arrivals(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace plumb::driver
