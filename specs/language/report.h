// Report: the diagnostics of one load, collected in any order and given in the order of their places.
//
// Threads: one load's own. Privilege: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/language/diagnostic.h"

namespace plumb {

class Report {
 public:
  // The same message at the same place is kept once: a keyword that several resources inherit is at fault once.
  void error(const Position& where, std::string message, std::string hint = {});
  void warning(const Position& where, std::string message, std::string hint = {});
  void add(std::vector<Diagnostic> diagnostics);

  [[nodiscard]] bool failed() const { return failed_; }

  // Sorted by place and with their source lines, which are those of `text`. The report is empty afterwards.
  [[nodiscard]] std::vector<Diagnostic> take(std::string_view text);

 private:
  void say(Severity severity, const Position& where, std::string message, std::string hint);

  std::vector<Diagnostic> diagnostics_;
  bool failed_ = false;
};

}  // namespace plumb
