// Reading [container#N].
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <string>

#include "specs/language/section_reader.h"
#include "specs/service/draft.h"

namespace plumb {

// `service`: its name, of which a container without a name makes its own.
[[nodiscard]] ContainerDraft read_container(SectionReader& reader, const std::string& service);

}  // namespace plumb
