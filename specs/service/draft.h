// Draft: resources as they are read, with the places that only the checks across resources need.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/language/section_reader.h"
#include "specs/service/service.h"

namespace plumb {

struct IpDraft {
  IpResource ip;
  std::vector<Placed<IpAddress>> addresses;             // the names that are literal addresses
  std::optional<Placed<IpAddress>> gateway;             // also when a nonrouted tag keeps it out of the resource
  std::map<std::string, Position, std::less<>> places;  // of keywords that are set on this node

  // Of a keyword, or of the section when the keyword is not set.
  [[nodiscard]] Position place(std::string_view keyword) const;
};

struct ContainerDraft {
  ContainerResource container;
  bool has_image = false;
  bool has_name = false;
  std::map<std::string, Position, std::less<>> places;
  std::map<std::string, Position, std::less<>> flags;  // of keywords that run_args sets

  // Of a keyword, of the flag that stands for it, or of the section.
  [[nodiscard]] Position place(std::string_view keyword) const;
};

struct Draft {
  Service service;
  Position handover;  // of the keyword, or of the file
  std::vector<IpDraft> ips;
  std::vector<ContainerDraft> containers;
};

}  // namespace plumb
