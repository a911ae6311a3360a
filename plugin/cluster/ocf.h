// `plumb ocf ACTION`: the resource agent ocf:plumb:service of Pacemaker, one process for each action (OCF 1.1).
//
// Parameters come from the environment, as Pacemaker gives them: OCF_RESKEY_service, _config_dir, _node and
// _timing; the action's timeout and interval (OCF_RESKEY_CRM_meta_*, milliseconds) and OCF_CHECK_LEVEL. The exit code
// is that of OCF (plugin/cluster/ocf_code.h); standard error has what Pacemaker logs, and the reason that it shows.
//
// A monitor and a stop use the configuration that the service was started with (plugin/verb/started.h): what runs is
// judged by what it is, whatever its file says by now, and it can be stopped when the file is wrong or gone.
//
// Threads: main's; installs Signals for start and stop. Privilege: root, in effect; meta-data and validate-all need
// none but to read the file.
#pragma once

#include <string>

namespace plumb {

[[nodiscard]] int run_ocf(const std::string& action);

// The metadata that `meta-data` prints: XML.
[[nodiscard]] std::string ocf_metadata();

}  // namespace plumb
