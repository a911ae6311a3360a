#include "plugin/claim/claim_settings.h"

namespace plumb {

claim::Settings claim_settings(ProbeProfile probe, ConflictPolicy conflict, const AnnouncePolicy& announce) {
  claim::Settings out;
  out.rfc = probe == ProbeProfile::rfc;
  out.yields = conflict == ConflictPolicy::fail;
  out.defends = conflict != ConflictPolicy::warn;
  out.announcements = announce.count;
  out.between_announcements = announce.interval;
  // Silence is no doubt: on a LAN that says little it would cost absences, and save none.
  out.deaf.reset();
  return out;
}

}  // namespace plumb
