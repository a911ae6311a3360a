#include "plugin/daemon/metrics_text.h"

#include <unistd.h>

#include <fstream>
#include <optional>

#include "plugin/node/process_stat.h"

namespace plumb {

namespace {

using std::chrono::nanoseconds;

std::string_view word_of(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: break;
  }
  return "histogram";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::uint64_t> resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (!(file >> total >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// As the Prometheus clients do it: ticks since the boot, and the second of the boot.
std::optional<std::string> start_time() {
  const auto ticks = start_ticks_of(::getpid());
  if (!ticks) return std::nullopt;
  std::ifstream stat("/proc/stat");
  std::string key;
  std::uint64_t boot = 0;
  while (stat >> key && key != "btime") std::getline(stat, key);
  if (!(stat >> boot)) return std::nullopt;
  const auto a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto rest = static_cast<std::int64_t>(*ticks % a_second * 1'000'000'000 / a_second);
  return MetricsText::seconds(nanoseconds{static_cast<std::int64_t>(boot + *ticks / a_second) * 1'000'000'000 + rest});
}

}  // namespace

void MetricsText::head(std::string_view name, MetricType type, std::string_view help) {
  (out_ += "# HELP ").append(name).append(" ").append(help).append("\n");
  (out_ += "# TYPE ").append(name).append(" ").append(word_of(type)).append("\n");
}

void MetricsText::sample(std::string_view name, std::string_view labels, std::string_view value) {
  out_ += name;
  if (!labels.empty()) (out_ += "{").append(labels).append("}");
  (out_ += " ").append(value).append("\n");
}

void MetricsText::sample(std::string_view name, std::string_view labels, std::uint64_t value) {
  sample(name, labels, std::string_view(std::to_string(value)));
}

void MetricsText::single(std::string_view name, MetricType type, std::string_view help, std::string_view value) {
  head(name, type, help);
  sample(name, {}, value);
}

void MetricsText::single(std::string_view name, MetricType type, std::string_view help, std::uint64_t value) {
  single(name, type, help, std::string_view(std::to_string(value)));
}

void MetricsText::process() {
  if (const auto bytes = resident_bytes())
    single("process_resident_memory_bytes", MetricType::gauge, "Resident memory size in bytes.", *bytes);
  if (const auto time = start_time())
    single("process_start_time_seconds", MetricType::gauge, "Start time of the process since unix epoch in seconds.",
           std::string_view(*time));
  head("plumb_build_info", MetricType::gauge, "The version of plumb that runs, with the value 1.");
  sample("plumb_build_info", label("version", PLUMB_VERSION), "1");
}

std::string MetricsText::label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + escaped(value) + "\"";
}

std::string MetricsText::seconds(nanoseconds time) {
  const auto rest = std::to_string(time.count() % 1'000'000'000);
  return std::to_string(time.count() / 1'000'000'000) + "." + std::string(9 - rest.size(), '0') + rest;
}

}  // namespace plumb
