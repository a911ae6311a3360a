#include "specs/value/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "specs/value/text.h"

namespace plumb {

namespace {

constexpr std::int64_t kTenYears = std::int64_t{10} * 365 * 24 * 3600 * 1000;  // ms

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

Err spec_error(std::string what, std::string next = {}) {
  return Err{ErrorKind::spec, std::move(what), std::move(next)};
}

// Milliseconds in one of a unit, 0 for an unknown unit.
std::int64_t milliseconds_in(std::string_view unit) {
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr std::array<Unit, 6> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}}};
  for (const auto& known : kUnits)
    if (known.name == unit) return known.ms;
  return 0;
}

// One "12.5" of a duration, as integer part and fraction digits.
struct Amount {
  std::int64_t whole = 0;
  std::string_view fraction;
};

std::optional<Amount> take_amount(std::string_view& text) {
  Amount amount;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), amount.whole);
  if (ec != std::errc{} || amount.whole < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with('.')) return amount;
  std::size_t digits = 1;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 1) return std::nullopt;
  amount.fraction = text.substr(1, digits - 1);
  text.remove_prefix(digits);
  return amount;
}

// amount * unit in milliseconds; nothing when it overflows ten years or is no whole number of milliseconds.
std::optional<std::int64_t> scaled(const Amount& amount, std::int64_t unit) {
  if (amount.whole > kTenYears / unit) return std::nullopt;
  std::int64_t total = amount.whole * unit;
  std::int64_t rest = unit;
  for (const char digit : amount.fraction) {
    if (digit == '0' && rest % 10 != 0) continue;
    if (rest % 10 != 0) return std::nullopt;
    rest /= 10;
    total += rest * (digit - '0');
  }
  return total;
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  const std::string word = lower_case(text);
  for (const std::string_view yes : {"true", "yes", "on", "1", "t", "y"})
    if (word == yes) return true;
  for (const std::string_view no : {"false", "no", "off", "0", "f", "n"})
    if (word == no) return false;
  return spec_error(in_quotes(text) + " is neither true nor false", "write true or false");
}

Result<unsigned> parse_integer(std::string_view text, unsigned least, unsigned most) {
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = ec == std::errc{} && end == text.data() + text.size() && !text.empty();
  if (!whole || value < least || value > most)
    return spec_error(in_quotes(text) + " is not an integer from " + std::to_string(least) + " to " +
                      std::to_string(most));
  return value;
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::string how = "write it as 10s, 2m, 1h30m or 500ms";
  std::string_view rest = text;
  std::int64_t total = 0;
  while (!rest.empty()) {
    const auto amount = take_amount(rest);
    if (!amount) return spec_error(in_quotes(text) + " is not a duration", how);
    std::size_t length = 0;
    while (length < rest.size() && !is_digit(rest[length]) && rest[length] != '.') ++length;
    const auto unit = rest.substr(0, length);
    rest.remove_prefix(length);
    const bool bare = unit.empty() && rest.empty() && total == 0 && amount->fraction.empty();
    const std::int64_t ms = bare ? 1000 : milliseconds_in(unit);
    if (ms == 0 && unit.find_first_of(" \t\n") != std::string_view::npos)
      return spec_error(in_quotes(text) + " is not a duration", how);
    if (ms == 0 && unit.empty()) return spec_error(in_quotes(text) + " has a number without a unit", how);
    if (ms == 0)
      return spec_error(in_quotes(unit) + " in " + in_quotes(text) + " is not a unit of time",
                        "the units are ms, s, m, h, d and w");
    const auto part = scaled(*amount, ms);
    if (!part || *part > kTenYears - total)
      return spec_error(in_quotes(text) + " is not a whole number of milliseconds below ten years");
    total += *part;
  }
  if (text.empty()) return spec_error("an empty duration", how);
  return std::chrono::milliseconds(total);
}

namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Words split() {
    while (at_ < text_.size() && !out_.unterminated) {
      const char c = text_[at_];
      if (is_space(c)) {
        end_word();
        ++at_;
        continue;
      }
      begin_word();
      if (c == '\'') {
        single_quoted();
      } else if (c == '"') {
        double_quoted();
      } else if (c == '\\') {
        escaped();
      } else {
        word_ += c;
        ++at_;
      }
    }
    end_word();
    return std::move(out_);
  }

 private:
  void begin_word() {
    if (!inside_) start_ = at_;
    inside_ = true;
  }
  void end_word() {
    if (inside_) out_.words.push_back({std::exchange(word_, {}), start_});
    inside_ = false;
  }
  void single_quoted() {
    const auto close = text_.find('\'', at_ + 1);
    if (close == std::string_view::npos) return stop();
    word_ += text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
  }
  void double_quoted() {
    std::size_t i = at_ + 1;
    for (; i < text_.size() && text_[i] != '"'; ++i) {
      const bool escape = text_[i] == '\\' && i + 1 < text_.size() &&
                          std::string_view("\"\\$`\n").find(text_[i + 1]) != std::string_view::npos;
      if (escape) ++i;
      if (!escape || text_[i] != '\n') word_ += text_[i];
    }
    if (i >= text_.size()) return stop();
    at_ = i + 1;
  }
  void escaped() {
    if (at_ + 1 == text_.size()) return stop();
    if (text_[at_ + 1] != '\n') word_ += text_[at_ + 1];
    at_ += 2;
  }
  void stop() { out_.unterminated = at_; }

  std::string_view text_;
  Words out_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  bool inside_ = false;
  std::string word_;
};

}  // namespace

Words split_words(std::string_view text) { return Splitter(text).split(); }

}  // namespace plumb
