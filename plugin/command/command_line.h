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
  bool timing = false;
  bool quiet = false;
};

// The parsed command line, or the exit code when it is done with: help was printed (0) or the usage is wrong (2).
struct Parsed {
  std::optional<CommandLine> command;
  int exit_code = 0;
};
[[nodiscard]] Parsed parse_command_line(int argc, char** argv);

}  // namespace plumb
