#include "plugin/verb/handover.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>

#include "netns/namespace/namespace.h"
#include "plugin/node/device.h"
#include "plugin/node/lan_probe.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

constexpr std::chrono::seconds kBetweenRounds{1};  // nothing tells of a node that has died

Clock::time_point at(claim::Time time) { return Clock::time_point(time); }

std::uint64_t number_by_chance() {
  std::random_device random;
  std::uint64_t out = claim::kAnybody;
  while (out == claim::kAnybody) out = std::uint64_t{random()} << 32U | random();
  return out;
}

}  // namespace

Result<HandoverLan> HandoverLan::open(const Service& service) {
  HandoverLan out(service.name, service.node);
  const auto own = TRY(netns::Namespace::current());
  auto socket = TRY(netns::RouteSocket::open(own));
  std::set<std::string> devices;
  for (const auto& ip : service.ips)
    if (!ip.disable && !ip.standby) devices.insert(uplink(ip));
  for (const auto& name : devices) {
    const auto device = TRY(device_named(socket, name));
    if (device) out.channels_.push_back(TRY(netns::HandoverChannel::open(own, device->index)));
  }
  if (out.channels_.empty()) return Err{ErrorKind::not_found, "none of the devices that its addresses are on is there"};
  return out;
}

void HandoverLan::say(netns::HandoverWord word, std::uint64_t number) const {
  // A device that is down says nothing. Who waits asks again, and finds out by itself in the end.
  for (const auto& channel : channels_) [[maybe_unused]] const int lost = channel.send({word, number, service_, node_});
}

std::optional<netns::HandoverMessage> HandoverLan::next(Clock::time_point until, int wake) {
  for (;;) {
    for (auto& channel : channels_)
      while (auto message = channel.read())
        if (message->service == service_ && message->node != node_) return message;
    std::vector<pollfd> waiting{{wake, POLLIN, 0}};
    for (const auto& channel : channels_) waiting.push_back({channel.fd(), POLLIN, 0});
    int timeout = -1;
    if (until != Clock::time_point::max())
      timeout = std::max(0, static_cast<int>(std::chrono::ceil<milliseconds>(until - Clock::now()).count()));
    if (::poll(waiting.data(), waiting.size(), timeout) == 0 || waiting.front().revents != 0) return std::nullopt;
  }
}

void HandoverLan::give(std::uint64_t number) {
  claim::HandoverGiver giver(handover_time(), number);
  for (;;) {
    if (const auto word = giver.take_word()) say(netns::HandoverWord::withdrawn, *word);
    if (giver.is_over(handover_time())) return;
    const auto message = next(at(giver.next()), -1);
    if (message && message->word == netns::HandoverWord::request) giver.hear_request(handover_time(), message->number);
    if (!message) giver.tick(handover_time());
  }
}

std::vector<int> HandoverLan::descriptors() const {
  std::vector<int> out;
  for (const auto& channel : channels_) out.push_back(channel.fd());
  return out;
}

std::vector<UniqueFd> HandoverLan::release() && {
  std::vector<UniqueFd> out;
  for (auto& channel : channels_) out.push_back(std::move(channel).release());
  return out;
}

claim::Time handover_time() { return std::chrono::floor<claim::Time>(Clock::now().time_since_epoch()); }

Requester::Requester(HandoverLan& lan, bool force, std::optional<milliseconds> limit)
    : lan_(lan), taker_(handover_time(), number_by_chance(), force, limit) {}

void Requester::step(int wake) {
  if (taker_.take_request()) lan_.say(netns::HandoverWord::request, taker_.number());
  const auto message = lan_.next(at(taker_.next()), wake);
  if (!message) return taker_.tick(handover_time());
  if (message->word != netns::HandoverWord::withdrawn) return;
  givers_.insert(message->node);
  taker_.hear_withdrawn(message->number);
  if (taker_.state() == claim::HandoverTaker::State::given) giver_ = message->node;
}

void Requester::look(bool answered) { taker_.look(handover_time(), answered); }

OwnerWatch::OwnerWatch(const Service& service, std::vector<WantedAddress> wanted)
    : service_(service),
      wanted_(std::move(wanted)),
      news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

// The thread uses all that is above it.
OwnerWatch::~OwnerWatch() {
  thread_.request_stop();
  thread_.join();
}

OwnerWatch::State OwnerWatch::state() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(news_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return state_;
}

void OwnerWatch::run(const std::stop_token& stop) {
  for (;;) {
    auto found = round(stop);
    if (stop.stop_requested()) return;
    const bool last = !found;
    tell(std::move(found));
    if (last) return;
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, kBetweenRounds, [] { return false; });
  }
}

Result<std::optional<AddressOwner>> OwnerWatch::round(const std::stop_token& stop) const {
  for (const auto& wanted : wanted_) {
    const auto ip =
        std::find_if(service_.ips.begin(), service_.ips.end(), [&](const auto& i) { return i.id == wanted.ip; });
    // Also where the configuration asks nobody: in a hand-over somebody is known to have had it.
    const auto profile = ip->probe == ProbeProfile::off ? ProbeProfile::fast : ip->probe;
    const auto probed = TRY(ask_lan(uplink(*ip), ip->mode, wanted.address, profile, stop));
    if (probed.rival) return std::optional<AddressOwner>({wanted.ip, *probed.rival});
  }
  return std::optional<AddressOwner>{};
}

void OwnerWatch::tell(Result<std::optional<AddressOwner>> found) {
  const std::lock_guard lock(mutex_);
  ++state_.rounds;
  state_.owner.reset();
  if (!found)
    state_.error = std::move(found).error();
  else if (*found)
    state_.owner = **found;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto size = ::write(news_.get(), &one, sizeof one);
}

}  // namespace plumb
