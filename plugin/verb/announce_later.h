// The rounds of announcements after the first: sent by a forked child that outlives the verb, since an announcement
// never delays a start.
//
// Threads: the child makes async-signal-safe calls only, so the caller may have other threads. Privilege: none beyond
// the announcers' open sockets.
#pragma once

#include <vector>

#include "plugin/node/service_lock.h"
#include "plugin/verb/actions.h"

namespace plumb {

// Forks the child and returns at once. The child ends when all rounds are sent, at the first sign that the address is
// no longer this start's (another verb has taken the service's lock since, or holds it), or when its device is gone: it
// can never announce an address that a stop has withdrawn. Failing to fork is not an error: the first round was sent.
void announce_later(std::vector<Claimed> claimed, const ServiceLock& lock);

}  // namespace plumb
