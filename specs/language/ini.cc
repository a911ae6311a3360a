#include "specs/language/ini.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "specs/value/text.h"
#include "specs/value/utf8.h"

namespace plumb {

namespace {

constexpr std::string_view kBlank = " \t";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t first_word(std::string_view line) {
  const auto at = line.find_first_not_of(kBlank);
  return at == std::string_view::npos ? line.size() : at;
}

std::string_view trim_right(std::string_view text) {
  const auto last = text.find_last_not_of(kBlank);
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// Where a comment begins in text after its first word, or the text's size. See the rules in the header.
std::size_t comment_start(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      // A quote without a partner is an apostrophe.
      const auto close = text.find(c, i + 1);
      if (close != std::string_view::npos) i = close;
    } else if ((c == '#' || c == ';') && (i == 0 || is_blank(text[i - 1]))) {
      return i;
    }
  }
  return text.size();
}

std::string byte_name(char c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("0x") + kHex[byte >> 4U] + kHex[byte & 0xfU];
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Ini read(std::string_view text) {
    if (text.size() > kLargestSpec) {
      error(1, 1,
            "the file has " + std::to_string(text.size()) + " bytes, more than the " + std::to_string(kLargestSpec) +
                " that a spec may have");
      return std::move(ini_);
    }
    for (const auto line : lines_of(text)) {
      ++line_;
      if (bytes_are_text(line)) take(line);
    }
    return std::move(ini_);
  }

 private:
  Position place(std::size_t index) const { return {file_, line_, static_cast<int>(index) + 1}; }

  void error(int line, int column, std::string message, std::string hint = {}) {
    if (!ini_.sections.empty() && !skipping_) ini_.sections.back().damaged = true;
    ini_.diagnostics.push_back({Severity::error, {file_, line, column}, std::move(message), std::move(hint), {}});
  }
  void error_at(std::size_t index, std::string message, std::string hint = {}) {
    error(line_, static_cast<int>(index) + 1, std::move(message), std::move(hint));
  }

  bool bytes_are_text(std::string_view line) {
    if (line.size() > kLongestLine) {
      error_at(0,
               "the line has " + std::to_string(line.size()) + " bytes, more than the " + std::to_string(kLongestLine) +
                   " that a line may have",
               "an indented line continues the value of the line before it");
      return false;
    }
    for (std::size_t i = 0; i < line.size();) {
      const char c = line[i];
      const std::size_t length = c == '\t' ? 1 : utf8_length(line, i);
      if (length == 0) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
        error_at(i, control ? "control byte " + byte_name(c) + " in the text"
                            : "byte " + byte_name(c) + " does not begin a printable UTF-8 character");
        return false;
      }
      i += length;
    }
    return true;
  }

  void take(std::string_view line) {
    const std::size_t indent = first_word(line);
    if (indent == line.size() || line[indent] == '#' || line[indent] == ';') return;
    if (open_ && indent > open_indent_) return continue_value(line, indent);
    if (line[indent] == '[') return open_section(line, indent);
    open_ = true;
    dropped_ = true;
    open_indent_ = indent;
    open_entry(line, indent);
  }

  void continue_value(std::string_view line, std::size_t indent) {
    if (dropped_) return;
    auto& entry = ini_.sections.back().entries.back();
    const auto text = line.substr(indent);
    const auto value = trim_right(text.substr(0, comment_start(text)));
    // A value that begins on the continuation line has no empty first line.
    if (!entry.value.empty()) entry.value += '\n';
    if (entry.value.empty()) entry.pieces.clear();
    entry.pieces.push_back({entry.value.size(), line_, static_cast<int>(indent) + 1});
    entry.value += value;
  }

  void open_section(std::string_view line, std::size_t indent) {
    open_ = false;
    skipping_ = true;
    const auto close = line.find(']', indent);
    if (close == std::string_view::npos) return error_at(indent, "section header without a closing ]");
    const auto rest = line.substr(close + 1);
    if (const auto extra = first_word(rest); extra < rest.size() && comment_start(rest.substr(extra)) != 0)
      return error_at(close + 1 + extra, "text after a section header", "put it on a line of its own");
    auto inside = line.substr(indent + 1, close - indent - 1);
    inside = trim_right(inside.substr(first_word(inside)));
    if (inside.empty()) return error_at(indent, "section header without a name");
    const auto [known, fresh] = section_lines_.try_emplace(std::string(inside), line_);
    if (!fresh)
      return error_at(
          indent, "second section [" + std::string(inside) + "]; the first is at line " + std::to_string(known->second),
          "merge the two, or give this one another index");
    skipping_ = false;
    entry_lines_.clear();
    ini_.sections.push_back({std::string(inside), place(indent), {}, false});
  }

  void open_entry(std::string_view line, std::size_t indent) {
    const auto sign = line.find_first_of("=:", indent);
    if (sign == std::string_view::npos)
      return error_at(indent, "a line that is no [section], no keyword = value and no comment",
                      indent > 0 ? "" : "to continue the value of the line before it, indent it");
    const auto name = trim_right(line.substr(indent, sign - indent));
    if (name.empty()) return error_at(indent, std::string("no keyword before the ") + line[sign]);
    if (const auto gap = name.find_first_of(kBlank); gap != std::string_view::npos)
      return error_at(indent, "white space inside the keyword " + in_quotes(name));
    if (ini_.sections.empty() && !skipping_)
      return error_at(indent, "keyword " + in_quotes(name) + " before the first section",
                      "put it under [DEFAULT] or under the resource it belongs to");
    add_entry(line, indent, sign, name);
  }

  void add_entry(std::string_view line, std::size_t indent, std::size_t sign, std::string_view name) {
    const auto at = name.find('@');
    IniEntry entry;
    entry.key = name.substr(0, at);
    entry.where = place(indent);
    entry.scope_where = entry.where;
    if (at != std::string_view::npos) {
      entry.scope = name.substr(at + 1);
      entry.scope_where = place(indent + at + 1);
      if (entry.scope.empty()) return error_at(indent + at, "no scope after the @ of " + in_quotes(entry.key));
      if (entry.key.empty()) return error_at(indent, "no keyword before the @");
    }
    const std::size_t start = sign + 1 + first_word(line.substr(sign + 1));
    const auto text = line.substr(start);
    entry.value = trim_right(text.substr(0, comment_start(text)));
    entry.pieces.push_back({0, line_, static_cast<int>(start) + 1});
    // Entries under a refused section header are read for their own errors only.
    if (skipping_) return;
    const auto [known, fresh] = entry_lines_.try_emplace(std::string(name), line_);
    if (!fresh)
      return error_at(indent,
                      in_quotes(name) + " is set a second time in [" + ini_.sections.back().name +
                          "]; the first is at line " + std::to_string(known->second),
                      "only one can hold");
    dropped_ = false;
    ini_.sections.back().entries.push_back(std::move(entry));
  }

  std::string file_;
  Ini ini_;
  int line_ = 0;
  bool open_ = false;      // a deeper indented line continues the last entry
  bool dropped_ = false;   // the last entry was refused, with its continuation
  bool skipping_ = false;  // the section header was refused, with its entries
  std::size_t open_indent_ = 0;
  std::unordered_map<std::string, int> section_lines_;
  std::unordered_map<std::string, int> entry_lines_;
};

}  // namespace

Position IniEntry::at(std::size_t offset) const {
  auto after = std::upper_bound(pieces.begin(), pieces.end(), offset,
                                [](std::size_t wanted, const Piece& piece) { return wanted < piece.offset; });
  const Piece& piece = *(after == pieces.begin() ? after : after - 1);
  return {where.file, piece.line, piece.column + static_cast<int>(offset - std::min(offset, piece.offset))};
}

const IniSection* Ini::section(std::string_view name) const {
  const auto found = std::find_if(sections.begin(), sections.end(), [&](const auto& s) { return s.name == name; });
  return found == sections.end() ? nullptr : &*found;
}

Ini read_ini(std::string_view text, std::string_view file) { return Reader(file).read(text); }

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

}  // namespace plumb
