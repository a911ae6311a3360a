// Names: the addresses of the host names in a service's ipname.
//
// Names are asked for while the engine is asked, so they cost a start nothing unless they are slow. The answers of the
// last start (or the first ones there were) are kept in /var/cache/plumb/names/NAME, so that a DNS that is down, as it
// may well be when a service has to move, does not stop it; and so that a stop withdraws what the start had put there,
// whatever the name says today. A DNS that says that there is no such name is believed.
//
// Threads: one for each object; the questions have threads of their own. Privilege: to write the cache, root; who
// cannot, goes without.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/service/service.h"

namespace plumb {

class Names {
 public:
  // Begins to ask for the names of all resources that are not disabled. `starting`: those that do not resolve are asked
  // for again, as long as their wait_dns says.
  Names(const Service& service, bool starting);
  // Waits for the answers: a second where an earlier one is known, else 20; and wait_dns more. False: a stop came
  // first.
  bool collect(Observed& seen, const std::stop_token& stop = {});

 private:
  struct Question;
  std::vector<std::shared_ptr<Question>> questions_;
};

using NameAddresses = std::map<std::string, std::vector<IpAddress>>;

// The names that were answered now, not those that were remembered.
[[nodiscard]] NameAddresses answered_names(const Observed& seen);
// After a start: what was plumbed is what the names mean now.
void remember_names(const NameAddresses& names);

// Pure: what the cache keeps of a name, one address to a line, and back. Nothing is read of a newer version's; a text
// without a version is one of before 0.2.0.
[[nodiscard]] std::string encode_names(const std::vector<IpAddress>& addresses);
[[nodiscard]] std::vector<IpAddress> decode_names(const std::string& text);

}  // namespace plumb
