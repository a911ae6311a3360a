// What every [ip#N] and [container#N] has: tags, optional, disable and so on.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include "specs/language/section_reader.h"
#include "specs/service/service.h"

namespace plumb {

void read_resource(SectionReader& reader, Resource& resource);

}  // namespace plumb
