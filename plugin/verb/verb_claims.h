// VerbClaims: the claims of the addresses that one verb brings up, from the first question until the verb has ended.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "plugin/claim/claim_runner.h"
#include "plugin/claim/voice.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

class VerbClaims {
 public:
  explicit VerbClaims(const Service& service) : service_(service) {}
  ~VerbClaims();

  // Asks the LAN for the address, and waits for the answer. Nothing: it is free, and until the verb ends no other plumb
  // gets it. Errors: the device's, cancelled.
  [[nodiscard]] Result<std::optional<ClaimRival>> ask(const IpResource& ip, const Voice& voice,
                                                      const IpAddress& address, const std::optional<IpAddress>& gateway,
                                                      const std::stop_token& stop);
  // Whether it was asked for, and was free.
  [[nodiscard]] bool has(const IpAddress& address) const;
  [[nodiscard]] std::set<IpAddress> free() const;
  // Puts it on its link: see ClaimRunner. Precondition: has(). The rival that was heard since it was free, if one was.
  [[nodiscard]] Result<std::optional<ClaimRival>> put_on(const IpAddress& address, const Mac& mac,
                                                         std::function<Result<void>()> put_on,
                                                         std::function<void()> take_off, const std::stop_token& stop);

  // Stopped when an address that was free, or on its link, has been lost to somebody else.
  [[nodiscard]] std::stop_token lost() const { return lost_.get_token(); }
  struct Loss {
    std::string ip;  // the resource
    IpAddress address;
    std::optional<ClaimRival> rival;
  };
  [[nodiscard]] std::optional<Loss> loss() const;

  // The verb has ended well: the kernel answers for the addresses now, and who looks after the service finds the claims
  // in its book. The thread that listened has nothing to do. Errors: the kernel's.
  [[nodiscard]] Result<void> keep();
  // It has failed, and its addresses are off their links.
  void withdraw();

 private:
  struct Claim {
    ClaimRunner::Id id = 0;
    std::string ip;
    bool optional = false;
    bool free = false;  // it has been
    std::optional<ClaimRival> contested;
    std::optional<claim::Kept> kept;  // once it is on its link
  };
  [[nodiscard]] Result<ClaimRunner*> runner();
  void heard(const IpAddress& address, const ClaimReport& report);

  const Service& service_;
  mutable std::mutex mutex_;  // never held while the runner is called
  std::map<IpAddress, Claim> claims_;
  std::optional<Loss> loss_;
  std::stop_source lost_;
  std::unique_ptr<ClaimRunner> runner_;  // last: its thread uses the others
};

}  // namespace plumb
