#include "specs/service/run_args.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "specs/language/spelling.h"
#include "specs/service/container_value.h"
#include "specs/service/run_refusal.h"
#include "specs/service/run_value.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

using C = ContainerResource;
using O = RunOptions;

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

template <typename T>
T& at(C& c, T C::*member) {
  return c.*member;
}
template <typename T>
T& at(C& c, T O::*member) {
  return c.options.*member;
}

template <auto Member, auto Parse>
Result<void> one(C& c, std::string_view text) {
  at(c, Member) = TRY(Parse(text));
  return {};
}

template <auto Member, auto Parse>
Result<void> many(C& c, std::string_view text) {
  at(c, Member).push_back(TRY(Parse(text)));
  return {};
}

template <auto Member>
Result<void> yes_no(C& c, std::string_view text) {
  at(c, Member) = text.empty() || TRY(parse_bool(text));
  return {};
}

template <auto Member>
Result<void> pair(C& c, std::string_view text) {
  auto [name, value] = TRY(parse_pair(text));
  if (!at(c, Member).emplace(name, std::move(value)).second)
    return Err{ErrorKind::spec, in_quotes(name) + " is set twice"};
  return {};
}

template <auto Member, std::int64_t Least, std::int64_t Most>
Result<void> number(C& c, std::string_view text) {
  at(c, Member) = TRY(parse_signed(text, Least, Most));
  return {};
}

// "host" where it is allowed, or "container:NAME" where a container of the service can lend it.
template <auto Member, bool Joins>
Result<void> space(C& c, std::string_view text) {
  static constexpr std::string_view kJoin = "container:";
  if (text == "host" || (text == "none" && &at(c, Member) == &c.netns) ||

      (&at(c, Member) == &c.ipcns && (text == "private" || text == "shareable" || text == "none"))) {
    at(c, Member) = text;
    return {};
  }
  if (Joins && text.starts_with(kJoin) && text.size() > kJoin.size()) {
    at(c, Member) = text.substr(kJoin.size());
    return {};
  }
  const bool network = &at(c, Member) == &c.netns;
  return Err{ErrorKind::spec,
             in_quotes(text) + " is not " + (network ? "host, none" : "host") + (Joins ? " or container:NAME" : ""),
             network ? "plumb does the network of a service: write an [ip#N] section for an address"
                     : "leave it out for one of the container's own"};
}

bool is_taken(const C& c, const std::string& target) {
  return c.options.tmpfs.contains(target) ||
         std::any_of(c.volume_mounts.begin(), c.volume_mounts.end(), [&](const auto& m) { return m.target == target; });
}

Result<void> put(C& c, MountValue value) {
  const auto& target = value.mount ? value.mount->target : value.tmpfs->first;
  if (is_taken(c, target)) return Err{ErrorKind::spec, "two mounts at " + in_quotes(target)};
  if (value.mount)
    c.volume_mounts.push_back(*std::move(value.mount));
  else
    c.options.tmpfs.insert(*std::move(value.tmpfs));
  return {};
}

Result<void> take_volume(C& c, std::string_view text) {
  const auto mount = TRY(parse_volume_mount(text));
  return put(c, {mount, {}});
}
Result<void> take_mount(C& c, std::string_view text) { return put(c, TRY(parse_mount(text))); }
Result<void> take_tmpfs(C& c, std::string_view text) {
  const auto tmpfs = TRY(parse_tmpfs(text));
  return put(c, {{}, tmpfs});
}

Result<void> take_env(C& c, std::string_view text) {
  if (text.find('=') == std::string_view::npos)
    return Err{ErrorKind::spec, in_quotes(text) + " has no value, and plumb passes nothing of its own environment on",
               "write " + std::string(text) + "=value"};
  return pair<&C::environment>(c, text);
}

Result<void> take_sysctl(C& c, std::string_view text) {
  if (!is_kernel_parameter(text.substr(0, text.find('='))))
    return Err{ErrorKind::spec, in_quotes(text) + " is not name=value with a kernel parameter's name"};
  return pair<&C::sysctl>(c, text);
}

Result<void> take_label(C& c, std::string_view text) {
  if (text.starts_with("plumb."))
    return Err{ErrorKind::spec, in_quotes(text) + ": labels of plumb. are plumb's own", "take another name"};
  return pair<&O::labels>(c, text.find('=') == std::string_view::npos ? std::string(text) + "=" : std::string(text));
}

Result<void> take_ulimit(C& c, std::string_view text) {
  auto limit = TRY(parse_ulimit(text));
  for (const auto& other : c.options.ulimits)
    if (other.name == limit.name) return Err{ErrorKind::spec, in_quotes(limit.name) + " is set twice"};
  c.options.ulimits.push_back(std::move(limit));
  return {};
}

Result<void> take_entrypoint(C& c, std::string_view text) {
  if (text.empty())
    return Err{ErrorKind::spec, "plumb cannot take the image's entry point away", "write the program to run instead"};
  c.entrypoint = {std::string(text)};
  return {};
}

Result<void> take_stop_timeout(C& c, std::string_view text) {
  c.stop_timeout = std::chrono::seconds(TRY(parse_signed(text, 0, 1'000'000)));
  return {};
}

Result<void> take_restart(C& /*c*/, std::string_view text) {
  if (text == "no") return {};
  return Err{ErrorKind::spec, in_quotes(text) + ": who decides where the service runs restarts it, not the engine",
             "write no, or remove it"};
}

Result<void> take_detach(C& /*c*/, std::string_view text) {
  if (text.empty() || TRY(parse_bool(text))) return {};
  return Err{ErrorKind::spec, "plumb is never attached to a container",
             "for one that the start waits for, write detach = false"};
}

enum class Form { one, list, yes_no };

struct Flag {
  std::string_view name;  // without its dashes
  char letter;            // 0: it has none
  Form form;
  std::string_view keyword;  // of [container#N], for the same
  Result<void> (*take)(C&, std::string_view);
};

constexpr Flag kFlags[] = {
    {"add-host", 0, Form::list, "", many<&O::add_host, parse_extra_host>},
    {"cap-add", 0, Form::list, "", many<&O::cap_add, parse_capability>},
    {"cap-drop", 0, Form::list, "", many<&O::cap_drop, parse_capability>},
    {"cgroup-parent", 0, Form::one, "", one<&O::cgroup_parent, parse_word>},
    {"cpu-shares", 'c', Form::one, "", number<&O::cpu_shares, 0, kMost>},
    {"cpus", 0, Form::one, "", one<&O::nano_cpus, parse_cpus>},
    {"cpuset-cpus", 0, Form::one, "", one<&O::cpuset_cpus, parse_cpu_list>},
    {"detach", 'd', Form::yes_no, "", take_detach},
    {"device", 0, Form::list, "devices", many<&C::devices, parse_device_mapping>},
    {"dns", 0, Form::list, "dns", many<&C::dns, parse_server>},
    {"dns-search", 0, Form::list, "dns_search", many<&C::dns_search, parse_search>},
    {"entrypoint", 0, Form::one, "entrypoint", take_entrypoint},
    {"env", 'e', Form::list, "environment", take_env},
    {"group-add", 0, Form::list, "", many<&O::group_add, parse_word>},
    {"health-cmd", 0, Form::one, "", one<&O::health_cmd, [](std::string_view t) { return Result(std::string(t)); }>},
    {"health-interval", 0, Form::one, "", one<&O::health_interval, parse_duration>},
    {"health-retries", 0, Form::one, "", number<&O::health_retries, 0, 1'000'000>},
    {"health-start-period", 0, Form::one, "", one<&O::health_start_period, parse_duration>},
    {"health-timeout", 0, Form::one, "", one<&O::health_timeout, parse_duration>},
    {"hostname", 'h', Form::one, "hostname", one<&C::hostname, parse_own_host_name>},
    {"init", 0, Form::yes_no, "init", yes_no<&C::init>},
    {"interactive", 'i', Form::yes_no, "interactive", yes_no<&C::interactive>},
    {"ipc", 0, Form::one, "ipcns", space<&C::ipcns, true>},
    {"label", 'l', Form::list, "", take_label},
    {"log-driver", 0, Form::one, "", one<&O::log_driver, parse_word>},
    {"log-opt", 0, Form::list, "", pair<&O::log_opts>},
    {"memory", 'm', Form::one, "", one<&O::memory, parse_size>},
    {"memory-swap", 0, Form::one, "", one<&O::memory_swap, parse_size_or_none>},
    {"mount", 0, Form::list, "volume_mounts", take_mount},
    {"net", 0, Form::one, "netns", space<&C::netns, true>},
    {"network", 0, Form::one, "netns", space<&C::netns, true>},
    {"no-healthcheck", 0, Form::yes_no, "", yes_no<&O::no_healthcheck>},
    {"oom-score-adj", 0, Form::one, "", number<&O::oom_score_adj, -1000, 1000>},
    {"pid", 0, Form::one, "pidns", space<&C::pidns, true>},
    {"pids-limit", 0, Form::one, "", number<&O::pids_limit, -1, kMost>},
    {"privileged", 0, Form::yes_no, "privileged", yes_no<&C::privileged>},
    {"read-only", 0, Form::yes_no, "read_only", yes_no<&C::read_only>},
    {"restart", 0, Form::one, "", take_restart},
    {"rm", 0, Form::yes_no, "rm", yes_no<&C::rm>},
    {"runtime", 0, Form::one, "", one<&O::runtime, parse_word>},
    {"security-opt", 0, Form::list, "", many<&O::security_opt, parse_security_opt>},
    {"shm-size", 0, Form::one, "", one<&O::shm_size, parse_size>},
    {"stop-signal", 0, Form::one, "", one<&O::stop_signal, parse_signal>},
    {"stop-timeout", 0, Form::one, "stop_timeout", take_stop_timeout},
    {"sysctl", 0, Form::list, "sysctl", take_sysctl},
    {"tmpfs", 0, Form::list, "", take_tmpfs},
    {"tty", 't', Form::yes_no, "tty", yes_no<&C::tty>},
    {"ulimit", 0, Form::list, "", take_ulimit},
    {"user", 'u', Form::one, "user", one<&C::user, parse_user>},
    {"userns", 0, Form::one, "userns", space<&C::userns, false>},
    {"uts", 0, Form::one, "utsns", space<&C::utsns, false>},
    {"volume", 'v', Form::list, "volume_mounts", take_volume},
    {"workdir", 'w', Form::one, "cwd", one<&C::cwd, parse_path>},
};

// By its name, or by its letter when there is no name.
const Flag* find_flag(std::string_view name, char letter) {
  const auto* found = std::find_if(std::begin(kFlags), std::end(kFlags), [&](const Flag& row) {
    return name.empty() ? row.letter == letter : row.name == name;
  });
  return found == std::end(kFlags) ? nullptr : found;
}

std::vector<std::string> flag_names() {
  std::vector<std::string> out;
  for (const auto& row : kFlags) out.push_back("--" + std::string(row.name));
  for (const auto& name : refused_flags()) out.push_back("--" + name);
  return out;
}

class RunArgs {
 public:
  RunArgs(SectionReader& reader, ContainerDraft& draft) : reader_(reader), draft_(draft) {}

  void read(const std::vector<Placed<std::string>>& words) {
    for (at_ = 0; at_ < words.size(); ++at_) take(words);
    check(draft_.container.options);
  }

 private:
  void take(const std::vector<Placed<std::string>>& words) {
    const auto& word = words[at_];
    const std::string_view text = word.value;
    if (text.starts_with("--") && text.size() > 2 && text[2] != '=') {
      const auto sign = text.find('=');
      const auto value = sign == std::string_view::npos ? std::nullopt : std::optional(text.substr(sign + 1));
      take(words, text.substr(2, sign == std::string_view::npos ? sign : sign - 2), 0, value);
    } else if (text.starts_with('-') && text.size() > 1 && text[1] != '-') {
      take_letters(words, text.substr(1));
    } else {
      refuse(word.where, in_quotes(text) + " is not a flag", "the image and its command have keywords: image, command");
    }
  }

  // -it, -vVALUE, -v=VALUE, -v VALUE, -itv VALUE.
  void take_letters(const std::vector<Placed<std::string>>& words, std::string_view letters) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const auto* flag = find_flag({}, letter);
      if (flag != nullptr && flag->form == Form::yes_no && !letters.starts_with('=')) {
        take(words, {}, letter, std::nullopt);
        continue;
      }
      const auto value = letters.starts_with('=') ? letters.substr(1) : letters;
      return take(words, {}, letter, letters.empty() ? std::nullopt : std::optional(value));
    }
  }

  // One flag, by its name or its letter. A value that is not in the flag's own word is the next word, whatever it is.
  void take(const std::vector<Placed<std::string>>& words, std::string_view name, char letter,
            std::optional<std::string_view> value) {
    const auto where = words[at_].where;
    const auto shown = name.empty() ? std::string("-") + letter : "--" + std::string(name);
    const auto* flag = find_flag(name, letter);
    if (flag == nullptr) {
      const bool alone = refuse_unmapped(where, shown, name, letter);
      if (!alone && !value && at_ + 1 < words.size() && !words[at_ + 1].value.starts_with('-')) ++at_;
      return;
    }
    auto value_where = where;
    if (!value && flag->form != Form::yes_no) {
      if (at_ + 1 == words.size()) return refuse(where, shown + " needs a value");
      value = words[++at_].value;
      value_where = words[at_].where;
    }
    if (flag->form != Form::list && !first(*flag, shown, where)) return;
    if (const auto taken = flag->take(draft_.container, value.value_or("")); !taken)
      refuse(value_where, shown + ": " + taken.error().what, taken.error().next);
    draft_.flags.emplace(flag->keyword.empty() ? flag->name : flag->keyword, where);
  }

  // Whether the flag takes no value.
  bool refuse_unmapped(const Position& where, const std::string& shown, std::string_view name, char letter) {
    if (const auto refused = refusal_of(name, letter)) {
      refuse(where, shown + std::string(refused->why), std::string(refused->next));
      return refused->alone;
    }
    const auto hint = name.empty() ? std::string() : did_you_mean(shown, flag_names());
    refuse(where, "unknown flag " + in_quotes(shown),
           hint.empty() ? "`plumb keywords container.run_args` names those that plumb knows" : hint);
    return false;
  }

  // Whether what takes one value has none yet.
  bool first(const Flag& flag, const std::string& shown, const Position& where) {
    if (!given_.insert(flag.keyword.empty() ? flag.name : flag.keyword).second) {
      refuse(where, shown + " is given twice", "only one can hold");
      return false;
    }
    const auto keyword = draft_.places.find(flag.keyword);
    if (keyword == draft_.places.end()) return true;
    refuse(where,
           shown + " and the keyword " + keyword->first + " of line " + std::to_string(keyword->second.line) +
               " are the same setting",
           "only one can hold");
    return false;
  }

  void check(const RunOptions& o) {
    if (o.memory_swap != 0 && o.memory == 0)
      refuse(draft_.place("memory-swap"), "--memory-swap needs --memory", "it is the limit of both together");
    else if (o.memory_swap > 0 && o.memory_swap < o.memory)
      refuse(draft_.place("memory-swap"), "--memory-swap is less than --memory", "it is the limit of both together");
    if (o.no_healthcheck && (!o.health_cmd.empty() || o.health_interval || o.health_timeout || o.health_start_period ||
                             o.health_retries != 0))
      refuse(draft_.place("no-healthcheck"), "--no-healthcheck contradicts the other --health- flags",
             "remove one of them");
  }

  void refuse(const Position& where, const std::string& why, const std::string& next = {}) {
    reader_.report().error(where, "run_args in [" + reader_.section().name + "]: " + why, next);
  }

  SectionReader& reader_;
  ContainerDraft& draft_;
  std::size_t at_ = 0;
  std::set<std::string_view> given_;  // what takes one value
};

}  // namespace

void read_run_args(SectionReader& reader, ContainerDraft& draft) {
  reader.word_lists("run_args", [&](const auto& words, bool here) {
    ContainerDraft other;
    other.container.where = draft.container.where;
    RunArgs(reader, here ? draft : other).read(words);
  });
}

}  // namespace plumb
