// The findings of the doctor: a line each, and what to do on a line of its own.
#include <algorithm>

#include "plugin/output/output.h"
#include "plugin/output/terminal.h"

namespace plumb {

namespace {

const char* colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "\033[32m";
    case Verdict::note: return "\033[33m";
    case Verdict::problem: return "\033[31m";
  }
  return "";
}

}  // namespace

std::string diagnosis_text(const std::vector<Finding>& findings, bool colour) {
  std::size_t subject = 0;
  std::size_t check = 0;
  for (const auto& finding : findings) {
    subject = std::max(subject, finding.subject.size());
    check = std::max(check, finding.check.size());
  }
  std::string out;
  for (const auto& finding : findings) {
    const auto verdict = padded(std::string(to_string(finding.verdict)), std::string_view("problem").size());
    out += colour ? colour_of(finding.verdict) + verdict + kReset : verdict;
    out += "  " + padded(finding.subject, subject) + "  " + padded(finding.check, check) + "  " + finding.text + "\n";
    if (!finding.fix.empty()) out += std::string(9, ' ') + "next: " + finding.fix + "\n";
  }
  return out;
}

}  // namespace plumb
