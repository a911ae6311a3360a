// The place of this node among others: where in a range its choice of addresses begins.
//
// Nodes that are made alike, and have the same networks, would all choose the same first address otherwise; at the same
// time, as after a power cut, none of them hears the others. A clone may have any one of these in common with its twin,
// but not all: the machine's id, the host's name, the MAC of the device that the addresses are for.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "specs/value/ip.h"

namespace plumb::driver {

// A number of 64 bits, spread evenly: the same for the same words, on every machine.
[[nodiscard]] std::uint64_t place_of(std::string_view machine, std::string_view host, std::string_view device);

// That of this node: with machine-id(5), which a container's file system need not have, and gethostname(2). `mac` is
// the device's; none is a word, too.
[[nodiscard]] std::uint64_t node_place(const std::optional<Mac>& mac);

}  // namespace plumb::driver
