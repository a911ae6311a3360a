// Loader: the text of a spec as a Service for one node, or everything that is wrong with it.
//
// Threads: pure, callable from any. Privilege: none: it reads no file, resolves no name and asks no engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/language/diagnostic.h"
#include "specs/language/load_options.h"
#include "specs/service/service.h"

namespace plumb {

struct Loaded {
  std::optional<Service> service;       // set only when no diagnostic is an error
  std::vector<Diagnostic> diagnostics;  // in the order of their places; at most 200
  // Its nodes and drpnodes can be read, and the node is in neither: then what else is wrong may be so only for this
  // node, as an ipname that is set for each of the others is missing here.
  bool elsewhere = false;
};

// Scopes: of `keyword@NODE`, `@nodes`, `@drpnodes`, `@encapnodes` and the unscoped `keyword`, the first that applies to
// the node holds. Without a `nodes` keyword the service's nodes are just the one it is loaded for. A node that the spec
// does not list loads all the same: refusing to start there is the planner's. A keyword of a resource may be set in
// [DEFAULT] for every resource that has such a keyword; the resource's own setting wins. An empty value means "not
// set". References: {keyword} (of the same section, else of DEFAULT), {section.keyword}, {env.name}, {nodename},
// {short_nodename}, {svcname} or {name}, {namespace}, {clustername}, {svcpath}, {fqdn}, {domain}, {rid}, {rindex};
// {upper:x}, {lower:x};
// {#x} counts words, {x[N]} takes the N-th from 0. "${...}" is left alone, for shells.
[[nodiscard]] Loaded load_service(std::string_view text, const LoadOptions& options);

}  // namespace plumb
