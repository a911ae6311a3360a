#include "plugin/claim/claim_runner.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "plugin/claim/boot_time.h"
#include "specs/value/fnv.h"

namespace plumb {

namespace {

using claim::Heard;
using claim::State;
using claim::Time;

std::uint64_t wall_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

std::uint64_t claim_holder(const std::string& node, const std::string& service) {
  return fnv1a(kFnv64, node + '\n' + service);
}

Result<std::unique_ptr<ClaimRunner>> ClaimRunner::open(std::string node) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return Err{errno_error(errno, "make an eventfd")};
  return std::unique_ptr<ClaimRunner>(new ClaimRunner(std::move(node), std::move(wake)));  // NOLINT: private
}

ClaimRunner::ClaimRunner(std::string node, UniqueFd wake)
    : node_(std::move(node)),
      wake_(std::move(wake)),
      random_((std::uint64_t{std::random_device{}()} << 32U) | std::random_device{}()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ClaimRunner::~ClaimRunner() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  rouse();
  thread_.join();
}

void ClaimRunner::rouse() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

// Give or take a tenth.
Time ClaimRunner::jittered(Time period) {
  const auto fifth = static_cast<std::uint64_t>(period.count() / 5);
  return period - Time(fifth / 2) + Time(random_() % (fifth + 1));
}

Result<ClaimRunner::Lan*> ClaimRunner::lan_of(const Voice& voice) {
  auto found = lans_.find(voice.key);
  if (found == lans_.end()) {
    // Apart: what an aggregate has before a member that fails is not destroyed.
    auto socket = TRY(voice.open());
    Lan lan{.voice = voice, .socket = std::move(socket), .next_probe = boot_time() + jittered(kProbeOwn)};
    found = lans_.emplace(voice.key, std::move(lan)).first;
    own_.insert(found->second.socket.mac());
  } else if (!found->second.socket.device()) {
    TRY(reopen(found->second));
  }
  return &found->second;
}

// Its device is gone, and may have come back as another one.
Result<void> ClaimRunner::reopen(Lan& lan) {
  auto socket = TRY(lan.voice.open());
  for (const auto& [id, entry] : entries_)
    if (entry.lan == &lan) TRY(socket.listen_for(entry.what.address));
  own_.insert(socket.mac());
  dead_.push_back(std::exchange(lan.socket, std::move(socket)));
  return {};
}

Result<ClaimRunner::Id> ClaimRunner::add(const Voice& voice, ClaimedAddress what, std::optional<Mac> mac,
                                         const claim::Settings& settings, ClaimHooks hooks) {
  auto* lan = TRY(lan_of(voice));
  TRY(lan->socket.listen_for(what.address));
  if (what.gateway && what.gateway->is_v6() != what.address.is_v6()) what.gateway.reset();
  auto how = settings;
  const bool asks_itself = how.rules.self_probe && how.self_probe.count() > 0;
  how.gateway = what.gateway.has_value();
  how.hello = how.self_probe = std::chrono::milliseconds{0};  // for all claims at once: say_hellos()
  const Mac used_by = mac.value_or(lan->socket.mac());
  own_.insert(used_by);
  own_.insert(what.own.begin(), what.own.end());
  const Id id = ++last_id_;
  entries_.emplace(id, Entry{lan, std::move(what), used_by,
                             claim::Machine(
                                 how, [this] { return random_(); }, wall_time),
                             settings.hello, std::move(hooks)});
  entries_.at(id).asks_itself = asks_itself;
  return id;
}

Result<ClaimRunner::Id> ClaimRunner::ask(const Voice& voice, ClaimedAddress what, const claim::Settings& settings,
                                         ClaimHooks hooks) {
  const std::lock_guard lock(mutex_);
  const auto id = TRY(add(voice, std::move(what), {}, settings, std::move(hooks)));
  const auto now = boot_time();
  read_all(now);
  auto& entry = entries_.at(id);
  entry.touched = true;
  entry.machine.start(now, true);
  serve(now);
  rouse();
  return id;
}

Result<ClaimRunner::Id> ClaimRunner::resume(const Voice& voice, ClaimedAddress what, const Mac& link,
                                            const claim::Settings& how, ClaimHooks hooks, bool carrier, bool on_link,
                                            const claim::Kept& kept) {
  const std::lock_guard lock(mutex_);
  const auto id = TRY(add(voice, std::move(what), link, how, std::move(hooks)));
  const auto now = boot_time();
  auto& entry = entries_.at(id);
  auto rank = kept;
  if (rank.rank.id == 0) rank.rank = {0, random_(), random_()};
  entry.machine.resume(now, carrier, on_link, rank);
  serve(now);
  rouse();
  return id;
}

Result<ClaimRunner::Id> ClaimRunner::expect(const Voice& voice, ClaimedAddress what, const claim::Settings& settings,
                                            ClaimHooks hooks) {
  const std::lock_guard lock(mutex_);
  // The giver's word says that somebody is there: no gateway needs to.
  what.gateway.reset();
  const auto id = TRY(add(voice, std::move(what), {}, settings, std::move(hooks)));
  entries_.at(id).expected = true;
  rouse();
  return id;
}

void ClaimRunner::given(Id id, const std::set<std::uint64_t>& givers) {
  with(id, [&](Entry& entry, Time now) {
    auto& machine = entry.machine;
    entry.rival.reset();
    for (const auto& [holder, heard] : entry.expected_from)
      if (givers.contains(holder))
        machine.hear(now, {Heard::Kind::gone, 0, heard.saying, {}});
      else
        entry.rival = heard.from;
    entry.expected_from.clear();
    entry.expected = false;
    entry.givers = givers;
    entry.given = now;
    machine.take_over(now);
  });
}

template <typename F>
void ClaimRunner::with(Id id, F&& what) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const auto now = boot_time();
  read_all(now);
  what(found->second, now);
  found->second.touched = true;
  serve(now);
  rouse();
}

Result<std::optional<ClaimRival>> ClaimRunner::await_answer(Id id, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto& entry = entries_.at(id);
  const bool answered =
      changed_.wait(lock, stop, [&] { return entry.error.has_value() || entry.machine.state() != State::asking; });
  if (entry.error) return Err{*entry.error};
  if (!answered) return Err{ErrorKind::cancelled, "probe for " + entry.what.address.to_string() + ": stopped"};
  if (entry.machine.state() == State::lost && entry.rival) return entry.rival;
  return std::optional<ClaimRival>{};
}

Result<std::optional<ClaimRival>> ClaimRunner::put_on(Id id, const Mac& mac, std::function<Result<void>()> put_on,
                                                      std::function<void()> take_off, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  auto& entry = entries_.at(id);
  const auto now = boot_time();
  read_all(now);
  own_.insert(mac);
  entry.hooks.put_on = [&entry, mac, put = std::move(put_on)] {
    entry.mac = mac;
    return put();
  };
  entry.hooks.take_off = std::move(take_off);
  entry.machine.ready(now);
  entry.touched = true;
  serve(now);
  rouse();
  // At once, as a rule; else it is being asked again, or has been lost.
  changed_.wait(lock, stop, [&] {
    const auto state = entry.machine.state();
    return entry.error || state == State::owned || !claim::is_claiming(state);
  });
  if (entry.error) return Err{*entry.error};
  if (entry.machine.state() == State::owned) return std::optional<ClaimRival>{};
  if (claim::is_claiming(entry.machine.state()))
    return Err{ErrorKind::cancelled, "put " + entry.what.address.to_string() + " on its link: stopped"};
  if (entry.rival) return entry.rival;
  return Err{ErrorKind::conflict, "address " + entry.what.address.to_string() + ": it has been claimed meanwhile"};
}

void ClaimRunner::arrived(Id id, const Mac& mac, std::function<Result<void>()> put_on, std::function<void()> take_off) {
  with(id, [&](Entry& entry, Time now) {
    own_.insert(mac);
    entry.mac = mac;
    entry.hooks.put_on = std::move(put_on);
    entry.hooks.take_off = std::move(take_off);
    if (std::exchange(entry.arrived, true)) return entry.machine.forwards(now);
    entry.machine.ready(now);
    if (entry.machine.state() != State::owned && entry.hooks.take_off) entry.hooks.take_off();
  });
}

void ClaimRunner::own(Id id, const Mac& mac) {
  with(id, [&](Entry& entry, Time) {
    own_.insert(mac);
    entry.what.own.insert(mac);
  });
}

void ClaimRunner::withdraw(Id id) {
  with(id, [](Entry& entry, Time) {
    entry.hooks = {};
    entry.machine.withdraw();
  });
  drop(id);
}

void ClaimRunner::drop(Id id) {
  const std::lock_guard lock(mutex_);
  forget(id);
  rouse();
}

// A socket that nobody needs any more is closed by the thread: that takes some 10 ms.
void ClaimRunner::forget(Id id) {
  entries_.erase(id);
  own_.clear();
  for (const auto& [key, lan] : lans_) own_.insert(lan.socket.mac());
  for (const auto& [other, entry] : entries_) {
    own_.insert(entry.mac);
    own_.insert(entry.what.own.begin(), entry.what.own.end());
  }
}

void ClaimRunner::carrier(Id id, bool up) {
  with(id, [up](Entry& entry, Time now) { entry.machine.carrier(now, up); });
}

void ClaimRunner::flapped(Id id) {
  with(id, [](Entry& entry, Time now) { entry.machine.flapped(now); });
}

void ClaimRunner::forwards(Id id) {
  with(id, [](Entry& entry, Time now) { entry.machine.forwards(now); });
}

void ClaimRunner::adopt(Id id) {
  with(id, [](Entry& entry, Time now) {
    if (entry.machine.state() != State::owned) entry.machine.resume(now, true, true, entry.machine.kept());
  });
}

State ClaimRunner::state(Id id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? State::withdrawn : found->second.machine.state();
}

std::optional<Time> ClaimRunner::next() const {
  std::optional<Time> out;
  const auto consider = [&](Time at) { out = out ? std::min(*out, at) : at; };
  for (const auto& [id, entry] : entries_) {
    if (entry.due) consider(*entry.due);
    const auto& lan = *entry.lan;
    if (claim::is_claiming(entry.machine.state()) && entry.hello.count() > 0) consider(lan.next_hello);
    if (entry.machine.state() == State::owned) consider(lan.next_probe);
  }
  return out;
}

void ClaimRunner::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::vector<pollfd> waiting;
  while (!stop.stop_requested()) {
    std::vector<Lan> unused;
    auto dead = std::exchange(dead_, {});
    for (auto lan = lans_.begin(); lan != lans_.end();) {
      const bool used =
          std::any_of(entries_.begin(), entries_.end(), [&](const auto& e) { return e.second.lan == &lan->second; });
      if (!used) unused.push_back(std::move(lan->second));
      lan = used ? std::next(lan) : lans_.erase(lan);
    }
    waiting.assign(1, {wake_.get(), POLLIN, 0});
    for (const auto& [key, lan] : lans_)
      for (const int fd : lan.socket.descriptors()) waiting.push_back({fd, POLLIN, 0});
    const auto until = next();
    const auto left = until ? std::chrono::ceil<std::chrono::milliseconds>(*until - boot_time()).count() : -1;
    lock.unlock();
    unused.clear();
    dead.clear();
    const int ready = ::poll(waiting.data(), waiting.size(), until ? static_cast<int>(std::max<long>(left, 0)) : -1);
    lock.lock();
    std::uint64_t count = 0;
    if (waiting.front().revents != 0) [[maybe_unused]]
      const auto size = ::read(wake_.get(), &count, sizeof count);
    const auto now = boot_time();
    read_all(now);
    // Nobody was heard while this process, or the machine, stood still.
    if (ready == 0 && until)
      for (auto& [id, entry] : entries_) {
        entry.machine.stood_still(now, now - *until);
        entry.touched = true;
      }
    serve(now);
  }
}

// What is due, and what has come of it. All that had arrived has been read.
void ClaimRunner::serve(Time now) {
  for (auto& [id, entry] : entries_) {
    entry.touched = entry.touched || (entry.due && *entry.due <= now);
    if (entry.touched) entry.machine.tick(now);
  }
  say_hellos(now);
  probe_own(now);
  carry_out();
  changed_.notify_all();
}

}  // namespace plumb
