// Captures the frames that pass a device of a node, with their times: who claimed which address, and when.
//
// Threads: one; the kernel keeps the frames until they are asked for. Privilege: CAP_NET_RAW in the node, and root to
// enter it. Times are the kernel's (SO_TIMESTAMPNS), of CLOCK_REALTIME: for order and for distances, in one machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "specs/value/unique_fd.h"
#include "tests/lab/node.h"

namespace plumb::lab {

// ARP for IPv4 over Ethernet (RFC 826), as text: MACs and addresses compare with what `ip` prints.
struct ArpFrame {
  int operation = 0;   // 1 request, 2 reply
  std::string source;  // of the Ethernet header
  std::string destination;
  std::string sender_mac;
  std::string sender_ip;
  std::string target_mac;
  std::string target_ip;

  // It claims `ip`: everybody who hears it may write sender_mac into a cache. A probe (RFC 5227) claims nothing.
  [[nodiscard]] bool claims(const std::string& ip) const { return sender_ip == ip; }
  [[nodiscard]] bool probes(const std::string& ip) const {
    return operation == 1 && sender_ip == "0.0.0.0" && target_ip == ip;
  }
};

// A neighbour solicitation or advertisement (RFC 4861 section 4.3, 4.4).
struct NeighbourFrame {
  int type = 0;        // 135 solicitation, 136 advertisement
  std::string source;  // of the Ethernet header
  std::string sender_ip;
  std::string destination_ip;
  std::string target;          // the address it is about
  bool override_flag = false;  // of an advertisement
};

// An echo request or reply, of either family.
struct EchoFrame {
  bool reply = false;
  std::string source;  // of the Ethernet header
  std::string sender_ip;
  std::string destination_ip;
  std::uint16_t sequence = 0;
};

struct Frame {
  std::chrono::nanoseconds at{};
  bool outgoing = false;  // sent by this device's own node
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] std::optional<ArpFrame> arp() const;
  [[nodiscard]] std::optional<NeighbourFrame> neighbour() const;
  [[nodiscard]] std::optional<EchoFrame> echo() const;
  // One line, for messages of a failed test.
  [[nodiscard]] std::string to_string() const;
};

class Capture {
 public:
  // ARP, ICMP and ICMPv6 frames that pass from now on are captured. Aborts the test program when the device does not
  // exist.
  Capture(const Node& node, const std::string& device);

  // What has passed so far, in order. Aborts the test program when the kernel had to drop a frame.
  const std::vector<Frame>& frames();
  // Waits for a frame that fits, those of the past included; false at the deadline.
  bool await(const std::function<bool(const Frame&)>& fits, std::chrono::milliseconds deadline);

 private:
  bool read_one(int timeout_ms);

  UniqueFd socket_;
  std::vector<Frame> frames_;
};

}  // namespace plumb::lab
