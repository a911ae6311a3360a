// Draft: resources as they are read, with the places that only the checks across resources need.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "specs/language/ini.h"
#include "specs/language/resolver.h"
#include "specs/language/section_reader.h"
#include "specs/service/loader.h"
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

// The keywords of [DEFAULT] into the service; the resolver gets the groups of nodes first, since all else depends on
// them. `section` may be an empty one.
void read_groups(const IniSection& section, Resolver& resolver, Report& report, Service& service);
void read_defaults(SectionReader& reader, Service& service);

// `containers`: the names of the service's containers, in lower case.
[[nodiscard]] IpDraft read_ip(SectionReader& reader, const std::vector<std::string>& containers);
[[nodiscard]] ContainerDraft read_container(SectionReader& reader, const std::string& service);

// What no resource shows alone: references between resources, one address or name used twice, gateways and subnets.
// Decides which containers are existing ones, which run the built-in pause image, and in which one an encapsulated
// address lives.
void check_across(Draft& draft, Report& report);
void check_namespaces(Draft& draft, Report& report);

// What every resource has: tags, optional, disable and so on.
void read_resource(SectionReader& reader, Resource& resource);

}  // namespace plumb
