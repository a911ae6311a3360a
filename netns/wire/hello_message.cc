#include "netns/wire/hello_message.h"

#include "netns/wire/plumb_frame.h"

namespace plumb::netns {

namespace {

// Behind the head: the node's name, the number of entries, and them.
constexpr std::size_t kNumbers = 4 * sizeof(std::uint64_t);

std::size_t size_of(const HelloEntry& entry) {
  return 3 + entry.address.bytes().size() + entry.mac.bytes().size() + kNumbers;
}

void append_entry(Frame& frame, const HelloEntry& entry) {
  frame.push_back(static_cast<std::uint8_t>(entry.what));
  frame.push_back(entry.state);
  frame.push_back(entry.address.is_v6() ? 6 : 4);
  append(frame, entry.address.bytes());
  append(frame, entry.mac.bytes());
  for (const auto number : {entry.holder, entry.epoch, entry.nonce, entry.id}) append_number(frame, number);
}

// Takes what it reads off the front of `rest`.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> rest) : rest_(rest) {}

  std::optional<std::span<const std::uint8_t>> take(std::size_t size) {
    if (rest_.size() < size) {
      rest_ = {};  // nor is there anything behind what is missing
      return std::nullopt;
    }
    const auto out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::optional<std::uint8_t> byte() {
    const auto one = take(1);
    return one ? std::optional(one->front()) : std::nullopt;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

std::optional<HelloEntry> decode_entry(Reader& reader) {
  const auto what = reader.byte();
  const auto state = reader.byte();
  const auto family = reader.byte();
  if (!family || *what < 1 || *what > 3 || (*family != 4 && *family != 6)) return std::nullopt;
  const auto address = reader.take(*family == 4 ? 4 : 16);
  const auto mac = reader.take(6);
  const auto numbers = reader.take(kNumbers);
  if (!numbers) return std::nullopt;
  auto ip = IpAddress::from_bytes(*address);
  auto its_mac = Mac::from_bytes(*mac);
  if (!ip || !its_mac) return std::nullopt;
  return HelloEntry{static_cast<HelloEntry::What>(*what),
                    *state,
                    *ip,
                    *its_mac,
                    number_at(*numbers, 0),
                    number_at(*numbers, 8),
                    number_at(*numbers, 16),
                    number_at(*numbers, 24)};
}

}  // namespace

std::vector<Frame> encode_hello(const Mac& sender, std::string_view node, std::span<const HelloEntry> entries,
                                std::size_t largest) {
  Frame head = begin_plumb_frame(sender, PlumbKind::hello);
  append_name(head, node);
  const std::size_t count_at = head.size();
  head.push_back(0);
  std::vector<Frame> out;
  for (const auto& entry : entries) {
    if (out.empty() || out.back().size() + size_of(entry) > largest) {
      out.push_back(head);
      out.back().reserve(largest);
    }
    append_entry(out.back(), entry);
    ++out.back()[count_at];
  }
  for (auto& frame : out) pad(frame);
  return out;
}

std::optional<HelloMessage> decode_hello(std::span<const std::uint8_t> frame) {
  if (!is_plumb_frame(frame, PlumbKind::hello)) return std::nullopt;
  Reader reader(frame.subspan(kPlumbHead));
  const auto length = reader.byte();
  const auto name = length ? reader.take(*length) : std::nullopt;
  const auto count = name ? reader.byte() : std::nullopt;
  if (!count) return std::nullopt;
  HelloMessage out{std::string(name->begin(), name->end()), {}};
  for (unsigned i = 0; i < *count; ++i) {
    const auto entry = decode_entry(reader);
    if (!entry) return std::nullopt;
    out.entries.push_back(*entry);
  }
  return out;
}

std::vector<sock_filter> hello_filter() {
  return plumb_filter()
      .need({{FrameField::Size::byte, kPlumbHead - 1, static_cast<std::uint8_t>(PlumbKind::hello)}})
      .program();
}

}  // namespace plumb::netns
