// Fates: what becomes of each container of a service that is there, or is not, when the service starts. Internal to
// specs.
//
// Threads: one plan's own. Privilege: none.
#pragma once

#include <map>
#include <set>
#include <string>

#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

enum class Fate {
  keep,
  start,
  create,
  replace,  // by a new one of the same name
};

class Fates {
 public:
  // Both outlive this.
  Fates(const Service& service, const Observed& seen) : service_(service), seen_(seen) {}

  // Decides for one container; those whose namespaces it joins come before it. Errors: not_found (an existing one that
  // is not there), exists (its name is another's), refused (it is paused).
  [[nodiscard]] Result<void> decide(const ContainerResource& c);

  [[nodiscard]] bool decided(const std::string& id) const { return fates_.contains(id); }
  // Of one that was decided.
  [[nodiscard]] Fate at(const std::string& id) const { return fates_.at(id); }
  // It is kept, and was made from another configuration.
  [[nodiscard]] bool changed(const std::string& id) const { return changed_.contains(id); }

 private:
  [[nodiscard]] const ObservedContainer* observed(const ContainerResource& c) const;
  [[nodiscard]] Fate fate_of(const ContainerResource& c, const ObservedContainer& have);
  [[nodiscard]] Fate fate_of_init(const ContainerResource& c, const ObservedContainer& have);
  [[nodiscard]] bool still_joined(const ObservedContainer& have) const;
  [[nodiscard]] bool bindings_fit(const ContainerResource& c, const ObservedContainer& have) const;
  [[nodiscard]] bool network_fits(const ContainerResource& c, const ObservedContainer& have) const;
  [[nodiscard]] bool hosts_fit(const ContainerResource& c, const ObservedContainer& have) const;

  const Service& service_;
  const Observed& seen_;
  std::map<std::string, Fate> fates_;
  std::set<std::string> changed_;
};

}  // namespace plumb
