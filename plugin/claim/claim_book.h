// ClaimBook: the ranks of a started service's claims, which outlive the process that had them: a verb's claims go on as
// the watcher's, and a watcher's as those of the next.
//
// One file for each service in the run directory. It means nothing after a boot. Threads: safe from any; who writes one
// service's from two threads decides itself which is last. Privilege: write access to the run directory.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "specs/claim/machine.h"
#include "specs/plan/carrier.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

struct BookedClaim {
  claim::Kept kept;
  std::vector<CarrierSeen> carriers = {};  // when it was asked last, or has been found well
};
using ClaimBook = std::map<IpAddress, BookedClaim>;

// Pure: the file's text, and back; what makes no sense in it is passed over. A text without a version is one of before
// 0.2.0. Errors: unsupported (of a later plumb).
[[nodiscard]] std::string encode_claim_book(const ClaimBook& book);
[[nodiscard]] Result<ClaimBook> decode_claim_book(std::string_view text);

// What is known; nothing when there is no such file. Errors: unsupported: then it must not be written over.
[[nodiscard]] Result<ClaimBook> read_claim_book(const std::string& service);
// Errors: the kernel's.
[[nodiscard]] Result<void> write_claim_book(const std::string& service, const ClaimBook& book);
// The service is stopped.
void forget_claim_book(const std::string& service);

}  // namespace plumb
