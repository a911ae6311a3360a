#include "plugin/claim/claim_book.h"

#include <unistd.h>

#include <sstream>
#include <string_view>
#include <utility>

#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/node/state_file.h"

namespace plumb {

Result<ClaimBook> decode_claim_book(std::string_view text) {
  ClaimBook out;
  std::istringstream lines(std::string(TRY(without_heading(text, kClaimsState.heading))));
  for (std::string line; std::getline(lines, line);) {
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

std::string encode_claim_book(const ClaimBook& book) {
  std::string text(kClaimsState.heading);
  text += "\n";
  for (const auto& [address, claim] : book) {
    const auto& [rank, highest] = claim.kept;
    text += address.to_string() + " " + std::to_string(rank.epoch) + " " + std::to_string(rank.nonce) + " " +
            std::to_string(rank.id) + " " + std::to_string(highest);
    for (const auto& carrier : claim.carriers)
      text += " " + carrier.device + " " + std::to_string(carrier.index) + " " + std::to_string(carrier.downs);
    text += "\n";
  }
  return text;
}

Result<ClaimBook> read_claim_book(const std::string& service) {
  return decode_claim_book(read_state_file(path_of(kClaimsState, service)).value_or(std::string()));
}

Result<void> write_claim_book(const std::string& service, const ClaimBook& book) {
  TRY(run_directory());
  return write_state_file(path_of(kClaimsState, service), encode_claim_book(book), 0600, Durable::no);
}

void forget_claim_book(const std::string& service) {
  ::unlink(path_of(kClaimsState, service).c_str());
  // Of writers that were killed. What is left of them does no harm.
  [[maybe_unused]] const auto removed = remove_drafts("/run/plumb", service + ".claims");
}

}  // namespace plumb
