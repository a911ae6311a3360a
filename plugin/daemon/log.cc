#include "plugin/daemon/log.h"

#include <cstdio>

namespace plumb::watch {

void say(const std::string& service, const std::string& what) {
  const std::string line = "plumb watch: " + (service.empty() ? std::string() : service + ": ") + what + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void say(const std::string& service, const std::string& what, const Error& error) {
  say(service, what + error.what + (error.next.empty() ? "" : "; next: " + error.next));
}

}  // namespace plumb::watch
