// Reading [ip#N].
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <string>
#include <vector>

#include "specs/language/section_reader.h"
#include "specs/service/draft.h"

namespace plumb {

// `containers`: the names of the service's containers, in lower case.
[[nodiscard]] IpDraft read_ip(SectionReader& reader, const std::vector<std::string>& containers);

}  // namespace plumb
