// MetricsText: writes metrics in the text format of Prometheus (exposition format 0.0.4).
//
// Threads: one at a time. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace plumb {

// The Content-Type of what it writes.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

enum class MetricType { counter, gauge, histogram };

class MetricsText {
 public:
  // Begins a metric: its samples follow, until the next head().
  void head(std::string_view name, MetricType type, std::string_view help);
  // `labels`: as label() writes one, with commas between several.
  void sample(std::string_view name, std::string_view labels, std::string_view value);
  void sample(std::string_view name, std::string_view labels, std::uint64_t value);
  // A metric of one sample without labels.
  void single(std::string_view name, MetricType type, std::string_view help, std::string_view value);
  void single(std::string_view name, MetricType type, std::string_view help, std::uint64_t value);

  // What this process is: memory, start time, version. What cannot be read is left out: a wrong number is worse than
  // none.
  void process();

  [[nodiscard]] std::string take() { return std::move(out_); }

  // NAME="VALUE", the value escaped.
  [[nodiscard]] static std::string label(std::string_view name, std::string_view value);
  // Exact, and with a point whatever the locale says.
  [[nodiscard]] static std::string seconds(std::chrono::nanoseconds time);

 private:
  std::string out_;
};

}  // namespace plumb
