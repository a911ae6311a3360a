#include "plugin/output/exit_code.h"

namespace plumb {

ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return ExitCode::usage;
    case ErrorKind::spec: return ExitCode::spec;
    case ErrorKind::conflict: return ExitCode::conflict;
    case ErrorKind::permission: return ExitCode::permission;
    case ErrorKind::unreachable: return ExitCode::unreachable;
    case ErrorKind::cancelled: return ExitCode::interrupted;
    case ErrorKind::not_found:
    case ErrorKind::exists:
    case ErrorKind::unsupported:
    case ErrorKind::refused:
    case ErrorKind::timeout:
    case ErrorKind::failed: return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode exit_code(Availability availability) {
  switch (availability) {
    case Availability::up: return ExitCode::ok;
    case Availability::down:
    case Availability::disabled: return ExitCode::down;
    case Availability::degraded: return ExitCode::degraded;
    case Availability::unknown: return ExitCode::unreachable;
  }
  return ExitCode::failed;
}

}  // namespace plumb
