#include <sys/epoll.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "netns/namespace/stop_event.h"
#include "plugin/verb/actions.h"

namespace plumb {

namespace {

using Taker = claim::HandoverTaker::State;

std::string in_words(Clock::duration time) {
  const auto all = std::chrono::round<milliseconds>(time);
  return all < std::chrono::seconds(1) ? std::to_string(all.count()) + " ms"
                                       : std::to_string(std::chrono::round<std::chrono::seconds>(all).count()) + " s";
}

// How long a hand-over has waited, for whom, and what was said of that.
class HandoverWait {
 public:
  HandoverWait(const Service& service, const AddressRequest& request) : service_(service) {
    for (const auto& wanted : request.wanted)
      addresses_ += (addresses_.empty() ? "" : " and ") + wanted.address.to_string();
  }

  // Nobody has answered for so long, and nobody will be waited for.
  [[nodiscard]] Error give_up(const Requester& requester) const {
    const std::string who = named_.empty() ? "nobody has been heard" : named_ + " has been silent";
    return {ErrorKind::timeout, 0,
            "wait for the node that has " + addresses_ + ": " + who + " for " +
                in_words(requester.taker().silence(handover_time())) + ", and nobody has said that they are withdrawn",
            "if the service runs nowhere, `plumb start " + service_.name +
                "`, which asks the LAN; if you know that the other node is off, `plumb activate --force " +
                service_.name + "`"};
  }

  // On standard error, once for each thing that is news.
  void tell(const OwnerWatch::State& state, claim::Time patience) {
    if (!state.owner) {
      if (state.rounds > 0 && !std::exchange(said_silent_, true))
        std::fprintf(stderr, "plumb: nobody answers for %s: waiting until somebody does, for %s\n", addresses_.c_str(),
                     in_words(patience).c_str());
      return;
    }
    said_silent_ = false;
    if (state.owner->rival.mac.to_string() == named_) return;
    named_ = state.owner->rival.mac.to_string();
    std::fprintf(stderr, "plumb: waiting for %s to withdraw %s: `plumb stop %s` on that node\n", named_.c_str(),
                 state.owner->rival.address.to_string().c_str(), service_.name.c_str());
  }

 private:
  const Service& service_;
  std::string addresses_;
  std::string named_;  // the last owner
  bool said_silent_ = false;
};

}  // namespace

Result<void> Actions::request_addresses(const AddressRequest& request, const std::stop_token& stop) {
  auto lan = TRY(HandoverLan::open(service_));
  // Before they are asked for: from then on they may be free at any instant.
  TRY(expect_addresses(request, stop));
  Requester requester(lan, request.force, service_.handover_timeout);
  const auto stop_event = TRY(netns::StopEvent::open(stop));
  while (requester.taker().state() == Taker::asking && !stop.stop_requested()) requester.step(stop_event.fd());
  if (requester.taker().state() == Taker::forced) return take_by_force(request, stop);
  const auto giver =
      requester.taker().state() == Taker::given ? requester.giver() : TRY(await_owner(request, requester, stop));
  const auto taken = TRY(claims_.given_by(requester.givers(), stop));
  const std::lock_guard lock(mutex_);
  for (auto& fd : std::move(lan).release()) late_.push_back(std::move(fd));
  for (const auto& wanted : request.wanted) probed_.insert(wanted.address);
  if (!taken) return {};
  return Err{ErrorKind::conflict,
             taken->ip + ": address " + taken->address.to_string() + ": " + taken->rival.to_string() +
                 " has claimed it while " + giver + " handed it over",
             "it stays where it is now: `plumb status " + service_.name + "` there"};
}

Result<void> Actions::expect_addresses(const AddressRequest& request, const std::stop_token& stop) {
  for (const auto& wanted : request.wanted) {
    const auto& ip = ip_named(wanted.ip);
    const auto voice = voice_of(ip, {wanted.from, wanted.address, wanted.gateway}, stop);
    // A link that has its given MAC is made when the other node's is gone: it cannot be heard from before.
    if (!voice && voice.error().kind == ErrorKind::not_found && !wanted.from.container.empty()) continue;
    if (!voice) return Err{voice.error()};
    TRY(claims_.expect(ip, *voice, wanted.address));
  }
  return {};
}

// What nobody answers for, and nobody gives.
Result<void> Actions::take_by_force(const AddressRequest& request, const std::stop_token& stop) {
  for (const auto& wanted : request.wanted) {
    const auto& ip = ip_named(wanted.ip);
    const auto voice = TRY(voice_of(ip, {wanted.from, wanted.address, wanted.gateway}, stop));
    if (const auto rival = TRY(claims_.ask(ip, voice, wanted.address, wanted.gateway, stop)))
      TRY(judge_owner(wanted.ip, wanted.address, rival->to_string(), "; --force takes only what nobody answers for"));
  }
  return {};
}

// Nobody yields at once: whoever has the addresses is to be stopped by somebody, or is not there. The node that has
// given them, or, where `conflict` does not mind, that has not.
Result<std::string> Actions::await_owner(const AddressRequest& request, Requester& requester,
                                         const std::stop_token& stop) {
  const auto watch = std::make_shared<OwnerWatch>(service_, request.wanted);
  // Its end takes a round's time: not now, when somebody waits for the addresses to come back.
  {
    const std::lock_guard lock(mutex_);
    owner_watches_.push_back(watch);
  }
  const auto stop_event = TRY(netns::StopEvent::open(stop));
  const UniqueFd either(::epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {stop_event.fd(), watch->fd()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(either.get(), EPOLL_CTL_ADD, fd, &event);
  }
  HandoverWait wait(service_, request);
  OwnerWatch::State state;
  while (!requester.taker().is_over()) {
    requester.step(either.get());
    if (requester.taker().is_over()) break;
    if (stop.stop_requested())
      return Err{ErrorKind::cancelled, "wait for the addresses of " + service_.name + ": stopped"};
    const auto rounds = state.rounds;
    state = watch->state();
    if (state.error) return Err{*state.error};
    if (state.rounds != rounds) requester.look(state.owner.has_value());
    if (!requester.taker().is_over()) wait.tell(state, requester.taker().patience());
  }
  if (requester.taker().state() == Taker::abandoned) return Err{wait.give_up(requester)};
  if (requester.taker().state() == Taker::given) {
    watch->end();
    return requester.giver();
  }
  const auto owner = state.owner->rival.mac.to_string();
  TRY(judge_owner(state.owner->ip, state.owner->rival.address, owner,
                  ", and has not withdrawn it within handover_timeout"));
  return owner;  // the configuration says that it does not matter
}

Result<void> Actions::judge_owner(const std::string& ip, const IpAddress& address, const std::string& rival,
                                  const std::string& why) {
  auto judged = judge_rival(ip_named(ip), address, rival);
  if (judged) return judged;
  auto error = std::move(judged).error();
  error.what += why;
  error.next = "`plumb stop " + service_.name + "` on that node, then this once more";
  return Err{std::move(error)};
}

Result<void> Actions::yield_addresses() {
  auto lan = TRY(HandoverLan::open(service_));
  lan.give(0);
  const std::lock_guard lock(mutex_);
  for (auto& fd : std::move(lan).release()) late_.push_back(std::move(fd));
  return {};
}

}  // namespace plumb
