// Host: what exists on one node of the simulator: the engine's containers, the kernel's namespaces, links, addresses
// and routes, as the steps of the real planner make them, and what the real planner is shown of it.
//
// Threads: one. Privilege: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/plan/observed.h"
#include "specs/plan/step.h"
#include "specs/service/service.h"

namespace plumb::sim {

class Host {
 public:
  explicit Host(Service service);

  [[nodiscard]] const Service& service() const { return service_; }
  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] Observed observe() const;

  // The effect of a step that touches nobody but this node, all at once. False: the engine or the kernel refuses. Of
  // LinkCreate only half: the link is there, and down, until raise().
  bool apply(const Step& step);
  void raise(const Place& link);
  // What takes it back; nothing: there is nothing to take back.
  [[nodiscard]] std::optional<Step> undo_of(const Step& step) const;

  // Whether the kernel answers for the address, were its uplink well: where it belongs, or in a namespace that only a
  // sibling keeps.
  [[nodiscard]] bool has_address() const;
  // Where it belongs.
  [[nodiscard]] bool has_it_in_place() const { return home() != nullptr && home()->address(address_) != nullptr; }
  void put_address();                                                 // by the watcher, with its route
  void take_address();                                                // the same
  [[nodiscard]] bool has_place() const { return link_index() != 0; }  // the link that the address belongs on

  // What happens to it.
  void set_carrier(bool up) { carrier_ = up; }
  void end_container(const std::string& resource);  // by itself
  void end_engine();                                // with all containers
  void begin_engine() { engine_ = EngineState::up; }
  [[nodiscard]] bool engine_is_up() const { return engine_ == EngineState::up; }
  void set_broken(bool broken) { broken_ = broken; }  // no container starts
  void power_off();
  // Nothing of the service is left but containers that a stop keeps, stopped.
  [[nodiscard]] bool is_bare() const;

 private:
  [[nodiscard]] ObservedContainer* named(const std::string& name);
  [[nodiscard]] ObservedContainer* resource(const std::string& id);
  [[nodiscard]] const ObservedContainer* resource(const std::string& id) const;
  [[nodiscard]] ObservedNetns* space(const std::string& container);
  [[nodiscard]] const ObservedNetns* home() const;
  [[nodiscard]] ObservedNetns* home();
  [[nodiscard]] int link_index() const;
  bool create(const ContainerCreate& create, const std::string& resource);
  bool start(const ContainerStart& start);
  void stop(ObservedContainer& container);
  void remove_link(const Place& place);
  void sweep();

  Service service_;
  IpAddress address_;
  Cidr cidr_;
  EngineState engine_ = EngineState::up;
  bool carrier_ = true;
  bool broken_ = false;
  ObservedNetns node_;
  std::map<std::string, ObservedContainer> containers_;  // by the engine's id
  std::map<std::uint64_t, ObservedNetns> spaces_;        // by inode
  std::map<std::string, std::uint64_t> space_of_;        // of running containers, by id
  std::uint64_t last_ = 100;
};

}  // namespace plumb::sim
