#include "plugin/watch/watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "plugin/node/notify.h"
#include "plugin/output/console.h"
#include "plugin/verb/spec_file.h"
#include "plugin/watch/log.h"

namespace plumb::watch {

Result<std::unique_ptr<Watcher>> Watcher::open(Metrics& metrics, bool timing, std::stop_token stop) {
  const auto folder = TRY(run_directory());
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  UniqueFd files(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!wake || !files) return Err{errno_error(errno, "make an eventfd")};
  if (::inotify_add_watch(files.get(), folder.c_str(), IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
    return Err{errno_error(errno, "watch " + folder)};
  const auto own = TRY(netns::Namespace::current());
  auto node = TRY(netns::LinkWatch::open(own, true));
  auto claims = TRY(ClaimRunner::open(node_name()));
  std::unique_ptr<Watcher> out(new Watcher(metrics, timing, std::move(stop), std::move(claims), std::move(wake),
                                           std::move(files), std::move(node)));  // NOLINT: private
  for (const auto& service : started_services()) out->services_[service];
  out->look_at_carriers();
  return out;
}

void Watcher::rouse() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Watcher::run(std::optional<milliseconds> beat, const std::function<void()>& alive) {
  const std::stop_callback end(stop_, [this] { rouse(); });
  std::optional<Time> next_beat;
  std::vector<pollfd> waiting;
  std::vector<Source> sources;
  while (!stop_.stop_requested()) {
    if (beat && (!next_beat || *next_beat <= Clock::now())) {
      alive();
      next_beat = Clock::now() + *beat;
    }
    begin_work();
    tell_manager();
    collect(waiting, sources);
    if (::poll(waiting.data(), waiting.size(), timeout(next_beat)) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].revents != 0) hear(sources[i]);
    on_time();
  }
  engines_.clear();
  for (auto& [name, watched] : services_) watched.worker = {};  // waits for it
  // Nobody must be told of a claim any more. What is on its link stays there.
  const auto let_go = [](const std::vector<NamespaceWatch>& watches) {
    for (const auto& watch : watches)
      for (const auto& guarded : watch.claims) guarded.held->end();
  };
  for (const auto& finding : mail_.findings) let_go(finding.watches);
  for (const auto& [name, watched] : services_) let_go(watched.watches);
  services_.clear();
}

void Watcher::collect(std::vector<pollfd>& waiting, std::vector<Source>& sources) const {
  waiting.clear();
  sources.clear();
  const auto add = [&](int fd, Source source) {
    waiting.push_back({fd, POLLIN, 0});
    sources.push_back(std::move(source));
  };
  using Kind = Source::Kind;
  add(wake_.get(), {Kind::wake, {}, {}});
  add(files_.get(), {Kind::files, {}, {}});
  add(node_.fd(), {Kind::node, {}, {}});
  for (const auto& [name, watched] : services_)
    for (const auto& watch : watched.watches) {
      if (watch.process) add(watch.process->fd(), {Kind::process, name, watch.key});
      if (watch.changes) add(watch.changes->fd(), {Kind::changes, name, watch.key});
    }
}

int Watcher::timeout(std::optional<Time> beat) const {
  auto first = beat.value_or(Time::max());
  for (const auto& [name, watched] : services_)
    if (watched.due && !watched.busy) first = std::min(first, *watched.due);
  if (first == Time::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(first - Clock::now()).count();
  return static_cast<int>(std::clamp<milliseconds::rep>(left, 0, 1 << 30));
}

// What it is about may have gone with what was heard before it.
void Watcher::hear(const Source& source) {
  switch (source.kind) {
    case Source::Kind::wake: return read_mail();
    case Source::Kind::files: return hear_files();
    case Source::Kind::node: return hear_node();
    default: break;
  }
  const auto found = services_.find(source.service);
  auto* watch = found == services_.end() ? nullptr : find(found->second, source.key);
  if (watch == nullptr) return;
  if (source.kind == Source::Kind::process) return hear_process(found->second, source.key);
  static_cast<void>(watch->changes->read());  // that something changed is enough: all is looked at
  soil(found->second);
}

void Watcher::on_time() {
  const auto now = Clock::now();
  for (auto& [name, watched] : services_)
    if (watched.due && *watched.due <= now && !watched.busy) {
      watched.due.reset();
      soil(watched);
    }
}

// Its turn is that of the first thing that happened.
void Watcher::soil(Watched& watched) {
  if (!watched.dirty) watched.dirty = Clock::now();
}

// The node's engine does not answer, as far as anybody knows: its return is heard of. Of a service's own one, a look is
// what starts it again.
bool Watcher::waits_for_engine(const Watched& watched) const {
  if (!watched.away || watched.engine_is_its_own) return false;
  const auto engine = engines_.find(watched.engine_socket);
  return engine != engines_.end() && engine->second && !engine->second->connected();
}

void Watcher::begin_work() {
  std::vector<Turns::Waiting> waiting;
  for (const auto& [name, watched] : services_)
    if (watched.dirty && !watched.busy && !waits_for_engine(watched))
      waiting.push_back({*watched.dirty, name, watched.lane});
  for (const auto& name : turns_.begin(std::move(waiting))) begin_work(name, services_.at(name));
}

void Watcher::begin_work(const std::string& service, Watched& watched) {
  Task task{service, watched.lane, *std::exchange(watched.dirty, {}), std::move(watched.memory), {}};
  watched.busy = true;
  watched.has_place = true;
  for (const auto& watch : watched.watches) task.present.insert(watch.key);
  watched.worker = std::jthread([this, own = std::move(task)]() mutable {
    const auto waits = [this, service = own.service] { post([&](Mail& mail) { mail.waiting.push_back(service); }); };
    auto finding = look_after(std::move(own), {metrics_, claims_, timing_, reading_, stop_, waits});
    post([&](Mail& mail) { mail.findings.push_back(std::move(finding)); });
  });
}

void Watcher::leave_place(Watched& watched) {
  if (std::exchange(watched.has_place, false)) turns_.give_back(watched.lane);
}

void Watcher::read_mail() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto drained = ::read(wake_.get(), &count, sizeof count);
  Mail mail;
  {
    const std::lock_guard lock(mutex_);
    std::swap(mail, mail_);
  }
  for (const auto& service : mail.happened)
    if (const auto found = services_.find(service); found != services_.end()) soil(found->second);
  for (const auto& service : mail.waiting)
    if (const auto found = services_.find(service); found != services_.end()) leave_place(found->second);
  for (const auto& socket : mail.lost) hear_engine(socket, false);
  for (const auto& socket : mail.connected) hear_engine(socket, true);
  for (auto& finding : mail.findings) take(std::move(finding));
  for (const auto& news : mail.claims) hear_claim(news);
}

void Watcher::take(Finding finding) {
  const auto found = services_.find(finding.service);
  if (found == services_.end()) return;
  auto& watched = found->second;
  watched.worker.join();
  watched.busy = false;
  leave_place(watched);
  if (!finding.started) {
    if (!watched.dirty) forget(finding.service);  // else it has been started again
    return;
  }
  watched.memory = std::move(finding.memory);
  if (std::exchange(watched.engine_lost, false)) engine_lost(watched.memory, Clock::now());
  if (watched.lane != finding.lane) {
    watched.lane = finding.lane;
    return soil(watched);
  }
  watched.due = finding.due;
  watched.ailing = finding.ailing;
  watched.away = finding.away;
  watched.uplinks = std::move(finding.uplinks);
  watched.ports = std::move(finding.ports);
  watched.addresses = std::move(finding.addresses);
  for (const auto& change : std::exchange(watched.changes, {})) heed(watched, change);
  if (finding.looked) {
    const auto old = std::stable_partition(watched.watches.begin(), watched.watches.end(),
                                           [&](const NamespaceWatch& s) { return finding.wanted.contains(s.key); });
    for (auto one = old; one != watched.watches.end(); ++one) end_namespace_watch(std::move(*one));
    watched.watches.erase(old, watched.watches.end());
  }
  const auto returned = std::exchange(watched.returned, {});
  for (const auto& device : returned)
    if (watched.uplinks.contains(device)) watched.memory.said.clear();
  for (auto& watch : finding.watches) {
    for (const auto& device : returned) tell_return(finding.service, watch, device);
    for (const auto& guarded : watch.claims) hold_against(guarded);
    watched.watches.push_back(std::move(watch));
  }
  for (const auto& watch : watched.watches)
    for (const auto& guarded : watch.claims) {
      if (!guarded.claim.uplink.empty()) guarded.held->carrier(has_carrier(guarded.claim));
      if (finding.adopted.contains(guarded.claim.cidr.address()) && guarded.held->state() != claim::State::owned)
        guarded.held->adopt();
    }
  if (finding.node_routes && !node_routes_) {
    const auto own = netns::Namespace::current();
    if (own)
      if (auto node = netns::LinkWatch::open(*own, true, true)) {
        node_ = std::move(*node);
        node_routes_ = true;
        reading_.expire();
        soil(watched);
        look_at_carriers();  // the other one may have had more to say
      }
  }
  mind_engine(finding);
}

void Watcher::mind_engine(const Finding& finding) {
  auto& watched = services_.at(finding.service);
  watched.engine_socket = finding.engine_socket;
  watched.engine_is_its_own = !finding.engine_pid_file.empty();
  drop_unused_engines();
  if (finding.engine_socket.empty()) return;
  auto& engine = engines_[finding.engine_socket];
  if (engine && finding.away == engine->connected()) {
    if (!finding.away) {
      engine->poke();
      return;
    }
    // It has answered nobody in time, and the conversation is still there: only a new one tells when it answers again.
    engine.reset();
    hear_engine(finding.engine_socket, false);
  }
  if (engine) return;
  const std::string socket = finding.engine_socket;
  auto opened = EngineWatch::open(
      socket, finding.engine_pid_file,
      {[this](const std::string& service) { post([&](Mail& mail) { mail.happened.insert(service); }); },
       [this, socket] { post([&](Mail& mail) { mail.connected.push_back(socket); }); },
       [this, socket](const Error&) { post([&](Mail& mail) { mail.lost.push_back(socket); }); }});
  if (opened) {
    engine = std::move(*opened);
    if (!finding.away) engine->poke();
  } else {
    say({}, "cannot listen to the engine at " + socket + ": ", opened.error());
  }
}

void Watcher::drop_unused_engines() {
  std::erase_if(engines_, [this](const auto& engine) {
    return !engine.second || std::none_of(services_.begin(), services_.end(), [&](const auto& service) {
      return service.second.engine_socket == engine.first;
    });
  });
}

// It was stopped: its namespace must not outlive it for our sake.
void Watcher::forget(const std::string& service) {
  auto& watched = services_.at(service);
  for (auto& watch : watched.watches) end_namespace_watch(std::move(watch), true);
  watched.watches.clear();
  watched.due.reset();
  if (watched.busy) {
    soil(watched);
    return;
  }
  services_.erase(service);
  drop_unused_engines();
}

void Watcher::tell_manager() {
  const auto ailing = static_cast<std::size_t>(
      std::count_if(services_.begin(), services_.end(), [](const auto& entry) { return entry.second.ailing; }));
  metrics_.set_services(services_.size(), ailing);
  std::string status = counted(services_.size(), "service") +
                       (ailing == 0 ? std::string(", all well") : ", " + std::to_string(ailing) + " not whole");
  if (status == told_) return;
  told_ = std::move(status);
  if (auto told = notify_manager("STATUS=" + told_); !told) say({}, "", told.error());
}

}  // namespace plumb::watch
