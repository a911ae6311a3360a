#include "plugin/cluster/yield.h"

#include <poll.h>
#include <sys/inotify.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>

#include "plugin/cluster/kernel_view.h"
#include "plugin/node/detached.h"
#include "plugin/node/service_lock.h"
#include "plugin/verb/handover.h"
#include "plugin/verb/started.h"
#include "plugin/verb/traces.h"
#include "plugin/verb/verb.h"

namespace plumb {

namespace {

using netns::HandoverWord;

class Yielder {
 public:
  Yielder(const Service& service, HandoverLan lan, UniqueFd ended)
      : service_(service), lan_(std::move(lan)), ended_(std::move(ended)) {}

  [[nodiscard]] std::vector<int> descriptors() const {
    auto out = lan_.descriptors();
    out.push_back(ended_.get());
    return out;
  }

  void run() {
    while (const auto message = lan_.next(Clock::time_point::max(), ended_.get()))
      if (message->word == HandoverWord::request) return yield_to(*message);
  }

 private:
  // A verb has come first, or another migrate_to: the file is gone.
  [[nodiscard]] bool over() const {
    pollfd gone{ended_.get(), POLLIN, 0};
    return ::poll(&gone, 1, 0) != 0;
  }

  void yield_to(const netns::HandoverMessage& request) {
    auto lock = ServiceLock::take(service_.name, "hand-over to " + request.node);
    if (!lock) return report(request.node, lock.error());
    if (over()) return lock->finish();
    begin_stopping(service_.name);  // or the watcher would put the addresses back
    const auto outcome = run_verb(service_, Verb::withdraw, *lock, {}, {});
    if (outcome.error)
      report(request.node, *outcome.error);
    else if (claim::HandoverGiver::may_speak(outcome.changed, is_nowhere()))
      lan_.give(request.number);
    else
      report(request.node,
             {ErrorKind::failed, 0, "its addresses are on this node, and not where its containers are", {}});
    lock->finish();
  }

  // There was nothing to withdraw where the engine says that the service is: an engine that died with its containers
  // may have left them a namespace that answers on.
  [[nodiscard]] bool is_nowhere() const {
    const auto view = look_without_engine(service_, read_traces(service_.name));
    return view.present == 0 && view.abandoned == 0 && view.complete;
  }

  // Nobody reads this process's standard error. The other node goes without an answer, and its start fails.
  void report(const std::string& node, const Error& error) const {
    ::openlog("plumb", LOG_PID, LOG_DAEMON);
    ::syslog(LOG_ERR, "hand-over of %s to %s: %s", service_.name.c_str(), node.c_str(), error.what.c_str());
  }

  const Service& service_;
  HandoverLan lan_;
  UniqueFd ended_;
};

}  // namespace

Result<void> yield_when_asked(const Service& service) {
  auto lan = TRY(HandoverLan::open(service));
  const std::string mark = TRY(begin_yielding(service.name));
  UniqueFd ended(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!ended || ::inotify_add_watch(ended.get(), mark.c_str(), IN_DELETE_SELF | IN_ATTRIB) < 0)
    return Err{errno_error(errno, "watch " + mark)};
  Yielder yielder(service, std::move(lan), std::move(ended));
  const pid_t child = ::fork();
  if (child < 0) return Err{errno_error(errno, "fork")};
  if (child > 0) return {};
  detach_process(yielder.descriptors());
  yielder.run();
  ::_exit(0);
}

}  // namespace plumb
