#include "plugin/engine/pull_progress.h"

#include <unistd.h>

#include <cstdio>

namespace plumb {

namespace {

// A terminal line is rewritten at most this often.
constexpr std::chrono::milliseconds kRefresh{100};

double mib(std::int64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

PullProgress::PullProgress(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

PullProgress::~PullProgress() {
  if (line_open_) std::fputc('\n', stderr);
}

OnPull PullProgress::callback() {
  return [this](const std::string& image, const docker::PullProgress& progress) { show(image, progress); };
}

void PullProgress::show(const std::string& image, const docker::PullProgress& progress) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  const bool first = !images_.contains(image);
  auto& layers = images_[image];
  if (first && !terminal_) std::fprintf(stderr, "plumb: pulling %s\n", image.c_str());
  if (progress.total > 0 && progress.status == "Downloading")
    layers[progress.layer] = {progress.current, progress.total};
  const bool last = progress.status.starts_with("Status: ");
  if (last && !terminal_) std::fprintf(stderr, "plumb: pulled %s\n", image.c_str());
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!last && now - shown_ < kRefresh) return;
  shown_ = now;
  std::int64_t current = 0;
  std::int64_t total = 0;
  for (const auto& [name, layer] : layers) {
    current += layer.current;
    total += layer.total;
  }
  std::fprintf(stderr, "\r\033[Kplumb: %s %s  %.1f of %.1f MiB", last ? "pulled" : "pulling", image.c_str(),
               mib(last ? total : current), mib(total));
  line_open_ = !last;
  if (last) std::fputc('\n', stderr);
}

}  // namespace plumb
