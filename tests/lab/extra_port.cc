#include "tests/lab/extra_port.h"

namespace plumb::lab {

ExtraPort::ExtraPort(const std::string& node, std::string device) : node_(node), device_(std::move(device)) {
  lab({"port", node, device_});
}

// Its other end goes with it, wherever the device is.
ExtraPort::~ExtraPort() { Node("lan").run({"ip", "link", "delete", node_.name() + "-" + device_}); }

std::string ExtraPort::look() const { return node_.run({"ip", "-d", "link", "show", "dev", device_}).out; }

}  // namespace plumb::lab
