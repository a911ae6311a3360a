#include "plugin/claim/doubt_reason.h"

namespace plumb {

std::string_view doubt_reason(std::string_view why) {
  if (why == "carrier") return "its uplink has lost its carrier";
  if (why == "stood still") return "this program, or this machine, stood still";
  if (why == "first answer" || why == "forwarding") return "its LAN can be heard only now";
  return "it was off its link";
}

}  // namespace plumb
