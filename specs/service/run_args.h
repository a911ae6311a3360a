// RunArgs: run_args of [container#N], which are flags of `docker run`, as settings of the container.
//
// Threads: one load's own. Privilege: none. Fact: docker/cli, cli/command/container/opts.go (the
// flags and their forms) and github.com/spf13/pflag (how words become flags).
#pragma once

#include "specs/service/draft.h"

namespace plumb {

// After the keywords of the section: what a flag and a keyword both say is added up where it is a list, and an error
// where it is one value. A flag that cannot be mapped is an error at its place: to drop it could start a container
// without its data or its limits.
void read_run_args(SectionReader& reader, ContainerDraft& draft);

}  // namespace plumb
