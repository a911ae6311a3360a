// What is started on this node, and with which configuration: told by `plumb start` to `plumb watch`.
//
// A file for each service, /run/plumb/SERVICE.started: written whole when a start has succeeded, renamed first thing by
// stop and shutdown, and removed when they have succeeded; all under the service's lock. It holds the configuration
// itself, since a running service keeps the one that it was started with, whatever its file says by now. /run is lost
// at a reboot, as is what was started.
//
// Threads: safe from any. Privilege: write access to the run directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/verb/spec_file.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

struct Started {
  SpecFile file;
  SpecPlace place;
  std::string engine;  // the socket of the node's engine that it was started on; empty for one of its own, or none

  friend bool operator==(const Started& a, const Started& b) {
    return a.file.path == b.file.path && a.file.text == b.file.text && a.engine == b.engine &&
           a.place.config_dir == b.place.config_dir && a.place.node == b.place.node;
  }
};

// Pure: the file's text, and back. nullopt when it is not one.
[[nodiscard]] std::string encode_started(const Started& started);
[[nodiscard]] std::optional<Started> decode_started(const std::string& service, std::string_view text);

// Errors: the kernel's.
[[nodiscard]] Result<void> record_started(const Service& service, const SpecFile& file, const SpecPlace& place);
void forget_started(const std::string& service);
// For a stop that may have to be tried again: it is started no more, and what was is kept as SERVICE.stopping until
// forget_started() or the next start.
void begin_stopping(const std::string& service);
// nullopt: no such stop has been left undone.
[[nodiscard]] std::optional<Started> read_stopping(const std::string& service);

// A hand-over: this node withdraws the service's addresses as soon as another asks for them. A start or a stop ends
// that, since the file goes then: SERVICE.yielding. Errors: the kernel's.
[[nodiscard]] Result<std::string> begin_yielding(const std::string& service);

// What is started, or what a stop that was left undone has begun to stop. nullopt: neither.
[[nodiscard]] std::optional<Started> read_started_or_stopping(const std::string& service);

// The service, which lives on the engine that it was started on, whatever this process's environment says. nullopt: its
// configuration does not load.
[[nodiscard]] std::optional<Service> load_started(const Started& started);

// A service as it was started, whatever its file says by now: what a stop goes by.
struct AsStarted {
  Service service;
  Started started;
};
// read_started_or_stopping(), loaded. nullopt: there is none, or it does not load.
[[nodiscard]] std::optional<AsStarted> as_started(const std::string& service);

// Whether a stop of another configuration than this file's was left undone: it has to be finished first, as a start by
// the file would not find what it has left.
[[nodiscard]] bool stop_left_undone(const std::string& service, const SpecFile& file);
// Whether a start by `now` would leave an address on the node, or in a container of somebody else's, for ever: only the
// configuration that it was started with says that one on such a device is this service's. Pure.
[[nodiscard]] bool loses_addresses(const AsStarted& before, const Service& now);

// The services that have a file in the directory, and those that were started from one there that is gone, or by a
// later plumb; sorted.
[[nodiscard]] std::vector<std::string> present_services(const SpecPlace& place);

// Whether something says that it was started here, also to who may not read what.
[[nodiscard]] bool is_known_here(const std::string& service);
// nullopt: it is not started.
[[nodiscard]] std::optional<Started> read_started(const std::string& service);
[[nodiscard]] std::vector<std::string> started_services();
// The service whose file has this name; empty for any other file.
[[nodiscard]] std::string service_of_started_file(std::string_view file_name);

}  // namespace plumb
