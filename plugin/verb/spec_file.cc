#include "plugin/verb/spec_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <iterator>
#include <optional>

#include "specs/service/loader.h"
#include "specs/value/unique_fd.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kSuffix = ".conf";
constexpr off_t kMostBytes = 1 << 20;

// Who can write it: root, who runs what it says, is then everybody who can.
std::optional<Diagnostic> distrust(const std::string& path, const struct stat& info, bool is_folder) {
  Diagnostic out{.severity = Severity::warning, .where = {path}, .message = {}, .hint = {}, .source_line = {}};
  const std::string it = is_folder ? "its folder" : "it";
  const std::string fixed = is_folder ? fs::path(path).parent_path().string() : path;
  // In a folder such as /tmp others may make files, but not replace those that are there.
  const mode_t writers = is_folder && (info.st_mode & S_ISVTX) != 0 ? 0 : info.st_mode;
  if ((writers & S_IWOTH) != 0) {
    out.severity = Severity::error;
    out.message = it + " can be written by everybody, and root would run what it says";
    out.hint = "chmod o-w " + fixed;
  } else if ((writers & S_IWGRP) != 0 && info.st_gid != 0) {
    out.message = it + " can be written by group " + std::to_string(info.st_gid) + ", and root runs what it says";
    out.hint = "chmod g-w " + fixed;
  } else if (info.st_uid != 0) {
    out.message = it + " belongs to user " + std::to_string(info.st_uid) + ", and root runs what it says";
    out.hint = "chown root " + fixed;
  } else {
    return std::nullopt;
  }
  return out;
}

std::vector<Diagnostic> distrust(const std::string& path) {
  std::vector<Diagnostic> out;
  if (::geteuid() != 0) return out;
  const auto folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  struct stat info {};
  for (const bool is_folder : {false, true}) {
    if (::stat(is_folder ? folder.c_str() : path.c_str(), &info) != 0) continue;
    if (auto said = distrust(path, info, is_folder)) out.push_back(*std::move(said));
  }
  return out;
}

Result<std::string> read_text(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return Err{errno_error(errno, "read " + path)};
  if (!S_ISREG(info.st_mode)) return Err{ErrorKind::spec, "read " + path + ": it is not a regular file"};
  if (info.st_size > kMostBytes) return Err{ErrorKind::spec, "read " + path + ": larger than 1 MiB"};
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::read(fd.get(), text.data() + have, text.size() - have);
    if (got < 0) return Err{errno_error(errno, "read " + path)};
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

bool is_path(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos || name_or_path.ends_with(kSuffix);
}

}  // namespace

std::string node_name() {
  std::array<char, HOST_NAME_MAX + 1> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  std::string name(buffer.data());
  name.resize(std::min(name.find('.'), name.size()));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

std::vector<std::string> service_names(const SpecPlace& place) {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(place.config_dir, ec))
    if (entry.path().extension() == kSuffix) out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string service_name(const std::string& name_or_path) {
  return is_path(name_or_path) ? fs::path(name_or_path).stem().string() : name_or_path;
}

Result<SpecFile> read_spec(const std::string& name_or_path, const SpecPlace& place) {
  SpecFile out;
  out.path = is_path(name_or_path) ? name_or_path : place.config_dir + "/" + name_or_path + std::string(kSuffix);
  out.service = service_name(name_or_path);
  auto text = read_text(out.path);
  if (!text) {
    auto error = std::move(text).error();
    if (error.kind == ErrorKind::not_found && !is_path(name_or_path)) {
      std::string have;
      for (const auto& name : service_names(place)) have += (have.empty() ? "" : ", ") + name;
      error.what = "no service " + name_or_path + ": there is no " + out.path;
      error.next = have.empty() ? "write its file there, or give the path of one" : "there are: " + have;
    }
    return Err{std::move(error)};
  }
  out.text = std::move(*text);
  out.trust = distrust(out.path);
  return out;
}

LoadedSpec load_spec(const SpecFile& file, const SpecPlace& place) {
  LoadOptions options;
  options.file = file.path;
  options.service = file.service;
  options.node = place.node.empty() ? node_name() : place.node;
  auto loaded = load_service(file.text, options);
  LoadedSpec out{std::move(loaded.service), file.trust, loaded.elsewhere};
  if (error_count(out.diagnostics) > 0) out.service.reset();
  out.diagnostics.insert(out.diagnostics.end(), std::make_move_iterator(loaded.diagnostics.begin()),
                         std::make_move_iterator(loaded.diagnostics.end()));
  return out;
}

std::size_t error_count(const std::vector<Diagnostic>& diagnostics) {
  return static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                [](const auto& d) { return d.severity == Severity::error; }));
}

}  // namespace plumb
