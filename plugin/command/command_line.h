// The command line: what was asked for. The only file that knows the option parser.
//
// Threads: main's. Privilege: none.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "plugin/driver/driver.h"
#include "plugin/output/invocation.h"

namespace plumb {

enum class Action {
  validate,
  plan,
  start,
  stop,
  restart,
  prepare,
  activate,
  boot,
  shutdown,
  status,
  doctor,
  ls,
  logs,
  enter,
  keywords,
  docker,
  driver,
  watch,
  ocf,
  version
};

struct CommandLine : Invocation {
  Action action = Action::version;
  std::string keyword;                 // of `keywords`
  std::vector<std::string> arguments;  // of `docker`; the containers of `logs`; the command of `enter`
  std::string container;               // of `enter`
  bool inside = false;                 // of `enter`: in the container itself
  bool follow = false;                 // of `logs`, as the next three
  bool timestamps = false;
  std::optional<unsigned> tail;
  std::optional<std::chrono::milliseconds> since;
  std::string plan_verb = "start";  // of `plan`
  driver::DriverCommand driver;
  std::string ocf_action;     // of `ocf`
  std::string watch_metrics;  // of `watch`: a socket; empty: none
  // Of `boot` and `shutdown`, for all services together; 0: none. The default is a minute less than their unit's
  // (plugin/systemd/plumb-boot.service.in).
  std::chrono::milliseconds time_limit = std::chrono::minutes{15};
  bool timing = false;
  bool ask_engine = false;  // also about what is whole by its record
  bool quiet = false;
  bool force = false;  // of `activate`
};

// The parsed command line, or the exit code when it is done with: help was printed (0), the usage is wrong (2), or the
// parser itself could not be set up (1), which is a fault of plumb.
struct Parsed {
  std::optional<CommandLine> command;
  int exit_code = 0;
};
[[nodiscard]] Parsed parse_command_line(int argc, char** argv);

[[nodiscard]] std::vector<std::string> command_names();

// Names that one command gives to two of its options, as "enter: container". CLI11 throws for them from its release 2.4
// on, and takes either before: there are to be none.
[[nodiscard]] std::vector<std::string> names_given_twice();

}  // namespace plumb
