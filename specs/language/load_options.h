// LoadOptions: what a spec is loaded for, which its scopes and references depend on.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <string>

namespace plumb {

struct LoadOptions {
  std::string file;                 // shown in positions
  std::string service;              // the service's name: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 bytes
  std::string node;                 // the node to load for; matched with the spec's node names without regard to case
  std::string name_space = "root";  // {namespace}
  std::string cluster = "default";  // {clustername}
};

}  // namespace plumb
