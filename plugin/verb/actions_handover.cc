#include <sys/epoll.h>

#include <algorithm>
#include <cstdio>

#include "netns/namespace/stop_event.h"
#include "plugin/verb/actions.h"

namespace plumb {

namespace {

// A node that is about to yield does so within two or three milliseconds. A frame may be lost.
constexpr unsigned kFirstRequests = 5;
constexpr milliseconds kBetweenRequests{10};
constexpr std::chrono::seconds kAskAgain{1};

}  // namespace

Result<void> Actions::request_addresses(const AddressRequest& request, const std::stop_token& stop) {
  auto lan = TRY(HandoverLan::open(service_));
  Requester requester(lan);
  const auto stop_event = TRY(netns::StopEvent::open(stop));
  bool given = false;
  for (unsigned i = 0; i < kFirstRequests && !given && !stop.stop_requested(); ++i) {
    requester.ask();
    given = requester.await(Clock::now() + kBetweenRequests, stop_event.fd());
  }
  auto done = given ? Result<void>{} : await_owner(request, requester, stop);
  const std::lock_guard lock(mutex_);
  for (auto& fd : std::move(lan).release()) late_.push_back(std::move(fd));
  for (const auto& wanted : request.wanted)
    if (done) probed_.insert(wanted.address);
  return done;
}

// Nobody yields at once: whoever has the addresses is to be stopped by somebody, or is not there.
Result<void> Actions::await_owner(const AddressRequest& request, Requester& requester, const std::stop_token& stop) {
  const auto limit = service_.handover_timeout ? Clock::now() + *service_.handover_timeout : Clock::time_point::max();
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
  std::string named;
  for (;;) {
    if (requester.await(std::min(limit, Clock::now() + kAskAgain), either.get())) return {};
    if (stop.stop_requested())
      return Err{ErrorKind::cancelled, "wait for the addresses of " + service_.name + ": stopped"};
    const auto state = watch->state();
    if (state.error) return Err{*state.error};
    if (state.free) {
      if (!named.empty())
        std::fprintf(
            stderr,
            "plumb: warning: %s has fallen silent without a word: taking its addresses; if that node was only cut "
            "off, it has them, too, when it is back\n",
            named.c_str());
      return {};
    }
    if (state.owner && Clock::now() >= limit) return judge_owner(*state.owner);
    if (!state.owner && Clock::now() >= limit)
      return Err{ErrorKind::timeout, "nobody has withdrawn the addresses of " + service_.name + " in time"};
    requester.ask();
    if (!state.owner || state.owner->rival.mac.to_string() == named) continue;
    named = state.owner->rival.mac.to_string();
    std::fprintf(stderr, "plumb: waiting for %s to withdraw %s: `plumb stop %s` on that node\n", named.c_str(),
                 state.owner->rival.address.to_string().c_str(), service_.name.c_str());
  }
}

Result<void> Actions::judge_owner(const AddressOwner& owner) {
  const auto ip =
      std::find_if(service_.ips.begin(), service_.ips.end(), [&](const auto& i) { return i.id == owner.ip; });
  auto judged = judge_rival(*ip, owner.rival.address, owner.rival.mac.to_string());
  if (judged) return judged;
  auto error = std::move(judged).error();
  error.what += ", and has not withdrawn it within handover_timeout";
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
