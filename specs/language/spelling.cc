#include "specs/language/spelling.h"

#include <algorithm>
#include <utility>

namespace plumb {

namespace {

// Beyond this no name of the language is a sensible guess, and the table stays small whatever the input.
constexpr std::size_t kLongest = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::size_t spelling_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::vector<std::string> nearest_names(std::string_view word, std::span<const std::string> known, std::size_t limit) {
  std::vector<std::pair<std::size_t, std::string>> near;
  if (word.empty() || word.size() > kLongest) return {};
  for (const auto& name : known) {
    // A third of the word may be wrong; of a word of two bytes, one.
    const std::size_t allowed = std::max<std::size_t>(1, std::max(word.size(), name.size()) / 3);
    const std::size_t distance = spelling_distance(word, name);
    if (distance <= allowed && distance < std::max(word.size(), name.size())) near.emplace_back(distance, name);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> out;
  for (auto& [distance, name] : near)
    if (out.size() < limit) out.push_back(std::move(name));
  return out;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto near = nearest_names(word, known, 1);
  return near.empty() ? std::string() : "did you mean \"" + near.front() + "\"?";
}

}  // namespace plumb
