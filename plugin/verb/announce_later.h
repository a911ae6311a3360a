// What goes on for a while after a verb that has brought addresses up: their announcements, and their claims, until
// somebody else looks after them. A forked child does that, since a start waits for no announcement.
//
// Threads: forks; the caller's runner of claims has ended its thread by then. Privilege: none beyond the sockets that
// are open.
#pragma once

#include <vector>

#include "plugin/node/service_lock.h"
#include "plugin/verb/actions.h"

namespace plumb {

// Forks the child and returns at once; the claims are the child's from then on. It listens, says its hellos and sends
// the rounds of announcements after the first. It ends with the last round; without a word at the first sign that the
// address is no longer this start's to announce (another verb has taken the service's lock since; the address is off
// its link; a watcher has been heard to have it; the device is gone, or this process stood still); and, with the
// address taken off, when somebody is heard to whom it has to yield. Failing to fork is not an error: the first round
// was sent.
void announce_later(std::vector<Claimed> claimed, VerbClaims& claims, const ServiceLock& lock);

}  // namespace plumb
