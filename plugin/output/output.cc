#include "plugin/output/output.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "plugin/output/terminal.h"

namespace plumb {

namespace {

const char* colour_of(Availability state) {
  switch (state) {
    case Availability::up: return "\033[32m";
    case Availability::degraded: return "\033[33m";
    case Availability::down:
    case Availability::unknown: return "\033[31m";
    case Availability::disabled: return "\033[2m";
  }
  return "";
}

std::string state_word(Availability state, bool colour, std::size_t width) {
  const std::string word = padded(std::string(to_string(state)), width);
  return colour ? colour_of(state) + word + kReset : word;
}

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

std::string ms_text(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%9.2f", value);
  return buffer.data();
}

constexpr std::size_t kStateWidth = 9;

// One resource, its problems, and those that live in its namespace, below each other as a tree.
class Tree {
 public:
  Tree(const ServiceStatus& status, bool colour) : status_(status), colour_(colour) {
    for (const auto& r : status.resources) width_ = std::max(width_, r.id.size() + 6);
  }

  std::string text() {
    std::string first =
        padded(status_.service, width_ + 3) + state_word(status_.state, colour_, kStateWidth) + "on " + status_.node;
    if (!status_.engine.empty()) first += ", engine " + status_.engine;
    out_ = first + "\n";
    std::vector<const ResourceStatus*> roots;
    for (const auto& r : status_.resources)
      if (r.joins.empty()) roots.push_back(&r);
    branch(roots, "", status_.problems);
    return out_;
  }

 private:
  void branch(const std::vector<const ResourceStatus*>& children, const std::string& indent,
              const std::vector<std::string>& problems) {
    const std::size_t total = children.size() + problems.size();
    std::size_t n = 0;
    for (const auto& p : problems) out_ += indent + (++n == total ? "└ ! " : "├ ! ") + p + "\n";
    for (const auto* child : children) {
      const bool last = ++n == total;
      // The box-drawing characters are three bytes and one column each.
      const std::size_t columns = indent_columns(indent) + 3;
      out_ += indent + (last ? "└─ " : "├─ ") + padded(child->id, width_ + 3 - std::min(columns, width_)) +
              state_word(child->state, colour_, kStateWidth) + child->label + (child->standby ? ", on standby" : "") +
              "\n";
      std::vector<const ResourceStatus*> inside;
      for (const auto& r : status_.resources)
        if (r.joins == child->id) inside.push_back(&r);
      branch(inside, indent + (last ? "   " : "│  "), child->problems);
    }
  }

  static std::size_t indent_columns(const std::string& indent) {
    return static_cast<std::size_t>(std::count_if(
        indent.begin(), indent.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
  }

  const ServiceStatus& status_;
  bool colour_;
  std::size_t width_ = 12;
  std::string out_;
};

}  // namespace

bool colour_on(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (term == nullptr || std::string_view(term) == "dumb") return false;
  return ::isatty(fd) == 1;
}

std::string error_text(const std::string& operation, const Error& error, const std::string& step, bool colour) {
  std::string out = colour ? "\033[31mplumb:\033[0m " : "plumb: ";
  out += operation + ": " + error.what + "\n";
  if (!step.empty()) out += "  step: " + step + "\n";
  if (!error.next.empty()) out += "  next: " + error.next + "\n";
  return out;
}

std::string validation_text(const Service& service) {
  const auto count = [](std::size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  return service.name + ": valid: " + count(service.ips.size(), "ip") + ", " +
         count(service.containers.size(), "container") + ", as seen on " + service.node + "\n";
}

std::string status_tree(const ServiceStatus& status, bool colour) { return Tree(status, colour).text(); }

std::string plan_text(const std::string& service, const Plan& plan) {
  if (plan.empty()) return service + ": nothing to do\n";
  std::string out;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& step = plan.steps[i];
    std::string after;
    for (const auto before : step.after) after += (after.empty() ? "  (after " : ",") + std::to_string(before + 1);
    out += padded(std::to_string(i + 1), 4) + padded(step.resource.empty() ? "engine" : step.resource, 14) +
           describe(step) + after + (after.empty() ? "\n" : ")\n");
  }
  if (plan.partial)
    out +=
        "then look again and plan the rest: what is in an engine or a container that does not run is not known yet\n";
  return out;
}

std::string outcome_text(const Service& service, Verb verb, const Outcome& outcome) {
  const auto time =
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(outcome.elapsed).count()) + " ms";
  if (verb == Verb::boot)
    return service.name +
           (outcome.changed ? ": on standby on " + service.node + " in " + time
                            : ": is on standby already on " + service.node) +
           "\n";
  if (verb == Verb::prepare)
    return service.name +
           (outcome.changed ? ": prepared on " + service.node + " in " + time
                            : ": is prepared already on " + service.node) +
           "; next: plumb activate " + service.name + "\n";
  if (!brings_up(verb))
    return service.name +
           (outcome.changed ? ": stopped on " + service.node + " in " + time : ": is down already on " + service.node) +
           "\n";
  std::string out = service.name + (outcome.changed ? ": up on " + service.node + " in " + time
                                                    : ": is up already on " + service.node);
  const char* separator = ": ";
  for (const auto& r : outcome.after.resources)
    if (r.kind.starts_with("ip")) {
      out += separator + r.label;
      separator = ", ";
    }
  return out + "\n";
}

std::string timing_text(const Outcome& outcome) {
  std::string out = "critical path, ms   total   engine    plumb\n";
  double total = 0;
  double engine = 0;
  for (const auto& part : outcome.critical_path) {
    const double t = ms(part.total);
    const double e = std::min(t, ms(part.engine));
    out += "              " + ms_text(t) + ms_text(e) + ms_text(t - e) + "  " + part.what + "\n";
    total += t;
    engine += e;
  }
  return out + "              " + ms_text(total) + ms_text(engine) + ms_text(total - engine) + "  sum; whole verb" +
         ms_text(ms(outcome.elapsed)) + "\n";
}

}  // namespace plumb
