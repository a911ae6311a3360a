#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

namespace plumb::sim {

using claim::Effect;
using claim::Heard;
using claim::State;

namespace {

constexpr Time kSecond{1'000'000};
constexpr std::size_t kMostUnread = 200;  // frames in a socket's buffer

}  // namespace

World::World(const WorldSettings& settings, std::uint64_t seed)
    : settings_(settings),
      random_(seed),
      lan_(time_, random_, settings.nodes, settings.loss, settings.slow,
           [this](const Frame& frame, std::size_t to) { arrive(frame, to); }),
      nodes_(settings.nodes) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) new_process(i);
  lan_.begin_to_chat();
}

World::~World() = default;

void World::new_process(std::size_t index) {
  auto& node = nodes_[index];
  ++node.generation;
  node.tick_at = Time(0);
  node.unread.clear();
  // Clocks that do not agree, some of them by years.
  const std::int64_t off = static_cast<std::int64_t>(random_() % 3) * 500'000 - 500'000;
  node.machine = std::make_unique<claim::Machine>(
      settings_.machine, [this] { return random_(); },
      [this, off] {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(1, 1'700'000'000'000 + off + now().count() / 1000));
      });
}

void World::run(Time until) {
  time_.run(until, [this] { check(); });
  if (double_since_) {
    doubles_.push_back({*double_since_, now() - *double_since_});
    double_since_ = now();
  }
}

void World::say(std::size_t node, const std::string& what) {
  if (!traces_) return;
  std::array<char, 64> head{};
  std::snprintf(head.data(), head.size(), "%10.4f n%zu ", static_cast<double>(now().count()) / 1e6, node);
  story_ += head.data() + what + "\n";
}

// --- the LAN

bool World::answers(const Node& node, std::size_t index) const {
  return node.on_link && node.machine_runs && node.powered && lan_.carrier(index) && lan_.forwards(index);
}

void World::arrive(const Frame& frame, std::size_t to) {
  if (rivals_.contains(to) && frame.kind == Frame::Kind::probe)
    lan_.unicast({.kind = Frame::Kind::use, .from = to}, frame.from);
  if (to >= nodes_.size()) return;
  auto& node = nodes_[to];
  if (!node.powered || !node.machine_runs) return;
  if (frame.kind == Frame::Kind::probe && node.on_link)
    lan_.unicast({.kind = Frame::Kind::use, .from = to}, frame.from);
  if (node.process == Process::dead) return;
  if (node.process == Process::stopped) {
    if (node.unread.size() < kMostUnread) node.unread.push_back(frame);
    return;
  }
  read(to, frame);
  carry_out(to);
}

void World::read(std::size_t index, const Frame& frame) {
  Heard heard;
  heard.from = frame.from;
  heard.saying = frame.saying;
  heard.relayed = frame.relayed;
  switch (frame.kind) {
    case Frame::Kind::gateway_answer: heard.kind = Heard::Kind::gateway; break;
    case Frame::Kind::probe: heard.kind = Heard::Kind::probe; break;
    case Frame::Kind::use: heard.kind = Heard::Kind::use; break;
    case Frame::Kind::hello: heard.kind = Heard::Kind::hello; break;
    case Frame::Kind::gone: heard.kind = Heard::Kind::gone; break;
    case Frame::Kind::chat:
    case Frame::Kind::gateway_request:
    case Frame::Kind::handover_request:
    case Frame::Kind::handover_withdrawn: break;
  }
  nodes_[index].machine->hear(now(), heard);
}

void World::read_unread(std::size_t index) {
  const auto unread = std::exchange(nodes_[index].unread, {});
  for (const auto& frame : unread) read(index, frame);
}

// --- the process

void World::carry_out(std::size_t index) {
  auto& node = nodes_[index];
  for (const auto& effect : node.machine->take()) {
    switch (effect.kind) {
      case Effect::Kind::probe:
        lan_.broadcast({.kind = Frame::Kind::probe, .from = index});
        lan_.unicast({.kind = Frame::Kind::gateway_request, .from = index}, lan_.gateway());
        break;
      case Effect::Kind::ask_gateway:
        lan_.unicast({.kind = Frame::Kind::gateway_request, .from = index}, lan_.gateway());
        break;
      case Effect::Kind::announce:
      case Effect::Kind::defend: lan_.broadcast({.kind = Frame::Kind::use, .from = index}); break;
      case Effect::Kind::hello:
        lan_.broadcast({.kind = Frame::Kind::hello,
                        .from = index,
                        .saying = effect.saying,
                        .relayed = node.machine->relay(now())});
        break;
      case Effect::Kind::gone:
        lan_.broadcast({.kind = Frame::Kind::gone, .from = index, .saying = effect.saying});
        break;
      case Effect::Kind::put_on:
        node.on_link = true;
        say(index, "puts the address on the link");
        break;
      case Effect::Kind::take_off:
        node.on_link = false;
        say(index, "takes it off");
        break;
      case Effect::Kind::keep: node.kept = node.machine->kept(); break;
      case Effect::Kind::report:
        say(index, std::string(to_string(effect.saying.state)) + ": " + std::string(effect.why));
        break;
    }
  }
  const auto state = node.machine->state();
  if (state == State::owned && !node.owns_since) node.owns_since = now();
  if (!is_claiming(state) && node.owns_since) {
    const bool was_well =
        node.well_since && now() - *node.well_since > 2 * kSecond && now() - *node.owns_since > 2 * kSecond;
    if (was_well && state == State::lost) {
      ++displaced_;
      say(index, "displaced");
    }
    node.owns_since.reset();
  }
  if (node.on_link && state != State::owned) silent_loss_ = true;
  plan_tick(index);
}

void World::plan_tick(std::size_t index) {
  auto& node = nodes_[index];
  const auto next = node.machine->next();
  if (!next) return;
  const Time when = std::max(*next, now());
  if (node.tick_at > now() && node.tick_at <= when) return;
  node.tick_at = when;
  at(when, [this, index, generation = node.generation, when] { tick(index, generation, when); });
}

void World::tick(std::size_t index, unsigned generation, Time when) {
  auto& node = nodes_[index];
  if (generation != node.generation || !node.powered) return;
  if (node.process != Process::runs || !node.machine_runs) return;  // wake() does what is due
  if (node.tick_at == when) node.tick_at = Time(0);
  node.machine->tick(now());
  carry_out(index);
}

void World::wake(std::size_t index, Time gap, bool noticed) {
  auto& node = nodes_[index];
  node.tick_at = Time(0);
  if (settings_.reads_first) read_unread(index);
  if (noticed) node.machine->stood_still(now(), gap);
  if (node.carrier_seen != lan_.carrier(index)) {
    node.carrier_seen = lan_.carrier(index);
    node.machine->carrier(now(), node.carrier_seen);
  } else if (node.downs != node.downs_seen) {
    node.machine->flapped(now());
  }
  node.downs_seen = node.downs;
  if (node.ready) node.machine->ready(now());
  node.machine->tick(now());
  carry_out(index);
  if (settings_.reads_first) return;
  at(now() + Time(1000), [this, index, generation = node.generation] {
    if (nodes_[index].generation != generation) return;
    read_unread(index);
    carry_out(index);
  });
}

void World::stop_process(std::size_t index) {
  auto& node = nodes_[index];
  if (node.process != Process::runs || !node.powered) return;
  node.process = Process::stopped;
  node.paused_at = now();
  say(index, "process stopped");
}

void World::continue_process(std::size_t index) {
  auto& node = nodes_[index];
  if (node.process != Process::stopped || !node.powered) return;
  node.process = Process::runs;
  say(index, "process continues");
  if (node.machine_runs) wake(index, now() - node.paused_at, true);
}

void World::kill_process(std::size_t index) {
  auto& node = nodes_[index];
  if (!node.powered || node.process == Process::dead) return;
  node.process = Process::dead;
  ++node.generation;
  say(index, "process killed");
  at(now() + kSecond, [this, index, generation = node.generation] { come_again(index, generation); });
}

void World::come_again(std::size_t index, unsigned generation) {
  auto& node = nodes_[index];
  if (generation != node.generation || !node.powered || !node.machine_runs) return;
  new_process(index);
  node.process = Process::runs;
  node.carrier_seen = lan_.carrier(index);
  say(index, "process again");
  const bool flapped = node.downs != node.downs_seen;
  node.downs_seen = node.downs;
  if (node.wanted && node.on_link) {
    const claim::Kept fresh{{0, random_(), random_()}, 0};
    node.machine->resume(now(), node.carrier_seen, true, settings_.keeps ? node.kept : fresh);
    if (flapped) node.machine->flapped(now());
  } else if (node.wanted) {
    node.machine->start(now(), node.carrier_seen);
    await(index);
  }
  carry_out(index);
}

void World::pause_machine(std::size_t index) {
  auto& node = nodes_[index];
  if (!node.machine_runs || !node.powered) return;
  node.machine_runs = false;
  node.paused_at = now();
  say(index, "machine paused");
}

void World::resume_machine(std::size_t index, bool noticed) {
  auto& node = nodes_[index];
  if (node.machine_runs || !node.powered) return;
  node.machine_runs = true;
  say(index, noticed ? "machine goes on" : "machine goes on, and does not know that it stood still");
  if (node.process == Process::dead) {
    at(now() + kSecond, [this, index, g = node.generation] { come_again(index, g); });
    return;
  }
  if (node.process != Process::runs) return;
  // The kernel answers at once; the process is scheduled a little later.
  at(now() + Time(200 + random_() % 20'000),
     [this, index, noticed, generation = node.generation, gap = now() - node.paused_at] {
       auto& again = nodes_[index];
       if (again.generation == generation && again.process == Process::runs && again.machine_runs)
         wake(index, gap, noticed);
     });
}

void World::power_off(std::size_t index) {
  auto& node = nodes_[index];
  node.powered = false;
  node.on_link = false;
  node.wanted = false;
  ++node.generation;
  say(index, "power off");
}

// What the address waits for comes, whether or not the process sees it.
void World::await(std::size_t index) {
  nodes_[index].ready = false;
  at(now() + nodes_[index].wait, [this, index, generation = nodes_[index].generation] {
    auto& node = nodes_[index];
    if (node.generation != generation) return;
    node.ready = true;
    if (node.process != Process::runs || !node.machine_runs) return;
    node.machine->ready(now());
    carry_out(index);
  });
}

// --- commands

void World::start(std::size_t index) {
  auto& node = nodes_[index];
  node.wanted = true;
  if (!node.powered || node.process != Process::runs || !node.machine_runs) return;
  if (is_claiming(node.machine->state())) return;
  // By a process that has listened so far, as the watcher, or by a new one.
  if (random_() % 2 == 0) {
    new_process(index);
    node.carrier_seen = lan_.carrier(index);
    node.downs_seen = node.downs;
  }
  say(index, "start");
  node.machine->start(now(), node.carrier_seen);
  await(index);
  carry_out(index);
}

void World::withdraw(std::size_t index) {
  auto& node = nodes_[index];
  node.wanted = false;
  if (!node.powered || node.process != Process::runs || !node.machine_runs) return;
  node.machine->withdraw();
  say(index, "withdrawn");
  carry_out(index);
}

void World::set_wait(std::size_t index, Time wait) { nodes_[index].wait = wait; }

// --- faults of the LAN

void World::set_carrier(std::size_t index, bool up) {
  if (lan_.carrier(index) == up) return;
  lan_.set_carrier(index, up);
  say(index, up ? "carrier" : "no carrier");
  auto& node = nodes_[index];
  if (!up) ++node.downs;
  // A lost carrier is told late at times, one that is back at once.
  const Time lag = up                   ? Time(500 + random_() % 9500)
                   : random_() % 2 == 0 ? Time(5000)
                                        : Time(5000 + random_() % 995'000);
  at(now() + lag, [this, index, generation = node.generation, up] { carrier_event(index, generation, up); });
}

void World::carrier_event(std::size_t index, unsigned generation, bool up) {
  auto& node = nodes_[index];
  if (lan_.carrier(index) != up || generation != node.generation || !node.powered) return;  // a flap tells nothing
  if (node.process != Process::runs || !node.machine_runs) return;                          // wake() looks
  if (node.carrier_seen != up) {
    node.carrier_seen = up;
    node.machine->carrier(now(), up);
  } else if (up && node.downs != node.downs_seen) {
    node.machine->flapped(now());
  }
  node.downs_seen = node.downs;
  carry_out(index);
}

void World::set_forwarding(std::size_t index, bool forwards) {
  if (lan_.forwards(index) == forwards) return;
  lan_.set_forwarding(index, forwards);
  say(index, forwards ? "port forwards" : "port listens");
}

// --- what must hold

std::vector<std::size_t> World::owners() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (answers(nodes_[i], i)) out.push_back(i);
  return out;
}

void World::put_rival(std::size_t host) { rivals_.insert(host); }

void World::check() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto& node = nodes_[i];
    const bool well = node.machine_runs && node.powered && node.process == Process::runs &&
                      lan_.hears(i, lan_.gateway()) && lan_.hears(lan_.gateway(), i);
    if (!well) node.well_since.reset();
    if (well && !node.well_since) node.well_since = now();
  }
  bool two = false;
  const auto all = owners();
  if (all.size() != 1) one_since_.reset();
  if (all.size() == 1 && !one_since_) one_since_ = now();
  for (const auto a : all)
    for (const auto b : all) two = two || (a < b && lan_.hears(a, b) && lan_.hears(b, a));
  if (two == double_since_.has_value()) return;
  if (two) {
    double_since_ = now();
  } else {
    doubles_.push_back({*double_since_, now() - *double_since_});
    double_since_.reset();
  }
  if (traces_) story_ += two ? "           --- two owners\n" : "           --- no more than one\n";
}

}  // namespace plumb::sim
