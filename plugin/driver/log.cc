#include "plugin/driver/log.h"

#include <cstdio>

namespace plumb::driver {

void say_of_endpoint(const std::string& id, const std::string& what) {
  std::fprintf(stderr, "plumb driver: endpoint %.12s: %s\n", id.c_str(), what.c_str());
}

void say_of_network(const std::string& id, const std::string& what) {
  std::fprintf(stderr, "plumb driver: network %.12s: %s\n", id.c_str(), what.c_str());
}

}  // namespace plumb::driver
