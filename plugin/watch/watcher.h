// The watcher: waits for all that may happen to the started services of a node, and has them looked after.
//
// Nothing is polled. One thread waits: for the kernel's word on links, addresses, routes and the ends of processes, for
// packets of rivals, for the files of what is started, and for the threads that listen to engines or look after a
// service. Timers run only while a heal, an announcement or a rival is pending. Threads: as said; run() in main's.
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
#include "plugin/watch/engine_ear.h"
#include "plugin/watch/healer.h"
#include "plugin/watch/metrics.h"
#include "plugin/watch/rounds.h"

namespace plumb::watch {

class Watcher {
 public:
  // `timing`: each heal's critical path is in the log. Errors: permission.
  [[nodiscard]] static Result<std::unique_ptr<Watcher>> open(Metrics& metrics, bool timing, std::stop_token stop);
  // Until the stop. `alive` is called every `beat`, if that is set: by who waits, so it says that waiting works.
  void run(std::optional<milliseconds> beat, const std::function<void()>& alive);

 private:
  // A device of the node has changed, or, without a name, something else of the node has.
  struct NodeChange {
    std::string device;
    bool gone = false;
    bool other_carrier = false;
    friend auto operator<=>(const NodeChange&, const NodeChange&) = default;
  };
  struct Watched {
    Memory memory;
    std::vector<Sentinel> sentinels;
    std::set<std::string> uplinks;
    std::set<std::string> ports;
    std::string engine_socket;
    std::optional<Time> due;
    std::jthread worker;  // looks after it
    bool busy = false;
    bool dirty = true;  // something has happened
    bool ailing = false;
    bool on_node = false;
    // While it was busy. What it has on the node may be known only after that.
    std::set<NodeChange> changes;
    std::set<std::string> returned;  // carriers that came back
    bool engine_lost = false;
  };
  // What other threads have to say.
  struct Mail {
    std::vector<Finding> findings;
    std::set<std::string> happened;
    std::vector<std::string> connected;  // sockets of engines
    std::vector<std::string> lost;
    struct Run {
      std::vector<Claimed> claimed;
      std::string lock_path;
      Generation generation;
    };
    std::vector<Run> claimed;
  };
  // What a descriptor is waited for.
  struct Source {
    enum class Kind { wake, files, node, process, changes, claim } kind = Kind::wake;
    std::string service;
    std::string key;  // of the sentinel
    std::size_t claim = 0;
  };

  Watcher(Metrics& metrics, bool timing, std::stop_token stop, UniqueFd wake, UniqueFd files, netns::LinkWatch node)
      : metrics_(metrics),
        timing_(timing),
        stop_(std::move(stop)),
        rounds_(metrics),
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
  void hear_node();
  static void heed(Watched& watched, const NodeChange& change);
  static bool concerns(const Watched& watched, const NodeChange& change);
  void look_at_carriers();
  void hear_process(Watched& watched, const std::string& key);
  void hear_claim(const std::string& service, Sentinel& sentinel, GuardedClaim& guarded);
  void hear_engine(const std::string& socket, bool connected);
  void carrier_returned(const std::string& device);
  void announce_all(const std::string& service, const Sentinel& sentinel, const std::string& device);
  void rivals_on_time();
  void announce(const std::string& service, const Sentinel& sentinel, const Claim& claim, unsigned rounds);
  static Sentinel* find(Watched& watched, const std::string& key);

  Metrics& metrics_;
  bool timing_;
  std::stop_token stop_;
  Rounds rounds_;
  UniqueFd wake_;
  UniqueFd files_;  // inotify on the folder of what is started
  netns::LinkWatch node_;
  bool node_routes_ = false;
  std::map<std::string, bool> carriers_;  // of devices of the node, as last heard
  std::mutex mutex_;
  Mail mail_;  // under the mutex
  std::map<std::string, Watched> services_;
  std::size_t busy_ = 0;
  std::set<std::string> engines_heard_;  // sockets that were connected once
  std::string told_;
  std::map<std::string, std::unique_ptr<EngineEar>> engines_;  // by socket; last: their threads use the others
};

}  // namespace plumb::watch
