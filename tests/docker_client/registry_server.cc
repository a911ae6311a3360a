#include "tests/docker_client/registry_server.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace plumb::test {

namespace {
constexpr int kPatienceMs = 30'000;
// htpasswd -nbB -C 4 plumb secret
constexpr const char* kLogin = "plumb:$2y$04$./AK52CMmL2Iq/2uEkKgoeuT.xYBbUIhcU.w96jZSYG0cSOAncVr2\n";
}  // namespace

Result<void> RegistryServer::start() {
  std::string config =
      "version: 0.1\nlog:\n  level: info\n  accesslog:\n    disabled: true\nstorage:\n  delete:\n    enabled: true\n"
      "  filesystem:\n    rootdirectory: " +
      scratch_.path() + "/data\nhttp:\n  addr: " + name() + "\n";
  if (with_login_) {
    config += "auth:\n  htpasswd:\n    realm: plumb\n    path: " + scratch_.write("htpasswd", kLogin) + "\n";
  }
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return Err{errno_error(errno, "pipe")};
  output_.reset(pipe[0]);
  UniqueFd writer(pipe[1]);
  ProcessOptions options;
  options.argv = {"docker-registry", "serve", scratch_.write("config.yml", config)};
  options.environment = {"OTEL_TRACES_EXPORTER=none"};
  options.netns = netns_;
  options.output_fd = writer.get();
  process_ = TRY(Process::start(options));
  writer.reset();  // the end of the process is now the end of the pipe
  std::string said;
  std::array<char, 4096> buffer{};
  pollfd ready{output_.get(), POLLIN, 0};
  while (said.find("listening on") == std::string::npos) {
    const int got = ::poll(&ready, 1, kPatienceMs);
    if (got < 0 && errno == EINTR) continue;
    const ssize_t size = got > 0 ? ::read(output_.get(), buffer.data(), buffer.size()) : 0;
    if (size <= 0) return Err{ErrorKind::failed, "start docker-registry: it does not listen:\n" + said};
    said.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return {};
}

void RegistryServer::kill() {
  if (process_) process_->kill();
  process_.reset();
}

void RegistryServer::truncate_blobs() const {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.path() + "/data")) {
    if (entry.is_regular_file() && entry.path().filename() == "data" && entry.file_size() > 4096) {
      std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    }
  }
}

}  // namespace plumb::test
