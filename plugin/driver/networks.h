// Networks: the driver's networks and endpoints, and what the engine asks about them.
//
// Every function may be called again with the same arguments, after an answer that was lost or by an engine that has
// forgotten, and unknown ids are no error where something is to go. Nothing here asks the engine, which holds a
// container's lock while it waits, and every wait has an end.
//
// Calls that were cut. When a connection breaks before its answer, as it does with a driver that is killed, the engine
// sends the call again, but without the body, which it has spent (moby pkg/plugins/client.go). Such a call cannot be
// carried out, nor does it say what it is about; it is refused, and the engine goes on as if the first had been refused
// (what it makes) or done (what it removes), and may never say that id again. What became of it is inferred:
// - A network. After a CreateNetwork or DeleteNetwork without a body, the engine's next act is to release the pools of
//   just that network. So a pool that is released soon after one, of a network without endpoints, says that the engine
//   has no such network any more: it is removed (network_call_was_cut(), pool_released()).
// - An endpoint. One that is known from before the start of this driver, or of the engine, is left over until a call is
//   about it again: its CreateEndpoint, Join or DeleteEndpoint may have been cut. While the link of such an endpoint is
//   on the node, its address goes to whoever asks for it (is_abandoned()). And any endpoint whose link is on the node,
//   or nowhere, after the engine had two minutes to take it, is cleared away (collect()).
// It is safe, since none of this ever touches a link that is in a container, and the engine moves it there within
// milliseconds of Join. A link on the node is down and answers nobody, and a network without endpoints serves nobody.
// At worst the engine returns to what is gone: then it is told so (not_found), and the container is started again.
//
// After a start. The engine waits for the driver, so what open() does is to read the records: all networks, endpoints
// and leases are known before the first call, and none of their addresses is anybody else's. Where the links are is
// looked at afterwards, by some threads (look_at_all()), each endpoint once, by whoever has its id first (id_lock.h):
// so a call finds every endpoint that it is about looked at, and waits for no other one. What asks without an id, for
// an address or of a network, looks at those first that its answer depends on (see()). Until then nothing is taken from
// an endpoint: in its container the kernel answers for its address, and off its link, where a claim had put it, it
// stays. A driver that is killed meanwhile begins again.
//
// Threads: safe from any; calls about one endpoint or network come one after the other (id_lock.h), a question to the
// LAN holds no other lock. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, write access to the store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/driver/arrivals.h"
#include "plugin/driver/claim/endpoint_claims.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/record/record.h"
#include "plugin/driver/record/store.h"
#include "plugin/driver/record/way_out.h"
#include "specs/value/result.h"

namespace plumb::driver {

// CreateEndpoint's `Interface`: what the engine, or its user, has chosen already.
struct WantedInterface {
  std::vector<Cidr> addresses;
  std::optional<Mac> mac;
};

// Join's answer.
struct JoinAnswer {
  std::string device;
  std::string prefix;  // of its name in the container
  WayOut way;
};

class Networks {
 public:
  // Reads the store (plugin/driver/record/read_records.h), and removes links on the node that no record is of.
  [[nodiscard]] static Result<std::unique_ptr<Networks>> open(Store& store, Metrics& metrics);
  Networks(const Networks&) = delete;
  Networks& operator=(const Networks&) = delete;
  ~Networks();
  // Begins to look at the endpoints of before this start, once: what did not survive is cleared away, and what lives is
  // claimed and announced. `done` is called at the end, by a thread of its own, unless the driver ends before.
  struct Looked {
    std::size_t endpoints = 0;
    std::size_t cleared = 0;
  };
  void look_at_all(std::function<void(const Looked&)> done);

  // Errors: exists (of that id, with other options), those of parse_options() and check_parent(), refused (a
  // container of another network uses the parent in a way that the kernel does not allow beside this one).
  [[nodiscard]] Result<NetworkRecord> create_network(const std::string& id,
                                                     const std::map<std::string, std::string>& options, bool internal,
                                                     const std::vector<Subnet>& subnets);
  [[nodiscard]] Result<void> delete_network(const std::string& id);

  // Errors: not_found (no such network), conflict (somebody on the LAN, or another endpoint, has the address), those of
  // the kernel. Nothing is left on an error.
  [[nodiscard]] Result<EndpointRecord> create_endpoint(const std::string& network, const std::string& id,
                                                       const WantedInterface& wanted);
  [[nodiscard]] Result<void> delete_endpoint(const std::string& id);
  // Errors: not_found; conflict (somebody has claimed an address since).
  [[nodiscard]] Result<JoinAnswer> join(const std::string& id, const std::string& sandbox);
  // The engine's last call of a start, and one whenever another network becomes the container's way out. Errors of a
  // start: conflict, which the engine shows as that of join().
  [[nodiscard]] Result<void> check_start(const std::string& id);
  void leave(const std::string& id);
  [[nodiscard]] std::optional<EndpointRecord> find_endpoint(const std::string& id);

  [[nodiscard]] std::size_t network_count();
  [[nodiscard]] std::size_t endpoint_count();

  // The engine has been started anew: endpoints that it has forgotten are cleared away, once it had time to say.
  void engine_started();

  // A call that makes or removes a network has come without its body: the driver died over it, and the engine, which
  // repeats it so, goes on as if it had been refused or done.
  void network_call_was_cut();
  // The engine has released a pool of the network. After such a cut it has no network of that id any more, whatever is
  // remembered of it; else DeleteNetwork has come already.
  void pool_released(const std::string& network);

  // For Pools (Neighbourhood): the endpoint on that network's uplink that has the address, or empty; and whether
  // somebody on the LAN answers for it. An address found free is kept from others, for the endpoint that is made with
  // it next, until it is given back.
  [[nodiscard]] std::string endpoint_with(const std::string& network, const IpAddress& address);
  [[nodiscard]] Result<bool> answers(const std::string& network, const IpAddress& address);
  // And the node's place on the network's parent; that of a node without the device where it cannot be looked at.
  [[nodiscard]] std::uint64_t place(const std::string& network);
  void give_back(const std::string& network, const IpAddress& address);

 private:
  using Clock = std::chrono::steady_clock;
  class IdLock;
  Networks(Store& store, Metrics& metrics, std::string boot);

  // networks.cc
  Result<void> load();
  Result<void> check_neighbours(const std::string& device, IpMode mode);
  static Result<void> check_other_ipvlans(const std::string& device, IpMode mode);
  Result<NetworkRecord> find_network(const std::string& id);
  void count();

  // first_look.cc
  void see(const std::string& id);
  void see_network(const std::string& network);
  void look_first(const std::string& id);
  Result<void> look(const EndpointRecord& record);
  void resume_on_node(const EndpointRecord& record, const Arrival& arrival);
  Result<void> resume_inside(const EndpointRecord& record, const Arrival& arrival, const netns::Link& link,
                             const Greeting& greeting);

  // endpoints.cc
  Result<EndpointRecord> plan_endpoint(const NetworkRecord& network, const std::string& id,
                                       const WantedInterface& wanted);
  void remember_mac(const EndpointRecord& endpoint);
  Mac mac_for(const NetworkRecord& network, const std::vector<Cidr>& addresses);
  Result<void> check_not_lost(const std::string& id);
  Result<EndpointRecord> make_endpoint(const NetworkRecord& network, const EndpointRecord& endpoint);
  std::vector<EndpointRecord> holders(const std::string& device, const IpAddress& address);
  bool is_abandoned(const EndpointRecord& endpoint);
  Result<void> enter(const EndpointRecord& endpoint);
  Result<void> claim(const NetworkRecord& network, const EndpointRecord& endpoint);
  bool is_ending(const Mac& rival);
  Result<void> apply_conflict_policy(const NetworkRecord& network, const EndpointRecord& endpoint,
                                     const EndpointClaims::Rival& rival);
  NetworkRecord network_of(const EndpointRecord& endpoint);
  Arrival arrival_of(const EndpointRecord& endpoint);
  // Everything of the endpoint: link, the node's ways to it, record. What fails is said, and the record stays then.
  Result<void> clear(const EndpointRecord& endpoint);

  // housekeeping.cc
  void call_housekeeper();
  void lost_early(const std::string& id);
  void keep_later(const std::string& id, const IpAddress& address, const claim::Kept& kept);
  void write_claims(const std::string& id, const std::map<IpAddress, claim::Kept>& claims);
  void refuse(const std::string& id);
  void watch_over(const std::string& id, std::chrono::seconds after);
  void collect(const std::string& id);
  void run_housekeeper(const std::stop_token& stop);

  // The engine takes the link of an endpoint within milliseconds; after this it has forgotten it.
  static constexpr std::chrono::seconds kEnginePatience{120};
  // From the repeat of a cut call to the release of the pools, which follows at once.
  static constexpr std::chrono::seconds kReleaseAfterCut{30};
  // The kernel takes a dead container's namespace down in its own time, and its link answers until then.
  static constexpr std::chrono::seconds kNamespaceEnd{3};
  // Looks at once, after a start: the kernel's own locks let no more through.
  static constexpr unsigned kLookers = 4;
  // A look for which descriptors were short is repeated after this.
  static constexpr std::chrono::seconds kLookedAgain{1};
  // Between two questions to a namespace that ends.
  static constexpr std::chrono::milliseconds kAskedAgain{40};

  Store& store_;
  Metrics& metrics_;
  std::string boot_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, NetworkRecord> networks_;
  std::map<std::string, EndpointRecord> endpoints_;
  std::set<std::string> busy_;  // endpoints that a call is about now
  std::condition_variable id_freed_;
  std::set<std::string> unseen_;  // endpoints of before this start that nobody has looked at yet
  // Endpoints of before the start of this driver, or of the engine, that no call was about since: the call that takes
  // them, or removes them, may have been cut. As long as their link is on the node, whoever asks for their address gets
  // it; one that is in its container is not touched.
  std::set<std::string> left_over_;
  // By endpoint that the node itself was given a way to, or is being given one; others' ways are not theirs to take.
  std::map<std::string, std::vector<HostSide>> host_sides_;
  // The MACs that were chosen, by network and address: a container that is restarted is a new endpoint, and keeps both.
  std::map<std::pair<std::string, IpAddress>, Mac> macs_;
  std::map<Mac, Clock::time_point> gone_;  // of endpoints cleared away, until when their namespaces may take to end
  std::map<std::string, Clock::time_point> overdue_;              // endpoints to look after, and when
  std::map<std::string, std::map<IpAddress, claim::Kept>> kept_;  // of endpoints, to be written
  std::set<std::string> refused_;  // endpoints that have lost an address before they arrived
  Clock::time_point network_cut_until_{};
  bool housekeeper_called_ = false;  // for the housekeeper to look again
  std::condition_variable_any housekeeper_wakeup_;
  // Last, in this order: each uses the others until it has ended. They are called without the mutex.
  std::unique_ptr<EndpointClaims> claims_;
  std::optional<Arrivals> arrivals_;
  std::jthread housekeeper_;
  std::jthread first_look_;
};

}  // namespace plumb::driver
