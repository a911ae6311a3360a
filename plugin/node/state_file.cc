#include "plugin/node/state_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>

#include "specs/value/unique_fd.h"

namespace plumb {

namespace {

constexpr std::string_view kDraftSuffix = ".tmp";

Err failed(const std::string& operation) {
  Error error = errno_error(errno, operation);
  if (error.kind == ErrorKind::permission) error.next = "run it as root";
  return Err{std::move(error)};
}

struct Place {
  std::string folder;
  std::string name;
};

Place place_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// ".NAME.THREAD.tmp": two writers at once have a draft each.
std::string draft_of(const Place& place) {
  return place.folder + "/." + place.name + "." + std::to_string(::gettid()) + std::string(kDraftSuffix);
}

bool is_draft(std::string_view entry, std::string_view name) {
  if (!entry.starts_with('.') || !entry.ends_with(kDraftSuffix)) return false;
  if (name.empty()) return true;
  entry.remove_prefix(1);
  entry.remove_suffix(kDraftSuffix.size());
  if (!entry.starts_with(name)) return false;
  entry.remove_prefix(name.size());
  return entry.size() > 1 && entry.front() == '.' &&
         std::all_of(entry.begin() + 1, entry.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write " + path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_draft(const std::string& path, std::string_view text, mode_t mode, Durable durable) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return failed("make " + path);
  TRY(write_all(fd.get(), text, path));
  if (durable == Durable::yes && ::fsync(fd.get()) != 0) return failed("sync " + path);
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failed("remove " + path);
  return {};
}

}  // namespace

Result<void> write_state_file(const std::string& path, std::string_view text, mode_t mode, Durable durable) {
  const auto place = place_of(path);
  const auto draft = draft_of(place);
  auto written = write_draft(draft, text, mode, durable);
  if (written && ::rename(draft.c_str(), path.c_str()) != 0) written = failed("rename " + draft);
  if (!written) {
    ::unlink(draft.c_str());
    return written;
  }
  return durable == Durable::yes ? sync_folder(place.folder) : Result<void>();
}

std::optional<std::string> read_state_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string out;
  // No iterator of the stream's buffer: where a read fails, it throws, and read() does not.
  for (std::array<char, 4096> part{}; file;) {
    file.read(part.data(), part.size());
    out.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return std::nullopt;
  return out;
}

Result<std::string_view> without_heading(std::string_view text, std::string_view heading) {
  const auto kind = heading.substr(0, heading.rfind(' ') + 1);
  if (!text.starts_with(kind)) return text;
  const auto line = text.substr(0, text.find('\n'));
  if (line != heading) return Err{unknown_version(line.substr(kind.size()), heading.substr(kind.size()))};
  return text.substr(std::min(line.size() + 1, text.size()));
}

Error unknown_version(std::string_view has, std::string_view known) {
  return {ErrorKind::unsupported, 0,
          "it has version " + std::string(has) + " and this program knows version " + std::string(known) + " only",
          "install the plumb that wrote it, or a newer one"};
}

Result<void> remove_state_file(const std::string& path, Durable durable) {
  TRY(remove_file(path));
  return durable == Durable::yes ? sync_folder(place_of(path).folder) : Result<void>();
}

Result<void> remove_drafts(const std::string& folder, std::string_view name) {
  for (const auto& entry : TRY(names_in(folder)))
    if (is_draft(entry, name)) TRY(remove_file(folder + "/" + entry));
  return {};
}

Result<void> sync_folder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return failed("sync " + folder);
  return {};
}

Result<std::vector<std::string>> names_in(const std::string& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::vector<std::string>{};
  if (!fd) return failed("read " + folder);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), ::closedir);
  if (stream == nullptr) return failed("read " + folder);
  [[maybe_unused]] const int owned = fd.release();  // the stream closes it
  std::vector<std::string> out;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string name(&entry->d_name[0]);
    if (name != "." && name != "..") out.push_back(name);
  }
  if (errno != 0) return failed("read " + folder);
  return out;
}

}  // namespace plumb
