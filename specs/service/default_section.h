// Reading [DEFAULT]: the service's nodes, engine and timeouts.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include "specs/language/ini.h"
#include "specs/language/report.h"
#include "specs/language/resolver.h"
#include "specs/language/section_reader.h"
#include "specs/service/service.h"

namespace plumb {

// The nodes; the resolver gets the groups of them first, since all else depends on them. `section` may be an empty one.
void read_groups(const IniSection& section, Resolver& resolver, Report& report, Service& service);
// All else.
void read_defaults(SectionReader& reader, Service& service);

}  // namespace plumb
