// What a spec and the options of a network write alike.
#include "specs/service/link_value.h"

#include <array>
#include <utility>

#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

IpMode mode_of(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, IpMode>, 7> kModes = {{{"bridge", IpMode::bridge},
                                                                                 {"macvlan", IpMode::macvlan},
                                                                                 {"ipvlan-l2", IpMode::ipvlan_l2},
                                                                                 {"ipvlan-l3", IpMode::ipvlan_l3},
                                                                                 {"ipvlan-l3s", IpMode::ipvlan_l3s},
                                                                                 {"dedicated", IpMode::dedicated},
                                                                                 {"ovs", IpMode::ovs}}};
  for (const auto& [name, mode] : kModes)
    if (name == word) return mode;
  return IpMode::automatic;
}

ConflictPolicy conflict_of(std::string_view word) {
  if (word == "warn") return ConflictPolicy::warn;
  return word == "takeover" ? ConflictPolicy::takeover : ConflictPolicy::fail;
}

ProbeProfile probe_of(std::string_view word) {
  if (word == "rfc") return ProbeProfile::rfc;
  return word == "off" ? ProbeProfile::off : ProbeProfile::fast;
}

milliseconds hello_of(std::string_view word) {
  if (word == "off") return milliseconds{0};
  return parse_duration(word).value_or(milliseconds{1000});
}

Result<AnnouncePolicy> parse_announce(std::string_view text) {
  const auto words = split_words(text);
  const Err how{ErrorKind::spec, in_quotes(text) + " is not a count, an interval and a period",
                "write it as 5, as 5 500ms, or as 5 500ms 1m"};
  if (words.unterminated || words.words.empty() || words.words.size() > 3) return how;
  AnnouncePolicy policy;
  policy.count = TRY(parse_integer(words.words[0].text, 1, 100));
  if (words.words.size() == 1) return policy;
  policy.interval = TRY(parse_duration(words.words[1].text));
  if (policy.interval.count() < 10 || policy.interval.count() > 60'000)
    return Err{ErrorKind::spec, "an interval of " + words.words[1].text + " is not from 10ms to 1m"};
  if (words.words.size() == 2) return policy;
  const auto period = TRY(parse_duration(words.words[2].text));
  if (period.count() != 0 && (period.count() < 10'000 || period.count() > 3'600'000))
    return Err{ErrorKind::spec, "a period of " + words.words[2].text + " is not 0 or from 10s to 1h"};
  policy.period = std::chrono::duration_cast<std::chrono::seconds>(period);
  return policy;
}

Result<IfName> parse_device(std::string_view text) {
  auto name = IfName::parse(text);
  if (name) return name;
  if (const auto colon = text.find(':'); colon != std::string_view::npos && IfName::parse(text.substr(0, colon)))
    return Err{ErrorKind::spec, in_quotes(text) + " is an alias label, not a device",
               "write " + in_quotes(text.substr(0, colon))};
  return name;
}

}  // namespace plumb
