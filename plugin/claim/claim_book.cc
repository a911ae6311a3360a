#include "plugin/claim/claim_book.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <utility>

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
    BookedClaim claim;
    auto& [rank, highest] = claim.kept;
    if (!(words >> address >> rank.epoch >> rank.nonce >> rank.id >> highest)) continue;
    for (CarrierSeen carrier; words >> carrier.device >> carrier.index >> carrier.downs;)
      claim.carriers.push_back(carrier);
    if (const auto ip = IpAddress::parse(address)) out[*ip] = std::move(claim);
  }
  return out;
}

Result<void> write_claim_book(const std::string& service, const ClaimBook& book) {
  std::string text;
  for (const auto& [address, claim] : book) {
    const auto& [rank, highest] = claim.kept;
    text += address.to_string() + " " + std::to_string(rank.epoch) + " " + std::to_string(rank.nonce) + " " +
            std::to_string(rank.id) + " " + std::to_string(highest);
    for (const auto& carrier : claim.carriers)
      text += " " + carrier.device + " " + std::to_string(carrier.index) + " " + std::to_string(carrier.downs);
    text += "\n";
  }
  TRY(run_directory());
  return write_state_file(path_of(service), text, 0600, Durable::no);
}

void forget_claim_book(const std::string& service) {
  ::unlink(path_of(service).c_str());
  // Of writers that were killed. What is left of them does no harm.
  [[maybe_unused]] const auto removed = remove_drafts("/run/plumb", service + ".claims");
}

}  // namespace plumb
