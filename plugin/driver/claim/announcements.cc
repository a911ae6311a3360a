#include "plugin/driver/claim/announcements.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "netns/namespace/enter.h"
#include "plugin/daemon/descriptor_limit.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/log.h"

namespace plumb::driver {

namespace {

constexpr std::size_t kClosers = 8;  // threads

// Nothing: its container, or its link, is there no more.
Result<std::optional<netns::Announcer>> open_announcer(const EndpointRecord& endpoint, const IpAddress& address,
                                                       const std::optional<IpAddress>& gateway) {
  using Opened = std::optional<netns::Announcer>;
  auto sandbox = netns::Namespace::from_path(endpoint.sandbox);
  if (!sandbox && sandbox.error().kind == ErrorKind::not_found) return Opened{};
  if (!sandbox) return Err{std::move(sandbox).error()};
  // One thread for both sockets.
  return netns::run_in(*sandbox, [&]() -> Result<Opened> {
    auto socket = TRY(netns::RouteSocket::open(*sandbox));
    const auto link = TRY(link_of(socket, endpoint));
    if (!link || !link->mac) return Opened{};
    return Opened(TRY(netns::Announcer::open(*sandbox, {link->index, *link->mac, address, gateway, {}})));
  });
}

// The kernel waits some 10 ms for each, and in several threads for several at once.
void close_together(std::vector<netns::Announcer>& all) {
  std::vector<std::jthread> others;
  const auto close_some = [&all](std::size_t first) {
    for (auto i = first; i < all.size(); i += kClosers) const auto closed = std::move(all[i]);
  };
  std::size_t first = 1;
  try {
    for (; first < std::min(kClosers, all.size()); ++first) others.emplace_back(close_some, first);
  } catch (const std::system_error&) {
    for (; first < kClosers; ++first) close_some(first);  // no more threads
  }
  close_some(0);
}

}  // namespace

Announcements::Announcements(Metrics& metrics)
    : metrics_(metrics),
      most_open_(share_of_descriptors(kMostOpen)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Announcements::send(const EndpointRecord& endpoint, const IpAddress& address,
                         const std::optional<IpAddress>& gateway) {
  const std::lock_guard lock(mutex_);
  const auto waiting = std::find_if(rounds_.begin(), rounds_.end(), [&](const Round& round) {
    return round.address == address && round.endpoint.id == endpoint.id;
  });
  if (waiting != rounds_.end()) return;
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

std::optional<netns::Announcer> Announcements::take_open(const Key& key) {
  const auto found = open_.find(key);
  if (found == open_.end()) return std::nullopt;
  std::optional<netns::Announcer> out(std::move(found->second.announcer));
  open_.erase(found);
  return out;
}

// Between two rounds the lock is let go.
void Announcements::send_one(std::unique_lock<std::mutex>& lock) {
  Round round = std::move(rounds_.front());
  rounds_.pop_front();
  const Key key{round.endpoint.id, round.address};
  sending_ = round.endpoint.id;
  auto announcer = take_open(key);
  if (!announcer) make_room(lock, most_open_ - 1);
  if (sending_.empty()) return;  // it was forgotten meanwhile
  lock.unlock();
  if (!announcer) {
    auto opened = open_announcer(round.endpoint, round.address, round.gateway);
    if (!opened && is_scarcity(opened.error())) {
      lock.lock();
      return wait_for_descriptors(lock, std::move(round), opened.error());
    }
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
  starved_ = false;
  const bool forgotten = std::exchange(sending_, {}).empty();
  if (!announcer) return;
  if (forgotten)
    closing_.push_back(*std::move(announcer));
  else
    open_.insert_or_assign(key, Open{*std::move(announcer), Clock::now() + kKeptOpen});
}

// It has its turn again when the others have had theirs, with what they needed.
void Announcements::wait_for_descriptors(std::unique_lock<std::mutex>& lock, Round round, const Error& why) {
  if (!std::exchange(starved_, true)) say_of_endpoint(round.endpoint.id, "announced later: " + why.what);
  if (!std::exchange(sending_, {}).empty()) rounds_.push_back(std::move(round));
  if (open_.empty() && closing_.empty())
    changed_.wait_for(lock, kTriedAgain, [] { return false; });
  else
    make_room(lock, 0);
}

// Closes those that were used longest ago, until no more than `count` are open.
void Announcements::make_room(std::unique_lock<std::mutex>& lock, std::size_t count) {
  if (open_.size() + closing_.size() <= count) return;
  std::vector<std::map<Key, Open>::iterator> oldest;
  for (auto one = open_.begin(); one != open_.end(); ++one) oldest.push_back(one);
  std::sort(oldest.begin(), oldest.end(),
            [](const auto& a, const auto& b) { return a->second.until < b->second.until; });
  // As many as can be closed together; each takes its time, however many there are.
  const auto ended = std::max(open_.size() > count ? open_.size() - count : 0, std::min(kMadeRoom, open_.size()));
  for (std::size_t i = 0; i < ended; ++i) {
    closing_.push_back(std::move(oldest[i]->second.announcer));
    open_.erase(oldest[i]);
  }
  auto closed = std::exchange(closing_, {});
  lock.unlock();
  close_together(closed);
  lock.lock();
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
