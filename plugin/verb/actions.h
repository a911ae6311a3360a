// Actions: carries out the steps of a plan on the engine and the kernel, and books what takes each back.
//
// Threads: perform() is called from several threads at once, for the steps of one plan. Privilege: root, in effect:
// CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN and the engine's socket.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "docker_client/container.h"
#include "docker_client/image.h"
#include "netns/address/route.h"
#include "netns/lan/announce.h"
#include "netns/lan/probe.h"
#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/socket/route_socket.h"
#include "plugin/engine/pull_progress.h"
#include "plugin/engine/service_engine.h"
#include "plugin/verb/executor.h"
#include "plugin/verb/handover.h"
#include "plugin/verb/observer.h"
#include "plugin/verb/verb_claims.h"
#include "specs/plan/plan.h"
#include "specs/service/service.h"

namespace plumb {

// An address that this run has claimed, to be announced again.
struct Claimed {
  netns::Announcer announcer;
  AnnouncePolicy policy;
  IpAddress address;
  std::function<bool()> on_link;  // whether it still is, as the kernel has it
  int conversation = -1;          // the descriptor that `on_link` asks by
};

class Actions {
 public:
  // All references outlive this. `undo` may be null: nothing is booked then (stop).
  Actions(const Service& service, ServiceEngine& engine, UndoLog* undo, OnPull on_pull)
      : service_(service), engine_(engine), undo_(undo), on_pull_(std::move(on_pull)), claims_(service) {}

  // Containers are killed in time for all to be over by then.
  void until(std::optional<Clock::time_point> end) { end_ = end; }

  // Takes over what was observed before the plan was made.
  void adopt(const Observation& observation);

  // Carries out one step. Errors say the step, the object, and the kernel's or the engine's words.
  [[nodiscard]] Result<void> perform(const Step& step, const std::stop_token& stop);

  // What this run has probed and found free, for the planner's second look.
  [[nodiscard]] std::set<IpAddress> probed_free();
  // What this run has claimed; the caller announces it again later.
  [[nodiscard]] std::vector<Claimed> take_claimed();
  // The claims behind it. The caller says how they end.
  [[nodiscard]] VerbClaims& claims() { return claims_; }
  // What did not go as it should, although no step failed of it; each is given once.
  [[nodiscard]] std::vector<std::string> take_warnings();
  // Why an address was lost after it had been free, if one was.
  [[nodiscard]] std::optional<Error> loss() const;

 private:
  // One namespace with an rtnetlink conversation, made once for all steps in it.
  struct Conversation {
    std::shared_ptr<const netns::Namespace> ns;
    std::optional<netns::RouteSocket> socket;
    std::mutex mutex;  // of the conversation
  };

  void book(const Step& step, Undo undo);
  [[nodiscard]] const ContainerResource& container_of(const Step& step) const;
  [[nodiscard]] const IpResource& ip_of(const Step& step) const { return ip_named(step.resource); }
  [[nodiscard]] const IpResource& ip_named(const std::string& id) const;
  [[nodiscard]] std::string id_of(const Step& step, const ContainerStart& start);
  [[nodiscard]] Result<std::shared_ptr<Conversation>> conversation(const std::string& container);

  // actions_engine.cc
  Result<void> start_engine(const Step& step, const std::stop_token& stop);
  Result<void> ensure_image(const Step& step, const std::stop_token& stop);
  Result<void> pull(docker::Client& client, const ContainerResource& container, const std::stop_token& stop);
  Result<void> retire_container(const Step& step, const ContainerRetire& retire, const std::stop_token& stop);
  Result<void> create_container(const Step& step, const ContainerCreate& create, const std::stop_token& stop);
  Result<void> start_container(const Step& step, const ContainerStart& start, const std::stop_token& stop);
  Result<void> hold_namespace(const ContainerResource& container, const std::string& id, const std::stop_token& stop);
  Result<std::optional<std::chrono::seconds>> grace_left(docker::Client& client, const ContainerStop& halt,
                                                         std::optional<std::chrono::seconds> own,
                                                         const docker::Call& call) const;
  void name_itself(const ContainerResource& container, docker::ContainerConfig& config);
  Result<void> await_end(const ContainerResource& container, const std::string& id, const docker::Call& call);
  Result<void> stop_container(const Step& step, const ContainerStop& halt, const std::stop_token& stop);
  Result<void> remove_container(const ContainerRemove& remove, const std::stop_token& stop);

  // actions_network.cc
  Result<void> probe_address(const Step& step, const AddressProbe& probe, const std::stop_token& stop);
  Result<Voice> voice_of(const IpResource& ip, const AddressProbe& probe, const std::stop_token& stop);
  Result<void> judge_rival(const IpResource& ip, const IpAddress& address, const std::string& rival);
  Result<void> put_address(const Step& step, const AddressAdd& add, const std::shared_ptr<Conversation>& where);
  Result<void> add_address(const Step& step, const AddressAdd& add, const std::stop_token& stop);
  Result<void> remove_address(const AddressRemove& remove);
  Result<void> set_route(const Step& step, const RouteSet& set);
  Result<void> announce(const Step& step, const AddressAnnounce& announcement);

  // actions_link.cc
  Result<void> create_link(const Step& step, const LinkCreate& create);
  Result<void> put_upon(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                        const std::shared_ptr<Conversation>& inside, const IfName& name);
  Result<void> plug_in(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                       const std::shared_ptr<Conversation>& inside, const IfName& name);
  Result<void> move_in(const Step& step, const LinkCreate& create, const std::shared_ptr<Conversation>& node,
                       const std::shared_ptr<Conversation>& inside, const IfName& name);
  Result<void> remove_link(const Place& where);
  Result<void> give_way(const Step& step, const std::shared_ptr<Conversation>& where, const netns::Link& link,
                        const Cidr& address);
  Result<void> give_way_out(const Step& step, netns::RouteSocket& socket, const netns::Route& route);
  static Result<void> take_way(const AddressRemove& remove, netns::RouteSocket& socket);
  Result<void> take_vlan(const Step& step, const VlanTake& take, const std::stop_token& stop);
  Result<void> release_vlan(const Step& step, const VlanRelease& release);

  // actions_handover.cc
  Result<void> request_addresses(const AddressRequest& request, const std::stop_token& stop);
  Result<void> expect_addresses(const AddressRequest& request, const std::stop_token& stop);
  Result<void> take_by_force(const AddressRequest& request, const std::stop_token& stop);
  Result<std::string> await_owner(const AddressRequest& request, Requester& requester, const std::stop_token& stop);
  Result<void> judge_owner(const std::string& ip, const IpAddress& address, const std::string& rival,
                           const std::string& why);
  Result<void> yield_addresses();

  // actions_host_access.cc
  Result<void> grant_host_access(const Step& step, const HostAccessGrant& grant, const std::stop_token& stop);
  Result<void> revoke_host_access(const HostAccessRevoke& revoke);

  const Service& service_;
  ServiceEngine& engine_;
  UndoLog* undo_;
  OnPull on_pull_;
  std::optional<Clock::time_point> end_;
  std::mutex mutex_;
  std::map<std::string, std::string> ids_;                   // resource id -> container id
  std::map<std::string, std::vector<IpAddress>> addresses_;  // by resource id, as its names were resolved
  std::map<std::string, std::shared_ptr<Conversation>>
      conversations_;  // resource id, or empty for the node's own namespace
  std::set<IpAddress> probed_;
  std::vector<UniqueFd> late_;  // packet sockets: closing one takes milliseconds, so they are closed at the end
  std::vector<Claimed> claimed_;
  std::vector<std::string> warnings_;
  std::vector<std::shared_ptr<OwnerWatch>> owner_watches_;
  VerbClaims claims_;  // last: its thread uses the conversations
};

}  // namespace plumb
