// The watcher: waits for all that may happen to the started services of a node, and has them looked after.
//
// Nothing is polled. One thread waits: for the kernel's word on links, addresses, routes and the ends of processes, for
// what becomes of claims, for the files of what is started, and for the threads that listen to engines or look after a
// service. Its timers run only while a heal is pending; the time of claims is their runner's. Threads: as said; run()
// in main's.
// Privilege: root, in effect; see plugin/verb/actions.h.
#pragma once

#include <poll.h>

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "netns/link/link_watch.h"
#include "plugin/node/carrier_change.h"
#include "plugin/watch/engine_watch.h"
#include "plugin/watch/healer.h"
#include "plugin/watch/metrics.h"
#include "plugin/watch/turns.h"

namespace plumb::watch {

class Watcher {
 public:
  // `timing`: each heal's critical path is in the log. Errors: permission.
  [[nodiscard]] static Result<std::unique_ptr<Watcher>> open(Metrics& metrics, bool timing, std::stop_token stop);
  // Until the stop. `alive` is called every `beat`, if that is set: by who waits, so it says that waiting works.
  void run(std::optional<milliseconds> beat, const std::function<void()>& alive);

 private:
  // A device of the node has changed, or what is on it has.
  struct NodeChange {
    std::string device;  // empty: of no known one
    bool gone = false;
    bool other_carrier = false;
    bool on_it = false;                // not the device itself
    std::optional<IpAddress> address;  // of it, or that a route by it leads to
    friend auto operator<=>(const NodeChange&, const NodeChange&) = default;
  };
  struct Watched {
    Memory memory;
    std::vector<NamespaceWatch> watches;
    std::set<std::string> uplinks;
    std::set<std::string> ports;
    std::set<IpAddress> addresses;
    std::string engine_socket;
    std::string lane = kNoLaneYet;
    std::optional<Time> due;
    std::optional<Time> dirty = Clock::now();  // something has happened, then
    std::jthread worker;                       // looks after it
    // While it was busy. What it has on the node may be known only after that.
    std::set<NodeChange> changes;
    std::set<std::string> returned;  // carriers that came back
    bool engine_lost = false;
    bool engine_is_its_own = false;
    bool busy = false;
    bool has_place = false;
    bool ailing = false;
    bool away = false;  // so was its engine when it was last looked at
  };
  // What other threads have to say.
  struct Mail {
    std::vector<Finding> findings;
    std::set<std::string> happened;
    std::vector<std::string> connected;  // sockets of engines
    std::vector<std::string> lost;
    std::vector<std::string> waiting;  // services, for a verb
    std::vector<ClaimNews> claims;
  };
  // What a descriptor is waited for.
  struct Source {
    enum class Kind { wake, files, node, process, changes } kind = Kind::wake;
    std::string service;
    std::string key;  // of the watch
  };

  Watcher(Metrics& metrics, bool timing, std::stop_token stop, std::shared_ptr<ClaimRunner> claims, UniqueFd wake,
          UniqueFd files, netns::LinkWatch node)
      : metrics_(metrics),
        timing_(timing),
        stop_(std::move(stop)),
        claims_{std::move(claims), std::make_shared<Withheld>(), metrics,
                [this](ClaimNews news) { post([&](Mail& mail) { mail.claims.push_back(std::move(news)); }); }},
        wake_(std::move(wake)),
        files_(std::move(files)),
        node_(std::move(node)) {}

  // watcher.cc
  void rouse() const;
  void collect(std::vector<pollfd>& waiting, std::vector<Source>& sources) const;
  [[nodiscard]] int timeout(std::optional<Time> beat) const;
  void hear(const Source& source);
  void on_time();
  void begin_work();
  void begin_work(const std::string& service, Watched& watched);
  [[nodiscard]] bool waits_for_engine(const Watched& watched) const;
  static void soil(Watched& watched);
  void leave_place(Watched& watched);
  void read_mail();
  void take(Finding finding);
  void mind_engine(const Finding& finding);
  void drop_unused_engines();
  void forget(const std::string& service);
  void tell_manager();
  template <typename F>
  void post(F&& write) {
    {
      const std::lock_guard lock(mutex_);
      write(mail_);
    }
    rouse();
  }

  // watcher_events.cc
  void hear_files();
  static void started_again(Watched& watched);
  void hear_node();
  static void heed(Watched& watched, const NodeChange& change);
  static bool concerns(const Watched& watched, const NodeChange& change);
  [[nodiscard]] std::string device_at(int index) const;
  void look_at_carriers();
  void hold_against(const GuardedClaim& guarded);
  void hear_process(Watched& watched, const std::string& key);
  void hear_claim(const ClaimNews& news);
  void hear_loss(const ClaimNews& news, GuardedClaim& guarded);
  void hear_rival(const ClaimNews& news, GuardedClaim& guarded);
  [[nodiscard]] static bool is_news(std::vector<Mac>& named, const Mac& mac);
  [[nodiscard]] bool has_carrier(const Claim& claim) const;
  template <typename F>
  void with_claims_on(const std::string& device, F&& what);
  void hear_engine(const std::string& socket, bool connected);
  void carrier_returned(const std::string& device);
  static void tell_return(const std::string& service, const NamespaceWatch& watch, const std::string& device);
  static NamespaceWatch* find(Watched& watched, const std::string& key);

  Metrics& metrics_;
  bool timing_;
  std::stop_token stop_;
  ClaimContext claims_;
  UniqueFd wake_;
  UniqueFd files_;  // inotify on the folder of what is started
  netns::LinkWatch node_;
  bool node_routes_ = false;
  NodeReading reading_{read_node};
  std::map<std::string, Carrier> carriers_;  // of devices of the node, as last heard
  std::mutex mutex_;
  Mail mail_;  // under the mutex
  std::map<std::string, Watched> services_;
  Turns turns_{kAtOnceOfOneEngine};
  std::set<std::string> engines_lost_;  // sockets that were connected, and are not
  std::string told_;
  std::map<std::string, std::unique_ptr<EngineWatch>> engines_;  // by socket; last: their threads use the others
};

}  // namespace plumb::watch
