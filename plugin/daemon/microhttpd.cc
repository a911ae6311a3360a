#include "plugin/daemon/microhttpd.h"

#include "docker_client/shared_library.h"

namespace plumb {

namespace {

Result<Microhttpd> load() {
  void* library = TRY(load_library(PLUMB_MICROHTTPD_SONAME));
  Microhttpd out;
#define PLUMB_FIND(name) TRY(find_function(library, "MHD_" #name, out.name));
  PLUMB_MICROHTTPD_FUNCTIONS(PLUMB_FIND)
#undef PLUMB_FIND
  return out;
}

}  // namespace

const Result<Microhttpd>& load_microhttpd() {
  static const Result<Microhttpd> kLoaded = load();
  return kLoaded;
}

}  // namespace plumb
