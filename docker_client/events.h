// Events: what happens to containers, as the engine tells it.
//
// Threads: an EventStream belongs to one thread at a time; it may outlive its Client. Privilege: that of the Client.
// Events are hints: the engine keeps the last 256 and drops them for a reader that is slow (queue of 1024, moby
// daemon/events). After open(), list and inspect, and only then apply what next() gives; after `unreachable`, do it all
// again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"

namespace plumb::docker {

struct Event {
  std::string type;  // "container", "network", ...
  std::string
      action;  // Docker's words: start, die, destroy, ...; Podman's "died" is given as die and its "remove" as destroy
  std::string id;  // of the object
  std::map<std::string, std::string> attributes;
  std::int64_t time_ns = 0;  // nanoseconds since 1970
};

struct EventFilter {
  std::vector<std::string> types{};  // empty: all
  // "key" or "key=value"; all of them must match. An engine that cannot filter by a key (manners.h) sends all.
  std::vector<std::string> labels{};
  std::int64_t since = 0;  // seconds since 1970; 0: from now on
  // Docker's words; empty: all. An engine that cannot filter by them (manners.h) sends all.
  std::vector<std::string> actions{};
};

class EventStream {
 public:
  // Returns when the engine has the subscription; the call's deadline is for that.
  [[nodiscard]] static Result<EventStream> open(Client& client, const EventFilter& filter, const Call& call);

  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;
  ~EventStream();

  // The next event, in the engine's order. Errors: `timeout` (call again), `cancelled`, `unreachable` (the engine ended
  // the stream), `failed` (not JSON).
  [[nodiscard]] Result<Event> next(const Call& call);

 private:
  struct State;
  explicit EventStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One object of GET /events, in the form of 1.40 (status, id, from beside Actor) or of 1.52 (Actor only). Pure. Errors:
// `failed`.
[[nodiscard]] Result<Event> decode_event(std::string_view json);

}  // namespace plumb::docker
