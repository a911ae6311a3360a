// The list of the services of this node: `plumb ls`.
//
// Threads: observes the services on threads of its own, and joins them. Privilege: as observer.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/command/command_line.h"
#include "specs/value/result.h"

namespace plumb {

// A line of the list.
struct ListedService {
  std::string name;
  std::string state;  // as `status` has it; "standby": down, but what is on standby is up; "invalid": with errors
  std::string node;
  std::string topology;
  bool here = false;  // the node is one of the service's
  std::vector<std::string> addresses;
  std::size_t errors = 0;             // of an invalid one
  std::vector<std::string> problems;  // of the service as a whole, a sentence each
  std::optional<Error> failure;       // why its state could not be seen at all
};

// Looks at the service, and never fails: what went wrong is in the answer.
[[nodiscard]] ListedService look_at_service(const std::string& name, const SpecPlace& place);

[[nodiscard]] std::string list_text(const std::vector<ListedService>& services, bool colour);
[[nodiscard]] std::string list_json(const std::vector<ListedService>& services);

// Prints the list. Exit code: that of the worst finding; a service that is down is none.
[[nodiscard]] int list_services(const CommandLine& command);

}  // namespace plumb
