#include "plugin/driver/claim/announcements.h"

#include <algorithm>

#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/log.h"

namespace plumb::driver {

namespace {

// Nothing: its container, or its link, is there no more.
Result<std::optional<netns::Announcer>> open_announcer(const EndpointRecord& endpoint, const IpAddress& address,
                                                       const std::optional<IpAddress>& gateway) {
  using Opened = std::optional<netns::Announcer>;
  auto sandbox = netns::Namespace::from_path(endpoint.sandbox);
  if (!sandbox && sandbox.error().kind == ErrorKind::not_found) return Opened{};
  if (!sandbox) return Err{std::move(sandbox).error()};
  auto socket = TRY(netns::RouteSocket::open(*sandbox));
  const auto link = TRY(link_of(socket, endpoint));
  if (!link || !link->mac) return Opened{};
  return Opened(TRY(netns::Announcer::open(*sandbox, {link->index, *link->mac, address, gateway, {}})));
}

}  // namespace

Announcements::Announcements(Metrics& metrics)
    : metrics_(metrics), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Announcements::send(const EndpointRecord& endpoint, const IpAddress& address,
                         const std::optional<IpAddress>& gateway) {
  const std::lock_guard lock(mutex_);
  rounds_.push_back({endpoint, address, gateway});
  changed_.notify_all();
}

void Announcements::forget(const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  std::erase_if(rounds_, [&](const Round& round) { return round.endpoint.id == endpoint; });
  for (auto one = open_.begin(); one != open_.end();) {
    const bool its = one->first.first == endpoint;
    if (its) closing_.push_back(std::move(one->second.announcer));
    one = its ? open_.erase(one) : std::next(one);
  }
  if (sending_ == endpoint) sending_.clear();
  changed_.notify_all();
}

// Between two rounds the lock is let go.
void Announcements::send_one(std::unique_lock<std::mutex>& lock) {
  const Round round = std::move(rounds_.front());
  rounds_.pop_front();
  const Key key{round.endpoint.id, round.address};
  sending_ = round.endpoint.id;
  std::optional<netns::Announcer> announcer;
  if (const auto found = open_.find(key); found != open_.end()) {
    announcer = std::move(found->second.announcer);
    open_.erase(found);
  }
  lock.unlock();
  if (!announcer) {
    auto opened = open_announcer(round.endpoint, round.address, round.gateway);
    if (opened)
      announcer = *std::move(opened);
    else
      say_of_endpoint(round.endpoint.id, "not announced: " + opened.error().what);
  }
  if (announcer) {
    const auto failed = announcer->failed();
    metrics_.count(Event::announced_frames, announcer->send());
    metrics_.count(Event::announce_failures, announcer->failed() - failed);
  }
  lock.lock();
  const bool forgotten = std::exchange(sending_, {}).empty();
  if (!announcer) return;
  if (forgotten)
    closing_.push_back(*std::move(announcer));
  else
    open_.insert_or_assign(key, Open{*std::move(announcer), Clock::now() + kKeptOpen});
}

void Announcements::close_old() {
  for (auto one = open_.begin(); one != open_.end();) {
    const bool old = one->second.until <= Clock::now();
    if (old) closing_.push_back(std::move(one->second.announcer));
    one = old ? open_.erase(one) : std::next(one);
  }
}

void Announcements::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!rounds_.empty()) {
      send_one(lock);
      continue;
    }
    close_old();
    if (!closing_.empty()) {
      // One at a time: rounds come first.
      std::optional<netns::Announcer> closed(std::move(closing_.back()));
      closing_.pop_back();
      lock.unlock();
      closed.reset();
      lock.lock();
      continue;
    }
    const auto called = [&] { return !rounds_.empty() || !closing_.empty(); };
    auto until = Clock::time_point::max();
    for (const auto& [key, one] : open_) until = std::min(until, one.until);
    if (until == Clock::time_point::max())
      changed_.wait(lock, stop, called);
    else
      changed_.wait_until(lock, stop, until, called);
  }
}

}  // namespace plumb::driver
