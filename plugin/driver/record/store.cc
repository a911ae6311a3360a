#include "plugin/driver/record/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "plugin/node/state_file.h"
#include "specs/value/text.h"

namespace plumb::driver {

namespace {

constexpr std::string_view kSuffix = ".json";
constexpr off_t kMostBytes = 1 << 20;
constexpr unsigned kMostSetAside = 10'000;

std::string_view folder_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::network: return "networks";
    case RecordKind::endpoint: return "endpoints";
    case RecordKind::pool: break;
  }
  return "pools";
}

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Result<void> check_id(std::string_view id) {
  if (!is_record_id(id)) return Err{ErrorKind::spec, in_quotes(id) + " cannot be the name of a record"};
  return {};
}

// As IpAddress writes one.
Result<void> check_address(std::string_view address) {
  const bool good = !address.empty() && address.size() < 64 && std::all_of(address.begin(), address.end(), [](char c) {
    return is_alnum(c) || c == ':' || c == '.';
  }) && address.front() != '.';
  if (!good) return Err{ErrorKind::spec, in_quotes(address) + " cannot be the name of a lease"};
  return {};
}

Err failed(const std::string& operation) {
  Error error = errno_error(errno, operation);
  if (error.kind == ErrorKind::permission) error.next = "run it as root";
  return Err{std::move(error)};
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("make directory " + path);
  return {};
}

// With the folders that lead to it.
Result<void> make_folders(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    TRY(make_folder(path.substr(0, at)));
  return make_folder(path);
}

// Empty: nothing that this program has written, whatever it is: no regular file, or larger than 1 MiB. An error says
// nothing of what is in there.
Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && (errno == ELOOP || errno == ENXIO)) return std::string();  // a link; a socket
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return failed("read " + path);
  if (!S_ISREG(info.st_mode) || info.st_size > kMostBytes) return std::string();
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read " + path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

// Renames to a name that nothing has. Returns whether it did; false when something has that name.
Result<bool> rename_to_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return false;
  if (errno != EINVAL && errno != ENOSYS) return failed("rename " + from);
  // A file system that cannot do that at once. Nobody else writes here.
  struct stat info {};
  if (::lstat(to.c_str(), &info) == 0) return false;
  if (::rename(from.c_str(), to.c_str()) != 0) return failed("rename " + from);
  return true;
}

}  // namespace

Result<Store> Store::open(const std::string& folder) {
  TRY(make_folders(folder));
  const std::string path = folder + "/.lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return failed("open " + path);
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return Err{ErrorKind::exists, "lock " + path + ": another driver of plumb uses this folder",
                 "stop that one, or give this one a folder of its own"};
    if (errno != EINTR) return failed("lock " + path);
  }
  for (const auto kind : {RecordKind::network, RecordKind::endpoint, RecordKind::pool}) {
    const std::string records = folder + "/" + std::string(folder_of(kind));
    TRY(make_folder(records));
    TRY(remove_drafts(records));
  }
  const std::string leases = folder + "/leases";
  TRY(make_folder(leases));
  for (const auto& pool : TRY(names_in(leases)))
    if (is_record_id(pool)) TRY(remove_drafts(leases + "/" + pool));
  TRY(sync_folder(folder));
  return Store(folder, std::move(lock));
}

Result<void> Store::put(RecordKind kind, const std::string& id, const std::string& text) const {
  TRY(check_id(id));
  return write_state_file(folder_ + "/" + std::string(folder_of(kind)) + "/" + id + std::string(kSuffix), text);
}

Result<void> Store::remove(RecordKind kind, const std::string& id) const {
  TRY(check_id(id));
  return remove_state_file(folder_ + "/" + std::string(folder_of(kind)) + "/" + id + std::string(kSuffix));
}

Result<std::map<std::string, std::string>> Store::load(RecordKind kind) const {
  const std::string folder = folder_ + "/" + std::string(folder_of(kind));
  std::map<std::string, std::string> out;
  for (const auto& name : TRY(names_in(folder))) {
    if (!name.ends_with(kSuffix)) continue;
    const std::string id = name.substr(0, name.size() - kSuffix.size());
    if (is_record_id(id)) out.emplace(id, TRY(read_file(folder + "/" + name)));
  }
  return out;
}

Result<std::string> Store::set_aside(RecordKind kind, const std::string& id) const {
  TRY(check_id(id));
  const std::string folder = folder_ + "/" + std::string(folder_of(kind));
  const std::string path = folder + "/" + id + std::string(kSuffix);
  for (unsigned n = 1; n <= kMostSetAside; ++n) {
    const std::string aside = path + ".broken-" + std::to_string(n);
    if (!TRY(rename_to_new(path, aside))) continue;
    TRY(sync_folder(folder));
    return aside;
  }
  return Err{ErrorKind::exists,
             "rename " + path + ": there are " + std::to_string(kMostSetAside) + " files of it set aside already",
             "look into them and remove them"};
}

Result<void> Store::put_lease(const std::string& pool, const std::string& address, std::string_view text) const {
  TRY(check_id(pool));
  TRY(check_address(address));
  const std::string folder = folder_ + "/leases/" + pool;
  TRY(make_folder(folder));
  return write_state_file(folder + "/" + address, text, 0600, Durable::no);
}

Result<void> Store::remove_lease(const std::string& pool, const std::string& address) const {
  TRY(check_id(pool));
  TRY(check_address(address));
  return remove_state_file(folder_ + "/leases/" + pool + "/" + address, Durable::no);
}

Result<std::map<std::string, std::string>> Store::load_leases(const std::string& pool) const {
  TRY(check_id(pool));
  const std::string folder = folder_ + "/leases/" + pool;
  std::map<std::string, std::string> out;
  for (const auto& address : TRY(names_in(folder)))
    if (check_address(address)) out.emplace(address, TRY(read_file(folder + "/" + address)));
  return out;
}

Result<void> Store::remove_leases(const std::string& pool) const {
  TRY(check_id(pool));
  const std::string folder = folder_ + "/leases/" + pool;
  for (const auto& name : TRY(names_in(folder))) TRY(remove_state_file(folder + "/" + name, Durable::no));
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) return failed("remove directory " + folder);
  return {};
}

bool is_record_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id.front() != '.' &&
         std::all_of(id.begin(), id.end(), [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace plumb::driver
