#include "plugin/claim/claim_settings.h"

namespace plumb {

claim::Settings claim_settings(ProbeProfile probe, ConflictPolicy conflict, const AnnouncePolicy& announce,
                               std::chrono::milliseconds hello) {
  claim::Settings out;
  out.rfc = probe == ProbeProfile::rfc;
  out.yields = conflict == ConflictPolicy::fail;
  out.defends = conflict != ConflictPolicy::warn;
  out.hello = hello;
  out.rules.hellos = hello.count() > 0;
  out.announcements = announce.count;
  out.between_announcements = announce.interval;
  out.announce = announce.period;
  // Silence is no doubt: on a LAN that says little it would cost absences, and save none.
  out.deaf.reset();
  return out;
}

}  // namespace plumb
