// Runs a command COUNT times and prints how long it took, from its fork to its end, and how much of it was resident at
// most: median and least in milliseconds, most in KiB; and when the last one began, in nanoseconds of CLOCK_REALTIME.
// Its output goes where ours goes, so redirect it: ours is on stderr.
//
// usage: bench_process COUNT COMMAND...
// Threads: one. Privilege: the command's.
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

int main(int argc, char** argv) {
  const int count = argc < 3 ? 0 : std::atoi(argv[1]);
  if (count < 1) {
    std::fputs("usage: bench_process COUNT COMMAND...\n", stderr);
    return 2;
  }
  std::vector<double> times;
  long resident = 0;
  timespec last{};
  for (int i = 0; i < count; ++i) {
    ::clock_gettime(CLOCK_REALTIME, &last);
    const auto begin = std::chrono::steady_clock::now();
    pid_t pid = 0;
    int status = 0;
    rusage usage{};
    if (::posix_spawnp(&pid, argv[2], nullptr, nullptr, argv + 2, environ) != 0 ||
        ::wait4(pid, &status, 0, &usage) != pid || status != 0) {
      std::fprintf(stderr, "bench_process: %s failed (%d)\n", argv[2], status);
      return 1;
    }
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    times.push_back(time.count());
    resident = std::max(resident, usage.ru_maxrss);
  }
  std::sort(times.begin(), times.end());
  std::fprintf(stderr, "%.2f %.2f %ld %lld\n", times[times.size() / 2], times.front(), resident,
               static_cast<long long>(last.tv_sec) * 1'000'000'000 + last.tv_nsec);
  return 0;
}
