#include "docker_client/log.h"
#include "docker_client/waiter.h"
#include "plugin/engine/container_config.h"
#include "plugin/engine/container_namespace.h"
#include "plugin/engine/ownership.h"
#include "plugin/engine/pause_image.h"
#include "plugin/verb/actions.h"
#include "specs/plan/leftover.h"
#include "specs/plan/namespace_owner.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

// Create, start, rename and the like: what an engine does in a fraction of a second when it is well. Such a request is
// never cancelled: the engine would carry it out all the same, unseen, after everything else was undone.
constexpr std::chrono::seconds kRequestDeadline{60};

docker::Call whole_call() { return {kRequestDeadline, {}}; }
docker::Call call_with(const std::stop_token& stop) { return {kRequestDeadline, stop}; }

std::optional<std::chrono::seconds> grace_of(const ContainerResource* container) {
  if (container == nullptr || !container->stop_timeout) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(*container->stop_timeout);
}

// What a container said last, for the end of a sentence. Its log may be kept where the engine cannot read it.
std::string last_words(docker::Client& client, const ContainerResource& container, const std::string& id) {
  constexpr unsigned kLines = 3;
  const auto lines = docker::last_lines(client, id, kLines, container.tty, {std::chrono::seconds(5), {}});
  if (!lines || lines->empty()) return {};
  std::string out;
  for (const auto& line : *lines) out += (out.empty() ? "" : ", ") + in_quotes(line);
  return "; its log ends with " + out;
}

}  // namespace

Result<void> Actions::start_engine(const Step& step, const std::stop_token& stop) {
  book(step, [this] { return engine_.stop(); });
  auto warning = TRY(engine_.start(stop));
  if (warning.empty()) return {};
  const std::lock_guard lock(mutex_);
  warnings_.push_back(std::move(warning));
  return {};
}

Result<void> Actions::ensure_image(const Step& step, const std::stop_token& stop) {
  const auto& container = container_of(step);
  auto* client = TRY(engine_.client(stop));
  return EngineTime::count([&]() -> Result<void> {
    const std::string reference = container.builtin_pause ? kPauseImageReference : container.image;
    const auto present = TRY(docker::inspect_image(*client, reference, call_with(stop)));
    if (present && (container.builtin_pause || container.pull == PullPolicy::once)) return {};
    if (!container.builtin_pause) return pull(*client, container, stop);
    TRY(docker::load_image(*client, pause_image_archive(), call_with(stop)));
    return {};
  });
}

Result<void> Actions::pull(docker::Client& client, const ContainerResource& container, const std::stop_token& stop) {
  std::optional<docker::Credentials> credentials;
  if (!container.registry_creds.empty()) {
    const auto reference = TRY(docker::parse_reference(container.image));
    credentials = TRY(docker::read_credentials(container.registry_creds, reference.registry));
  }
  const auto progress = [&](const docker::PullProgress& p) {
    if (on_pull_) on_pull_(container.image, p);
  };
  auto pulled = docker::pull_image(client, container.image, credentials, progress, {container.pull_timeout, stop});
  if (!pulled) {
    auto error = std::move(pulled).error();
    if (error.kind == ErrorKind::permission)
      error.next = "set registry_creds in [" + container.id + "] to a docker config.json that has a login for it";
    if (error.next.empty() && error.kind == ErrorKind::timeout)
      error.next = "raise pull_timeout in [" + container.id + "]";
    if (error.next.empty()) error.next = "check image = " + container.image + " in [" + container.id + "]";
    return Err{std::move(error)};
  }
  return {};
}

Result<void> Actions::retire_container(const Step& step, const ContainerRetire& retire, const std::stop_token& stop) {
  auto* client = TRY(engine_.client(stop));
  TRY(EngineTime::count([&] {
    return docker::rename_container(*client, retire.container.id, retired_name(retire.container.name), whole_call());
  }));
  book(step,
       [client, old = retire.container] { return docker::rename_container(*client, old.id, old.name, whole_call()); });
  return {};
}

// A program that asks for the address of its own host name gets the service's; those who join the namespace have its
// owner's names.
void Actions::name_itself(const ContainerResource& container, docker::ContainerConfig& config) {
  if (config.network_mode != "none" || config.uts_mode == "host") return;
  if (config.hostname.empty()) config.hostname = host_name_for(service_.name);
  const std::lock_guard lock(mutex_);
  for (const auto& ip : service_.ips)
    if (const auto found = addresses_.find(ip.id);
        ip.netns == container.id && ip.type == IpType::netns && found != addresses_.end())
      for (const auto& address : found->second)
        config.extra_hosts.push_back(config.hostname + ":" + address.to_string());
}

Result<void> Actions::create_container(const Step& step, const ContainerCreate& create, const std::stop_token& stop) {
  const auto& container = container_of(step);
  auto* client = TRY(engine_.client(stop));
  std::map<std::string, std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    ids = ids_;
  }
  auto config =
      container_config(service_, container, container.builtin_pause ? kPauseImageReference : container.image, ids);
  name_itself(container, config);
  config.labels[kLabelCreation] = new_creation();
  for (const auto& volume : create.volumes)
    config.binds.push_back(volume.name + ":" + volume.target + (volume.read_only ? ":ro" : ""));
  auto created = EngineTime::count([&] { return docker::create_container(*client, config, whole_call()); });
  if (!created) {
    auto error = std::move(created).error();
    // The engine may have acted, and its answer be lost, torn or a 500: what it made carries our number, so it can be
    // told and removed.
    const bool refused = error.code >= 400 && error.code < 500;
    if (!refused)
      book(step, [client, name = create.name, creation = config.labels.at(kLabelCreation)]() -> Result<void> {
        const auto found = TRY(docker::inspect_container(*client, name, whole_call()));
        if (!found || found->labels.count(kLabelCreation) == 0 || found->labels.at(kLabelCreation) != creation)
          return {};
        TRY(docker::remove_container(*client, found->id, {true, true}, whole_call()));
        return {};
      });
    return Err{std::move(error)};
  }
  {
    const std::lock_guard lock(mutex_);
    ids_[container.id] = created->id;
  }
  book(step, [client, id = created->id]() -> Result<void> {
    TRY(docker::remove_container(*client, id, {true, true}, whole_call()));
    return {};
  });
  return {};
}

Result<void> Actions::start_container(const Step& step, const ContainerStart& start, const std::stop_token& stop) {
  const auto& container = container_of(step);
  auto* client = TRY(engine_.client(stop));
  const std::string id = id_of(step, start);
  // Booked before: a start whose answer is lost may have happened. One that this run created is removed by force
  // anyway; only a process that might have something to save is asked to end first.
  const bool owner = owns_namespace(service_, container);
  if (!owner || start.id)
    book(step, [client, id, grace = grace_of(&container)]() -> Result<void> {
      auto stopped = docker::stop_container(*client, id, grace, whole_call());
      if (!stopped && stopped.error().kind != ErrorKind::not_found) return Err{std::move(stopped).error()};
      return {};
    });
  const docker::Call whole{container.start_timeout, stop};
  const auto end = whole.end();
  if (!start.runs)
    TRY(EngineTime::count([&] { return docker::start_container(*client, id, {container.start_timeout, {}}); }));
  if (start.to_its_end) return await_end(container, id, whole.until(end));
  if (owner) TRY(hold_namespace(container, id, stop));
  return {};
}

Result<void> Actions::hold_namespace(const ContainerResource& container, const std::string& id,
                                     const std::stop_token& stop) {
  auto* client = TRY(engine_.client(stop));
  const auto seen = TRY(EngineTime::count([&] { return docker::inspect_container(*client, id, whole_call()); }));
  if (!seen || !seen->running)
    return Err{ErrorKind::failed,
               "start container " + container.name + ": it ended at once" +
                   (seen ? " with exit code " + std::to_string(seen->exit_code) : std::string{}),
               "the owner of a network namespace must keep running: use a pause image, or look at docker logs " +
                   container.name};
  auto held = std::make_shared<Conversation>();
  held->ns = std::make_shared<const netns::Namespace>(
      TRY(container_namespace(*client, id, static_cast<int>(seen->pid), stop)));
  const std::lock_guard lock(mutex_);
  conversations_[container.id] = std::move(held);
  return {};
}

Result<void> Actions::await_end(const ContainerResource& container, const std::string& id, const docker::Call& call) {
  auto* client = TRY(engine_.client(call.stop));
  const auto exit = EngineTime::count([&]() -> Result<docker::Exit> {
    auto waiter = TRY(docker::Waiter::open(*client, id, docker::WaitCondition::not_running, call));
    return waiter.wait(call);
  });
  const bool late = !exit && exit.error().kind == ErrorKind::timeout;
  if (!exit && !late) return Err{exit.error()};
  if (exit && exit->status == 0 && exit->error.empty()) return {};
  std::string what = "run container " + container.name + ": it ";
  if (late)
    what += "has not ended within " + std::to_string(container.start_timeout.count()) + " ms";
  else if (exit->error.empty())
    what += "ended with exit code " + std::to_string(exit->status);
  else
    what += "could not be waited for: " + exit->error;
  what += last_words(*client, container, id);
  if (late)
    return Err{ErrorKind::timeout, std::move(what),
               "raise start_timeout in [" + container.id + "], or see what it waits for"};
  return Err{ErrorKind::failed, std::move(what),
             "correct what [" + container.id +
                 "] runs; with rollback = false in [DEFAULT] the container stays to be looked at"};
}

// A container's own grace, or what is left of the time for it, so that it is killed before the verb is over. Unset: its
// own, whatever that is.
Result<std::optional<std::chrono::seconds>> Actions::grace_left(docker::Client& client, const ContainerStop& halt,
                                                                std::optional<std::chrono::seconds> own,
                                                                const docker::Call& call) const {
  constexpr std::chrono::milliseconds kForTheRest{1500};  // what comes after a kill
  constexpr std::chrono::seconds kOfTheEngine{10};
  if (!end_) return own;
  if (!own)
    if (const auto seen = TRY(docker::inspect_container(client, halt.container.id, call)))
      own = seen->stop_timeout.value_or(kOfTheEngine);
  const auto left = std::chrono::floor<std::chrono::seconds>(*end_ - Clock::now() - kForTheRest);
  return own ? std::optional(std::min(*own, std::max(left, std::chrono::seconds(0)))) : own;
}

Result<void> Actions::stop_container(const Step& step, const ContainerStop& halt, const std::stop_token& stop) {
  auto* client = TRY(engine_.client(stop));
  const auto own = grace_of(service_.container(step.resource));
  auto stopped = EngineTime::count([&]() -> Result<bool> {
    const auto grace = TRY(grace_left(*client, halt, own, call_with(stop)));
    return docker::stop_container(*client, halt.container.id, grace, call_with(stop));
  });
  if (!stopped && stopped.error().kind != ErrorKind::not_found) return Err{std::move(stopped).error()};
  return {};
}

Result<void> Actions::remove_container(const ContainerRemove& remove, const std::stop_token& stop) {
  auto* client = TRY(engine_.client(stop));
  TRY(EngineTime::count([&] {
    return docker::remove_container(*client, remove.container.id, {.volumes = remove.volumes}, whole_call());
  }));
  return {};
}

}  // namespace plumb
