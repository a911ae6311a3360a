#include "specs/value/ip_name.h"

namespace plumb {

Result<IpName> IpName::parse(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return IpName(*address);
  return IpName(TRY(HostName::parse(text)));
}

}  // namespace plumb
