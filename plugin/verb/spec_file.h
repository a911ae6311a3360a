// Finding a service's spec: /etc/plumb/NAME.conf, or a path.
//
// Threads: safe from any. Privilege: to read the file.
#pragma once

#include <string>
#include <vector>

#include "specs/language/diagnostic.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

struct SpecPlace {
  std::string config_dir = "/etc/plumb";
  std::string node;  // this node's name; empty: the host name
};

struct SpecFile {
  std::string path;
  std::string service;  // the file's name without .conf
  std::string text;
  std::vector<Diagnostic> trust = {};  // who else could have written it, where root is to run what it says
};

// The name of the service that `name_or_path` means; see read_spec().
[[nodiscard]] std::string service_name(const std::string& name_or_path);

// `name_or_path`: something with a '/' or ending in ".conf" is a path. Errors: not_found (with the services that there
// are), permission, spec (larger than 1 MiB, not a regular file).
[[nodiscard]] Result<SpecFile> read_spec(const std::string& name_or_path, const SpecPlace& place);

struct LoadedSpec {
  std::optional<Service> service;
  std::vector<Diagnostic> diagnostics;
  bool elsewhere = false;  // as Loaded has it
};
[[nodiscard]] LoadedSpec load_spec(const SpecFile& file, const SpecPlace& place);
// How many of them are errors.
[[nodiscard]] std::size_t error_count(const std::vector<Diagnostic>& diagnostics);

// The names of all services in the directory, sorted.
[[nodiscard]] std::vector<std::string> service_names(const SpecPlace& place);

// The host name up to its first dot, in lower case: as specs name nodes.
[[nodiscard]] std::string node_name();

}  // namespace plumb
