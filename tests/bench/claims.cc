// What claims cost a node on which nothing happens: the processor's time of a runner with 1, 100 and 1000 owned
// addresses on one LAN, in percent of one processor, its hellos and its wake-ups each second; and how long a question
// takes.
//
// Usage: bench_claims [SECONDS], default 10 for each. Threads: the runner's. Privilege: root; works in namespaces of
// its own.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "plugin/claim/claim_runner.h"
#include "plugin/claim/claim_settings.h"
#include "tests/netns/lan.h"

namespace {

using namespace plumb;
using netns::test::must;
using Clock = std::chrono::steady_clock;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

struct Used {
  double seconds;
  long wakeups;
};
Used used() {
  rusage out{};
  ::getrusage(RUSAGE_SELF, &out);
  return {seconds_of(out.ru_utime) + seconds_of(out.ru_stime), out.ru_nvcsw};
}

IpAddress address_of(std::size_t number) {
  return netns::test::ip("10.1." + std::to_string(number / 250) + "." + std::to_string(1 + number % 250));
}

Voice voice_of(const netns::test::Station& station) {
  return {"lan", "eth0", [&station] {
            return netns::ClaimSocket::open(std::make_shared<const netns::Namespace>(must(station.ns.dup())),
                                            station.eth0.index);
          }};
}

void idle(const netns::test::Station& station, std::size_t claims, unsigned seconds, std::chrono::seconds period) {
  const auto runner = must(ClaimRunner::open("bench"));
  for (std::size_t i = 0; i < claims; ++i)
    static_cast<void>(must(runner->resume(
        voice_of(station), {address_of(i), netns::test::ip("10.0.3.1"), 1, {}}, *station.eth0.mac,
        claim_settings(ProbeProfile::fast, ConflictPolicy::fail, {5, std::chrono::milliseconds{500}, period}), {}, true,
        true, {{1, i, i + 1}, 1})));
  ::sleep(4);  // the announcements of the begin
  const auto before = used();
  ::sleep(seconds);
  const auto after = used();
  std::printf("%5zu claims, %s: %.3f %% of a processor, %.1f wake-ups each second\n", claims,
              period.count() == 0 ? "hellos alone" : "hellos, and each announced once a minute",
              100 * (after.seconds - before.seconds) / seconds,
              static_cast<double>(after.wakeups - before.wakeups) / seconds);
}

void question(const netns::test::Station& station) {
  const auto runner = must(ClaimRunner::open("bench"));
  std::vector<double> times;
  for (std::size_t i = 0; i < 20; ++i) {
    const auto begin = Clock::now();
    const auto id = must(runner->ask(voice_of(station), {address_of(i), netns::test::ip("10.0.3.1"), 1, {}},
                                     claim_settings(ProbeProfile::fast, ConflictPolicy::fail, {}), {}));
    static_cast<void>(must(runner->await_answer(id, {})));
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  std::printf("a question on a LAN whose gateway answers: %.1f ms (median of %zu)\n", times[10], times.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto seconds = static_cast<unsigned>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10);
  netns::test::Lan lan;
  const auto gateway = lan.plug({"10.0.3.1/24"});
  const auto station = lan.plug();
  question(station);
  for (const std::size_t claims : {1U, 100U, 1000U})
    for (const auto period : {std::chrono::seconds{0}, std::chrono::seconds{60}})
      idle(station, claims, seconds, period);
  return 0;
}
