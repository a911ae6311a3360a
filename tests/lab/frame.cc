#include <arpa/inet.h>
#include <netinet/if_ether.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <span>

#include "tests/lab/capture.h"

namespace plumb::lab {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kEthernet = 14;

int word(Bytes bytes, std::size_t at) { return bytes[at] << 8 | bytes[at + 1]; }

std::string mac(Bytes bytes, std::size_t at) {
  std::array<char, 18> text{};
  (void)std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[at], bytes[at + 1],
                      bytes[at + 2], bytes[at + 3], bytes[at + 4], bytes[at + 5]);
  return text.data();
}

std::string address(int family, Bytes bytes, std::size_t at) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, &bytes[at], text.data(), text.size());
  return text.data();
}

// Where the ICMP or ICMPv6 message begins, of at least `size` bytes, and the family; nothing for another frame.
struct Icmp {
  int family;
  std::size_t at;
};
std::optional<Icmp> icmp(Bytes bytes, std::size_t size) {
  if (bytes.size() < kEthernet + 20) return {};
  const int type = word(bytes, 12);
  Icmp found{};
  if (type == ETHERTYPE_IP && bytes[kEthernet + 9] == IPPROTO_ICMP) {
    found = {AF_INET, kEthernet + std::size_t{bytes[kEthernet] & 0xfU} * 4};
  } else if (type == ETHERTYPE_IPV6 && bytes[kEthernet + 6] == IPPROTO_ICMPV6) {
    found = {AF_INET6, kEthernet + 40};
  } else {
    return {};
  }
  return bytes.size() >= found.at + size ? std::optional(found) : std::nullopt;
}

std::string sender(const Icmp& message, Bytes bytes) {
  return address(message.family, bytes, message.family == AF_INET ? kEthernet + 12 : kEthernet + 8);
}

std::string destination(const Icmp& message, Bytes bytes) {
  return address(message.family, bytes, message.family == AF_INET ? kEthernet + 16 : kEthernet + 24);
}

}  // namespace

std::optional<ArpFrame> Frame::arp() const {
  const Bytes all(bytes);
  if (all.size() < kEthernet + 28 || word(all, 12) != ETHERTYPE_ARP || word(all, 16) != ETHERTYPE_IP) return {};
  ArpFrame frame;
  frame.destination = mac(all, 0);
  frame.source = mac(all, 6);
  frame.operation = word(all, 20);
  frame.sender_mac = mac(all, 22);
  frame.sender_ip = address(AF_INET, all, 28);
  frame.target_mac = mac(all, 32);
  frame.target_ip = address(AF_INET, all, 38);
  return frame;
}

std::optional<NeighbourFrame> Frame::neighbour() const {
  const auto message = icmp(bytes, 24);
  if (!message || message->family != AF_INET6) return {};
  NeighbourFrame frame;
  frame.type = bytes[message->at];
  if (frame.type != 135 && frame.type != 136) return {};
  frame.source = mac(bytes, 6);
  frame.sender_ip = sender(*message, bytes);
  frame.destination_ip = destination(*message, bytes);
  frame.target = address(AF_INET6, bytes, message->at + 8);
  frame.override_flag = frame.type == 136 && (bytes[message->at + 4] & 0x20) != 0;
  return frame;
}

std::optional<EchoFrame> Frame::echo() const {
  const auto message = icmp(bytes, 8);
  if (!message) return {};
  const int type = bytes[message->at];
  const int request = message->family == AF_INET ? 8 : 128;
  const int reply = message->family == AF_INET ? 0 : 129;
  if (type != request && type != reply) return {};
  EchoFrame frame;
  frame.reply = type == reply;
  frame.source = mac(bytes, 6);
  frame.sender_ip = sender(*message, bytes);
  frame.destination_ip = destination(*message, bytes);
  frame.sequence = static_cast<std::uint16_t>(word(bytes, message->at + 6));
  return frame;
}

std::string Frame::to_string() const {
  std::array<char, 32> time{};
  (void)std::snprintf(time.data(), time.size(), "%.6f", std::chrono::duration<double>(at).count());
  const std::string begin = time.data() + std::string(outgoing ? " out " : " in ");
  if (const auto frame = arp()) {
    return begin + (frame->operation == 1 ? "ARP request " : "ARP reply ") + frame->source + " > " +
           frame->destination + ": sender " + frame->sender_mac + " " + frame->sender_ip + " target " +
           frame->target_mac + " " + frame->target_ip;
  }
  if (const auto frame = neighbour()) {
    return begin + (frame->type == 135 ? "NS " : "NA ") + frame->source + " " + frame->sender_ip + " > " +
           frame->destination_ip + ": target " + frame->target + (frame->override_flag ? " override" : "");
  }
  if (const auto frame = echo()) {
    return begin + (frame->reply ? "echo reply " : "echo request ") + frame->source + " " + frame->sender_ip + " > " +
           frame->destination_ip + " " + std::to_string(frame->sequence);
  }
  return begin + std::to_string(bytes.size()) + " bytes";
}

}  // namespace plumb::lab
