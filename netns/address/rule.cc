#include "netns/address/rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

Message rule_message(int type, int flags, const IpAddress& source, unsigned priority) {
  fib_rule_hdr header{};
  header.family = static_cast<std::uint8_t>(source.family());
  header.src_len = static_cast<std::uint8_t>(source.bits());
  header.action = type == RTM_NEWRULE ? FR_ACT_TO_TBL : FR_ACT_UNSPEC;  // unsaid: any
  Message message(type, flags, header);
  message.put(FRA_SRC, source);
  message.put(FRA_PRIORITY, priority);
  return message;
}

std::string words(const char* verb, const IpAddress& source) {
  return std::string(verb) + " the rule for what comes from " + source.to_string();
}

}  // namespace

Result<void> add_rule(RouteSocket& socket, const Rule& rule) {
  Message message = rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule.source, rule.priority);
  message.put(FRA_TABLE, rule.table);
  const Answer answer = socket.exchange(message);
  if (answer.ok() || answer.err == EEXIST) return {};
  Error error = refusal(answer, words("add", rule.source));
  // fib_nl_newrule, net/core/fib_rules.c: no rules are known for the family.
  if (answer.err == EAFNOSUPPORT || answer.err == EOPNOTSUPP) error.kind = ErrorKind::unsupported;
  return Err{std::move(error)};
}

Result<void> remove_rules(RouteSocket& socket, const IpAddress& source, unsigned priority) {
  for (;;) {
    Message message = rule_message(RTM_DELRULE, 0, source, priority);
    const Answer answer = socket.exchange(message);  // removes the first that fits (fib_nl_delrule)
    if (answer.ok()) continue;
    if (answer.err == ENOENT || answer.err == EAFNOSUPPORT || answer.err == EOPNOTSUPP) return {};
    return Err{refusal(answer, words("remove", source))};
  }
}

}  // namespace plumb::netns
