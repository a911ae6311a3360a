// VerbClaims: the claims of the addresses that one verb brings up, from the first question until the verb has ended.
//
// Threads: safe from any. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "plugin/claim/claim_runner.h"
#include "plugin/claim/voice.h"
#include "specs/plan/carrier.h"
#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"

namespace plumb {

class VerbClaims {
 public:
  explicit VerbClaims(const Service& service) : service_(service) {}
  ~VerbClaims();

  // The devices that are the service's own, and no rivals of its addresses, as they are now. Before its claims begin.
  void adopt(const Observed& seen);

  // Asks the LAN for the address, and waits for the answer. Nothing: it is free, and until the verb ends no other plumb
  // gets it. Errors: the device's, cancelled.
  [[nodiscard]] Result<std::optional<ClaimRival>> ask(const IpResource& ip, const Voice& voice,
                                                      const IpAddress& address, const std::optional<IpAddress>& gateway,
                                                      const std::stop_token& stop);
  // An address that another node is to hand over: it is listened for from now on. Errors: those of the voice.
  [[nodiscard]] Result<void> expect(const IpResource& ip, const Voice& voice, const IpAddress& address);
  // One of these nodes, which have withdrawn the expected addresses since, has done so for this one: they are free, as
  // after ask(). The one that somebody else has been heard to have, if there is one. Errors: cancelled.
  struct Taken {
    std::string ip;
    IpAddress address;
    ClaimRival rival;
  };
  [[nodiscard]] Result<std::optional<Taken>> given_by(const std::set<std::string>& givers, const std::stop_token& stop);
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

  // The verb has ended well: who looks after the service finds the claims in its book. `carriers` as they were seen
  // before the first question, by resource. Errors: the kernel's.
  [[nodiscard]] Result<void> keep(const std::map<std::string, std::vector<CarrierSeen>>& carriers);
  // As fork(2): the claims go on in the child, by go_on() there. Who does not call this lets them end with this.
  [[nodiscard]] pid_t pass_on();
  // The child's: see ClaimRunner.
  [[nodiscard]] std::vector<int> descriptors() const;
  [[nodiscard]] bool go_on(std::chrono::milliseconds time, int wake,
                           const std::function<bool(const IpAddress&)>& there);
  // The child's: whether the address may be announced, as it is this process', or was never asked for.
  [[nodiscard]] bool announces(const IpAddress& address) const;
  // It has failed, and its addresses are off their links.
  void withdraw();

 private:
  struct Claim {
    ClaimRunner::Id id = 0;
    std::string ip;
    bool optional = false;
    bool free = false;  // it has been
    std::optional<ClaimRival> contested = {};
    std::optional<claim::Kept> kept = {};  // once it is on its link
  };
  using Begin = Result<ClaimRunner::Id> (ClaimRunner::*)(const Voice&, ClaimedAddress, const claim::Settings&,
                                                         ClaimHooks);
  [[nodiscard]] Result<ClaimRunner*> runner();
  [[nodiscard]] Result<ClaimRunner::Id> begin(Begin how, const IpResource& ip, const Voice& voice, ClaimedAddress what);
  [[nodiscard]] Result<std::optional<ClaimRival>> await(const IpAddress& address, ClaimRunner::Id id,
                                                        const std::stop_token& stop);
  void heard(const IpAddress& address, const ClaimReport& report);

  const Service& service_;
  mutable std::mutex mutex_;  // never held while the runner is called
  std::map<IpAddress, Claim> claims_;
  std::map<std::string, std::set<Mac>> own_;  // by ip
  std::optional<Loss> loss_;
  std::stop_source lost_;
  std::unique_ptr<ClaimRunner> runner_;  // last: its thread uses the others
};

}  // namespace plumb
