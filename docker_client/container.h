// Containers: what plumb creates, starts, stops, removes and looks at.
//
// Threads: plain values; the functions may run in parallel on one Client. Privilege: that of the Client.
// `id` is a container's id or its name everywhere. Facts: Engine API reference 1.40 to 1.55, section Container.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"

namespace plumb::docker {

struct Device {
  std::string host_path{};
  std::string container_path{};
  std::string permissions = "rwm";
};

struct Ulimit {
  std::string name{};
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

// A mount of which the source must be there (Binds would make a directory for it).
struct BindMount {
  std::string source{};
  std::string target{};
  bool read_only = false;
  std::string propagation{};
};

// Unset and 0: that of the image.
struct HealthCheck {
  bool none = false;  // no check, whatever the image says
  std::string command{};
  std::chrono::nanoseconds interval{}, timeout{}, start_period{};
  std::int64_t retries = 0;
};

// What a container is made of. Empty strings, empty lists and unset options are not sent: the image's or the engine's
// default stands. With network_mode "container:ID" the engine refuses hostname, dns, dns_search and extra_hosts (400).
struct ContainerConfig {
  std::string name{};
  std::string image{};
  std::vector<std::string> cmd{};
  std::vector<std::string> entrypoint{};
  std::map<std::string, std::string> env{};
  std::map<std::string, std::string> labels{};
  std::string user{};
  std::string working_dir{};
  std::string hostname{};
  bool tty = false;
  bool open_stdin = false;
  std::string stop_signal{};
  std::optional<std::chrono::seconds> stop_timeout{};

  std::string network_mode{};  // "none", "host", "container:ID"
  std::string ipc_mode{}, pid_mode{}, uts_mode{}, userns_mode{};
  bool auto_remove = false;
  bool readonly_rootfs = false;
  bool privileged = false;
  std::optional<bool> init{};
  std::vector<std::string> binds{};  // "source:target[:options]"
  std::vector<BindMount> mounts{};
  std::vector<Device> devices{};
  std::vector<std::string> dns{};
  std::vector<std::string> dns_search{};
  std::vector<std::string> extra_hosts{};  // "name:address"
  std::map<std::string, std::string> sysctls{};
  std::vector<std::string> cap_add{}, cap_drop{};
  std::vector<std::string> security_opt{};
  std::vector<std::string> group_add{};
  std::map<std::string, std::string> tmpfs{};  // target -> mount options
  std::vector<Ulimit> ulimits{};
  std::int64_t memory = 0;       // bytes; 0: no limit
  std::int64_t memory_swap = 0;  // bytes of both together; 0: twice the memory; -1: no limit
  std::int64_t shm_size = 0;     // bytes; 0: the engine's default
  std::int64_t nano_cpus = 0;    // billionths of a processor; 0: no limit
  std::int64_t cpu_shares = 0;   // 0: the engine's default
  std::string cpuset_cpus{};
  std::int64_t pids_limit = 0;  // 0: no limit
  std::optional<std::int64_t> oom_score_adj{};
  std::string cgroup_parent{};
  std::string runtime{};
  std::optional<HealthCheck> health{};
  std::string log_driver{};
  std::map<std::string, std::string> log_opts{};
};

// A volume that the engine made for a container because the image, or the one who created it, asked for one without a
// name. Docker and Podman give it 64 hexadecimal digits as its name.
struct AnonymousVolume {
  std::string name;
  std::string target;  // absolute path in the container
  bool read_only = false;
};

// A container as the engine sees it. From list_containers() only id, name, image, image_id, labels, state, running,
// paused and network_mode are filled.
struct Container {
  std::string id;
  std::string name;      // without the leading slash
  std::string image;     // as it was asked for at creation
  std::string image_id;  // sha256:...
  std::map<std::string, std::string> labels;
  std::string state;  // created, running, paused, restarting, removing, exited, dead; Podman's configured is given as
                      // created, stopped as exited
  bool running = false;  // true while paused, too
  bool paused = false;
  int exit_code = 0;
  std::string error;  // why the last start failed, in the engine's words
  bool oom_killed = false;
  // Of the first process; 0 when not running. The kernel may have given it to another process since: netns opens and
  // checks it.
  std::int64_t pid = 0;
  std::string created;     // RFC 3339
  std::string started_at;  // RFC 3339; with the pid it identifies one run
  std::string network_mode;
  bool auto_remove = false;
  bool tty = false;  // it has a terminal
  std::optional<std::chrono::seconds> stop_timeout;
  // The engine's handle of the network namespace. Empty for siblings; stale once the container has stopped
  // (20.10, 26.1); a path of a foreign mount namespace where the engine lives in one. A hint, never a proof.
  std::string sandbox_key;
  std::vector<AnonymousVolume> anonymous_volumes;
  std::vector<std::string> extra_hosts;  // "name:address", as it was created with
};

struct Created {
  std::string id;
  std::vector<std::string> warnings;
};

// Creates, does not start. Errors: `exists` (409: the name is in use; Error::what has the engine's words and
// name_holder() reads the holder from it), `not_found` (no such image), `refused`. Never sent twice: after a lost
// connection ask inspect_container(name).
[[nodiscard]] Result<Created> create_container(Client& client, const ContainerConfig& config, const Call& call);

// The id in "Conflict. The container name "/x" is already in use by container "ID"" (moby, daemon/errors.go) and in
// Podman's "the container name "x" is already in use by ID"; empty when there is none. Pure.
[[nodiscard]] std::string name_holder(std::string_view message);

// True: started now; false: it was running already (304). Errors: `not_found`, `refused` (the container is then in
// `created` or, with auto_remove, gone).
[[nodiscard]] Result<bool> start_container(Client& client, const std::string& id, const Call& call);

// SIGTERM (or the container's own signal), then SIGKILL after `grace` (whole seconds; unset: the container's own, asked
// of the engine; its default is 10 s). The grace is added to the call's deadline. True: stopped now; false: it was not
// running (304). Errors: `not_found`.
[[nodiscard]] Result<bool> stop_container(Client& client, const std::string& id,
                                          std::optional<std::chrono::seconds> grace, const Call& call);

// Sends a signal ("SIGTERM"). True: sent; false: it was not running (409). Errors: `not_found`.
[[nodiscard]] Result<bool> kill_container(Client& client, const std::string& id, std::string_view signal,
                                          const Call& call);

struct Removal {
  bool force = false;    // also when it runs: SIGKILL
  bool volumes = false;  // with its anonymous volumes
};
// Returns when the container is gone; true: removed now, false: there was none. A removal already in progress is waited
// for. Errors: `refused` (it runs and force is not set).
[[nodiscard]] Result<bool> remove_container(Client& client, const std::string& id, const Removal& removal,
                                            const Call& call);

// Success, too, when it has that name already. Errors: `not_found`, `exists` (another one has the name).
[[nodiscard]] Result<void> rename_container(Client& client, const std::string& id, std::string_view name,
                                            const Call& call);

// Nullopt: there is no such container.
[[nodiscard]] Result<std::optional<Container>> inspect_container(Client& client, const std::string& id,
                                                                 const Call& call);

// All containers, running or not, that carry every label of `labels` ("key" or "key=value"), newest first.
[[nodiscard]] Result<std::vector<Container>> list_containers(Client& client, const std::vector<std::string>& labels,
                                                             const Call& call);

// The body of POST /containers/create. Pure.
[[nodiscard]] std::string encode_container(const ContainerConfig& config);
// The bodies of GET /containers/ID/json and GET /containers/json. Unknown fields are ignored, missing ones keep their
// default; only a missing id or something that is not JSON is an error (`failed`). Pure.
[[nodiscard]] Result<Container> decode_container(std::string_view json);
[[nodiscard]] Result<std::vector<Container>> decode_container_list(std::string_view json);

}  // namespace plumb::docker
