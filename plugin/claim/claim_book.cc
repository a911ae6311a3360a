#include "plugin/claim/claim_book.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "plugin/node/service_lock.h"
#include "plugin/node/state_file.h"

namespace plumb {

namespace {

std::string path_of(const std::string& service) { return "/run/plumb/" + service + ".claims"; }

}  // namespace

ClaimBook read_claim_book(const std::string& service) {
  ClaimBook out;
  std::ifstream file(path_of(service));
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string address;
    claim::Kept kept;
    if (!(words >> address >> kept.rank.epoch >> kept.rank.nonce >> kept.rank.id >> kept.highest_epoch)) continue;
    if (const auto ip = IpAddress::parse(address)) out[*ip] = kept;
  }
  return out;
}

Result<void> write_claim_book(const std::string& service, const ClaimBook& book) {
  std::string text;
  for (const auto& [address, kept] : book)
    text += address.to_string() + " " + std::to_string(kept.rank.epoch) + " " + std::to_string(kept.rank.nonce) + " " +
            std::to_string(kept.rank.id) + " " + std::to_string(kept.highest_epoch) + "\n";
  TRY(run_directory());
  return write_state_file(path_of(service), text, 0600, Durable::no);
}

void forget_claim_book(const std::string& service) {
  ::unlink(path_of(service).c_str());
  // Of writers that were killed. What is left of them does no harm.
  [[maybe_unused]] const auto removed = remove_drafts("/run/plumb", service + ".claims");
}

}  // namespace plumb
