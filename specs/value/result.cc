#include "specs/value/result.h"

#include <cerrno>
#include <cstring>

namespace plumb {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::spec: return "spec";
    case ErrorKind::not_found: return "not-found";
    case ErrorKind::exists: return "exists";
    case ErrorKind::conflict: return "conflict";
    case ErrorKind::permission: return "permission";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::unreachable: return "unreachable";
    case ErrorKind::refused: return "refused";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::failed: return "failed";
  }
  return "failed";
}

namespace {

ErrorKind kind_of(int err) {
  switch (err) {
    case EPERM:
    case EACCES: return ErrorKind::permission;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ESRCH: return ErrorKind::not_found;
    case EEXIST: return ErrorKind::exists;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT: return ErrorKind::unsupported;
    case ETIMEDOUT: return ErrorKind::timeout;
    case ECONNREFUSED: return ErrorKind::unreachable;
    case ECANCELED: return ErrorKind::cancelled;
    default: return ErrorKind::failed;
  }
}

}  // namespace

Error errno_error(int err, std::string_view operation) {
  std::string what(operation);
  what += ": ";
  what += std::strerror(err);  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe for known errors
  return Error{kind_of(err), err, std::move(what), {}};
}

}  // namespace plumb
