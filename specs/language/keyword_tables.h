// The rows of the keyword table, by section. Read through specs/language/keywords.h.
//
// Threads: constant data. Privilege: none.
#pragma once

#include <span>

#include "specs/language/keywords.h"

namespace plumb::tables {

[[nodiscard]] std::span<const Keyword> defaults_rows();
[[nodiscard]] std::span<const Keyword> ip_rows();
[[nodiscard]] std::span<const Keyword> container_rows();
// OpenSVC's keywords that have no effect here. Each section's rows come in one block of the span.
[[nodiscard]] std::span<const Keyword> ignored_rows(SectionKind kind);

}  // namespace plumb::tables
