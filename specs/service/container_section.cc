#include "specs/service/container_section.h"

#include <algorithm>
#include <set>

#include "specs/service/container_value.h"
#include "specs/service/resource_section.h"
#include "specs/service/run_args.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

// NAME=value, with names that are unique in their list.
class Pairs {
 public:
  Pairs(SectionReader& reader, std::string_view keyword) : reader_(reader), keyword_(keyword) {}

  template <typename Good>
  std::map<std::string, std::string> read(Good good, const std::string& what) {
    std::map<std::string, std::string> out;
    for (const auto& [word, where] : reader_.words(keyword_)) {
      const auto sign = word.find('=');
      const auto name = word.substr(0, sign);
      if (sign == std::string::npos || name.empty() || !good(name)) {
        refuse(where, in_quotes(word) + " is not " + what);
      } else if (!out.emplace(name, word.substr(sign + 1)).second) {
        refuse(where, in_quotes(name) + " is set twice");
      }
    }
    return out;
  }

 private:
  void refuse(const Position& where, const std::string& why) {
    reader_.report().error(where, std::string(keyword_) + " in [" + reader_.section().name + "]: " + why);
  }

  SectionReader& reader_;
  std::string_view keyword_;
};

Result<std::string> parse_creds(std::string_view text) {
  if (text.starts_with('/')) return parse_path(text);
  return Err{ErrorKind::spec, in_quotes(text) + " is not an absolute path",
             "plumb has no secret objects: name a Docker configuration file, such as /etc/plumb/registry.json"};
}

void read_identity(SectionReader& reader, ContainerDraft& draft, const std::string& service) {
  auto& c = draft.container;
  (void)reader.choice("type");
  auto name = reader.single("name", parse_container_name);
  draft.has_name = draft.places.contains("name");
  c.name = name ? name->value : service + ".container." + c.id.substr(c.id.find('#') + 1);
  if (!name && !draft.has_name && !is_container_name(c.name))
    reader.report().error(reader.section().where,
                          "[" + c.id + "]: without a name it would be " + in_quotes(c.name) + ", of " +
                              std::to_string(c.name.size()) + " bytes",
                          "give it a name of at most 255 bytes");
  draft.has_image = draft.places.contains("image");
  // Not what it would be without the keyword: a pause, or somebody else's container.
  for (const std::string_view keyword : {"image", "name"})
    if (const auto where = reader.emptied(keyword))
      reader.report().error(*where,
                            std::string(keyword) + " in [" + c.id + "] is empty once its references are replaced",
                            "give it a value, or remove the line");
  if (auto image = reader.single("image", parse_image)) {
    c.builtin_pause = image->value == "plumb/pause" || image->value == "plumb/pause:latest";
    if (!c.builtin_pause) c.image = image->value;
  }
  c.pull = reader.choice("image_pull_policy") == "always" ? PullPolicy::always : PullPolicy::once;
  if (const auto timeout = reader.duration("pull_timeout")) c.pull_timeout = *timeout;
  if (auto creds = reader.single("registry_creds", parse_creds)) c.registry_creds = creds->value;
  c.rm = reader.boolean("rm");
}

void read_namespaces(SectionReader& reader, ContainerResource& c) {
  const auto read = [&](std::string_view keyword, std::string& out) {
    if (auto value = reader.text(keyword)) out = value->value;
  };
  read("netns", c.netns);
  read("userns", c.userns);
  read("pidns", c.pidns);
  read("ipcns", c.ipcns);
  read("utsns", c.utsns);
}

void read_process(SectionReader& reader, ContainerResource& c) {
  if (auto value = reader.single("hostname", parse_own_host_name)) c.hostname = value->value;
  if (auto value = reader.single("user", parse_user)) c.user = value->value;
  if (auto value = reader.single("cwd", parse_path)) c.cwd = value->value;
  for (auto& word : reader.words("entrypoint")) c.entrypoint.push_back(std::move(word.value));
  for (auto& word : reader.words("command")) c.command.push_back(std::move(word.value));
  c.environment = Pairs(reader, "environment").read([](const auto&) { return true; }, "NAME=value");
  c.privileged = reader.boolean("privileged");
  c.read_only = reader.boolean("read_only");
  c.init = reader.boolean("init");
  c.interactive = reader.boolean("interactive");
  c.tty = reader.boolean("tty");
  c.detach = reader.boolean("detach");
}

void read_environment(SectionReader& reader, ContainerResource& c) {
  std::set<std::string> targets;
  for (auto& mount : reader.list("volume_mounts", parse_volume_mount)) {
    if (!targets.insert(mount.value.target).second)
      reader.report().error(mount.where,
                            "volume_mounts in [" + c.id + "]: two mounts at " + in_quotes(mount.value.target));
    c.volume_mounts.push_back(std::move(mount.value));
  }
  for (auto& device : reader.list("devices", parse_device_mapping)) c.devices.push_back(std::move(device.value));
  for (auto& server : reader.list("dns", parse_server)) c.dns.push_back(std::move(server.value));
  for (auto& domain : reader.list("dns_search", parse_search)) c.dns_search.push_back(std::move(domain.value));
  c.sysctl = Pairs(reader, "sysctl").read(is_kernel_parameter, "name=value with a kernel parameter's name");
}

void read_timeouts(SectionReader& reader, ContainerResource& c) {
  if (const auto timeout = reader.duration("start_timeout")) c.start_timeout = *timeout;
  c.stop_timeout = reader.duration("stop_timeout", true);
  // The engine counts whole seconds (Engine API, ContainerStop: t is an integer).
  if (c.stop_timeout && c.stop_timeout->count() % 1000 != 0)
    reader.report().error(reader.place("stop_timeout").value_or(c.where),
                          "stop_timeout in [" + c.id + "]: the engine counts whole seconds", "round it up");
}

}  // namespace

ContainerDraft read_container(SectionReader& reader, const std::string& service) {
  ContainerDraft draft;
  read_resource(reader, draft.container);
  if (auto subset = reader.text("subset")) draft.container.subset = std::move(subset->value);
  for (const auto& tag : reader.words("tags"))
    if (tag.value == "encap")
      reader.report().error(
          tag.where, "tag \"encap\" of [" + draft.container.id + "]: plumb starts no container inside a container",
          "that container's own means can; addresses can be encapsulated");
  for (const auto& keyword : keywords_of(SectionKind::container))
    if (const auto where = reader.place(keyword.name)) draft.places.emplace(keyword.name, *where);
  read_identity(reader, draft, service);
  read_namespaces(reader, draft.container);
  read_process(reader, draft.container);
  read_environment(reader, draft.container);
  read_timeouts(reader, draft.container);
  read_run_args(reader, draft);
  return draft;
}

}  // namespace plumb
