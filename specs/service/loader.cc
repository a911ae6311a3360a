#include "specs/service/loader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "specs/language/ini.h"
#include "specs/language/report.h"
#include "specs/language/resolver.h"
#include "specs/language/section_reader.h"
#include "specs/language/spelling.h"
#include "specs/service/container_section.h"
#include "specs/service/default_section.h"
#include "specs/service/ip_section.h"
#include "specs/service/resource_checks.h"
#include "specs/value/host_name.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

// The section types of OpenSVC that plumb leaves to others, and to whom.
struct Foreign {
  std::string_view type;
  std::string_view instead;
};
constexpr std::array<Foreign, 15> kForeign = {{
    {"fs",
     "mount it with the Pacemaker agent ocf:heartbeat:Filesystem or a systemd .mount unit, ordered before the service"},
    {"disk",
     "activate it with the Pacemaker agent ocf:heartbeat:LVM-activate, ocf:linbit:drbd or a systemd unit, ordered "
     "before the service"},
    {"volume",
     "use volume_mounts with a volume of the engine, or with a directory that the Pacemaker agent "
     "ocf:heartbeat:Filesystem mounts, ordered before the service"},
    {"sync", "replicate with DRBD (ocf:linbit:drbd) or run rsync from a systemd timer"},
    {"task", "run it from a systemd timer"},
    {"app", "run it with the Pacemaker agent systemd:UNIT or ocf:heartbeat:anything, ordered after the service"},
    {"share",
     "export it with the Pacemaker agents ocf:heartbeat:exportfs and ocf:heartbeat:nfsserver, ordered before the "
     "service"},
    {"hb", "heartbeats are corosync's: set them in corosync.conf"},
    {"arbitrator", "quorum is corosync's: use corosync-qdevice"},
    {"stonith", "fencing is Pacemaker's: use a stonith resource"},
    {"expose", "publish with a proxy of your own in a container of the service"},
    {"vhost", "configure the proxy in a container of the service"},
    {"route", "configure the proxy in a container of the service"},
    {"hashpolicy", "configure the proxy in a container of the service"},
    {"certificate", "mount the certificate into the container with volume_mounts"},
}};

bool is_service_name(std::string_view name) {
  const auto alnum = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && name.size() <= 128 && alnum(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_index(std::string_view index) {
  return is_service_name(index) ||
         (!index.empty() && index.size() <= 64 && index.front() == '_' && is_service_name("0" + std::string(index)));
}

class Loading {
 public:
  Loading(std::string_view text, const LoadOptions& options)
      : text_(text), options_(options), ini_(read_ini(text, options.file)), resolver_(ini_, options_, report_) {
    report_.add(std::move(ini_.diagnostics));
  }

  Loaded run() {
    check_names();
    draft_.service.name = options_.service;
    draft_.service.node = options_.node;
    const auto* found = ini_.section("DEFAULT");
    const IniSection none{"DEFAULT", {options_.file, 0, 0}, {}, false};
    const IniSection& defaults = found == nullptr ? none : *found;
    read_groups(defaults, resolver_, report_, draft_.service);
    elsewhere_ = !report_.failed() && !draft_.service.has_node(options_.node);
    SectionReader reader(resolver_, defaults, SectionKind::defaults, report_);
    reader.check_keywords(ini_);
    read_defaults(reader, draft_.service);
    draft_.handover = {options_.file, 0, 0};
    for (const auto& entry : defaults.entries)
      if (entry.key == "handover") draft_.handover = entry.where;
    ignores_foreign_ = reader.choice("foreign") == "ignore";
    // What is plumbed in a container is read by that container's name.
    for (const bool ips : {false, true})
      for (const auto& section : ini_.sections)
        if (ips == section.name.starts_with("ip#")) take(section);
    if (draft_.ips.empty() && draft_.containers.empty() && !report_.failed())
      report_.error({options_.file, 0, 0}, "the spec has no resources", "add an [ip#0] or a [container#0] section");
    check_across(draft_, report_);
    return finish();
  }

 private:
  void check_names() {
    if (!is_service_name(options_.service))
      report_.error({options_.file, 0, 0}, in_quotes(options_.service) + " is not a service's name",
                    "a name has letters, digits, _ . and -, begins with a letter or digit, and is the name of its file "
                    "without .conf");
    if (!HostName::parse(options_.node))
      report_.error({options_.file, 0, 0}, in_quotes(options_.node) + " is not a node's name");
  }

  void take(const IniSection& section) {
    const auto hash = section.name.find('#');
    const auto type = std::string_view(section.name).substr(0, hash);
    const bool resource = type == "ip" || type == "container";
    if (section.name == "DEFAULT" || section.name == "env") return;
    if (!resource) return refuse(section, type);
    const auto index = hash == std::string::npos ? std::string_view() : std::string_view(section.name).substr(hash + 1);
    if (!is_index(index)) {
      const std::string hint = "write it as [" + std::string(type) + "#0] or [" + std::string(type) + "#name]";
      return report_.error(
          section.where,
          "section [" + section.name + "] " +
              (hash == std::string::npos ? "has no index"
                                         : "has an index that is not made of letters, digits, _ . and -"),
          hint);
    }
    const auto kind = type == "ip" ? SectionKind::ip : SectionKind::container;
    SectionReader reader(resolver_, section, kind, report_);
    reader.check_keywords(ini_);
    if (kind == SectionKind::ip)
      draft_.ips.push_back(read_ip(reader, container_names()));
    else
      draft_.containers.push_back(read_container(reader, options_.service));
  }

  [[nodiscard]] std::vector<std::string> container_names() const {
    std::vector<std::string> out;
    for (const auto& one : draft_.containers) out.push_back(lower_case(one.container.name));
    return out;
  }

  void refuse(const IniSection& section, std::string_view type) {
    const auto foreign = std::find_if(kForeign.begin(), kForeign.end(), [&](const auto& f) { return f.type == type; });
    if (foreign != kForeign.end() && ignores_foreign_)
      return report_.warning(section.where, "section [" + section.name + "] is left out (foreign = ignore)",
                             std::string(foreign->instead));
    if (foreign != kForeign.end())
      return report_.error(section.where,
                           "section [" + section.name + "]: plumb manages addresses and containers, not " +
                               in_quotes(type) + " resources",
                           std::string(foreign->instead));
    if (type == "subset" || type == "labels" || type == "data")
      return report_.warning(
          section.where, "section [" + section.name + "] has no effect in plumb",
          type == "subset" ? "the containers of a subset start together, the subsets one after another" : "");
    const std::vector<std::string> known = {"DEFAULT", "ip", "container", "env"};
    const auto near = nearest_names(type, known, 1);
    std::string hint;
    if (!near.empty()) {
      const bool indexed = near.front() == "ip" || near.front() == "container";
      const std::string tail = !indexed                            ? ""
                               : type.size() < section.name.size() ? section.name.substr(type.size())
                                                                   : "#0";
      hint = "did you mean [" + near.front() + tail + "]?";
    }
    if (hint.empty()) hint = "the sections are [DEFAULT], [env], [ip#N] and [container#N]";
    report_.error(section.where, "unknown section [" + section.name + "]", hint);
  }

  Loaded finish() {
    Loaded out;
    if (!report_.failed()) {
      for (auto& one : draft_.ips) draft_.service.ips.push_back(std::move(one.ip));
      for (auto& one : draft_.containers) draft_.service.containers.push_back(std::move(one.container));
      out.service = std::move(draft_.service);
    }
    out.diagnostics = report_.take(text_);
    out.elsewhere = elsewhere_;
    return out;
  }

  std::string_view text_;
  LoadOptions options_;
  Ini ini_;
  Report report_;
  Resolver resolver_;
  Draft draft_;
  bool ignores_foreign_ = false;
  bool elsewhere_ = false;
};

}  // namespace

Loaded load_service(std::string_view text, const LoadOptions& options) { return Loading(text, options).run(); }

}  // namespace plumb
