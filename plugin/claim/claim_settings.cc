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
  return out;
}

}  // namespace plumb
