// A program that is never run or installed. It is linked with the libraries that plumb loads when it needs them, and
// names each function that plumb takes from them: one that is not there is an error of this build, and the package
// reads here what it depends on.
#include <array>

#include "docker_client/curl.h"
#include "plugin/daemon/microhttpd.h"

int main() {
#define PLUMB_CURL(name) reinterpret_cast<const void*>(&::curl_##name),
#define PLUMB_MICROHTTPD(name) reinterpret_cast<const void*>(&::MHD_##name),
  const std::array functions{PLUMB_CURL_FUNCTIONS(PLUMB_CURL) PLUMB_MICROHTTPD_FUNCTIONS(PLUMB_MICROHTTPD)};
  int found = 0;
  for (const auto* function : functions) found += function != nullptr ? 1 : 0;
  return found == static_cast<int>(functions.size()) ? 0 : 1;
}
