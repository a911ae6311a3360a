#include "plugin/driver/driver.h"

#include "plugin/console.h"

namespace plumb::driver {

int run_driver(const CommandLine& command) {
  return report(command, "driver",
                Error{ErrorKind::unsupported, 0, "the network driver is not part of this build yet",
                      "plumb driver --check says whether the node is ready for it"});
}

}  // namespace plumb::driver
