// Store: the driver's folder, one small file for each record.
//
// A record is a state file (plugin/node/state_file.h): a reader sees the old one or the new one. Threads: safe from
// any; who writes one record from two threads decides itself which is last. Privilege: root (the folder is 0700).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::driver {

enum class RecordKind { network, endpoint, pool };

class Store {
 public:
  // The folder, made when it is missing, and locked: a second driver on it is refused (exists). Files half written by a
  // killed driver are removed. Errors: permission.
  [[nodiscard]] static Result<Store> open(const std::string& folder);

  [[nodiscard]] Result<void> put(RecordKind kind, const std::string& id, const std::string& text) const;
  // One that is not there is a success.
  [[nodiscard]] Result<void> remove(RecordKind kind, const std::string& id) const;
  // The texts of all records, by id. What this program has not written, a link or a folder or what is larger than
  // 1 MiB, has an empty text, which is no record. Errors: those of reading (EMFILE, EIO, EACCES): nothing is known
  // then.
  [[nodiscard]] Result<std::map<std::string, std::string>> load(RecordKind kind) const;
  // Renames a record that cannot be understood to ID.json.broken-N, with a new N; returns the path where it is now.
  [[nodiscard]] Result<std::string> set_aside(RecordKind kind, const std::string& id) const;

  // The leases of a pool: addresses that the engine has been given, each with a text of the caller's (the boot). They
  // are not synced: no endpoint outlives the boot that a lease says.
  [[nodiscard]] Result<void> put_lease(const std::string& pool, const std::string& address,
                                       std::string_view text) const;
  [[nodiscard]] Result<void> remove_lease(const std::string& pool, const std::string& address) const;
  [[nodiscard]] Result<std::map<std::string, std::string>> load_leases(const std::string& pool) const;
  [[nodiscard]] Result<void> remove_leases(const std::string& pool) const;

 private:
  Store(std::string folder, UniqueFd lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::string folder_;
  UniqueFd lock_;
};

// Whether an id of the engine's can be part of a path: letters, digits, '_', '.', '-', 1 to 128 bytes, no leading dot.
[[nodiscard]] bool is_record_id(std::string_view id);

}  // namespace plumb::driver
