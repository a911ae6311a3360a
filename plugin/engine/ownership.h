// Ownership: which containers are plumb's.
//
// Labels say so, but a container inherits those of its image, and an image that was committed from a container of
// plumb's, or built from such a one, has that container's. So each container gets a number of its own at its creation,
// and one that has its image's is not plumb's.
//
// Threads: safe from any. Privilege: that of the Client.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "docker_client/container.h"

namespace plumb {

// State is derived from these, not stored (they are part of plumb's interface; see plumb(8)).
inline constexpr const char* kLabelService = "plumb.service";
inline constexpr const char* kLabelResource = "plumb.resource";
inline constexpr const char* kLabelSpecHash = "plumb.spec-hash";
inline constexpr const char* kLabelCreation = "plumb.creation";

// A value for kLabelCreation: 16 hexadecimal digits by chance. Never fails after the kernel's first seconds.
[[nodiscard]] std::string new_creation();

// Whether a container with these labels, made from an image with those, was made by plumb. Containers of plumb 0.1 have
// no kLabelCreation. Pure.
[[nodiscard]] bool has_own_labels(const std::map<std::string, std::string>& container,
                                  const std::map<std::string, std::string>& image);
// The same, with a question to the engine where the container has labels of plumb's. Without its image nothing is
// proven: false.
[[nodiscard]] Result<bool> has_own_labels(docker::Client& client, const docker::Container& container,
                                          const docker::Call& call);

// The containers that plumb has made for the service, running or not.
[[nodiscard]] Result<std::vector<docker::Container>> containers_of(docker::Client& client, const std::string& service,
                                                                   const docker::Call& call);

}  // namespace plumb
