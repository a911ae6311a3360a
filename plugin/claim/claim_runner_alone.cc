// The claims of a process that is left behind: they go on there by its only thread.
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "plugin/claim/boot_time.h"
#include "plugin/claim/claim_runner.h"
#include "specs/claim/timing.h"

namespace plumb {

using std::chrono::milliseconds;

// Forked when nobody holds a lock, be it this one or the allocator's: the runner's thread has ended by then.
pid_t ClaimRunner::pass_on() {
  thread_.request_stop();
  rouse();
  if (thread_.joinable()) thread_.join();
  const pid_t child = ::fork();
  alone_ = child == 0;
  // What has arrived is the child's to read.
  if (child != 0) entries_.clear();
  return child;
}

std::vector<int> ClaimRunner::descriptors() const {
  std::vector<int> out;
  for (const auto& [key, lan] : lans_) {
    const auto its = lan.socket.descriptors();
    out.insert(out.end(), its.begin(), its.end());
    const auto groups = lan.socket.memberships();
    out.insert(out.end(), groups.begin(), groups.end());
  }
  return out;
}

void ClaimRunner::end_claims(const std::function<bool(const Entry&)>& which) {
  std::vector<Id> ended;
  for (const auto& [id, entry] : entries_)
    if (which(entry)) ended.push_back(id);
  for (const auto id : ended) forget(id);
}

bool ClaimRunner::go_on(milliseconds time, int wake, const std::function<bool(const IpAddress&)>& there) {
  const auto until = boot_time() + time;
  for (;;) {
    std::vector<pollfd> waiting{{wake, POLLIN, 0}};
    for (const auto& [key, lan] : lans_)
      for (const int fd : lan.socket.descriptors()) waiting.push_back({fd, POLLIN, 0});
    const auto due = std::min(next().value_or(until), until);
    const auto left = std::chrono::ceil<milliseconds>(due - boot_time()).count();
    ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<milliseconds::rep>(left, 0)));
    if (waiting.front().revents != 0) return true;
    const auto now = boot_time();
    if (now - due >= claim::kNoticedGap) return false;
    read_all(now);
    end_claims([&](const Entry& entry) { return entry.succeeded || entry.lan->broken || !there(entry.what.address); });
    serve(now);
    // What a loss has led to has been carried out.
    end_claims([](const Entry& entry) { return !claim::is_claiming(entry.machine.state()); });
    if (now >= until) return true;
  }
}

}  // namespace plumb
