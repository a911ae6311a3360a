// Manners: where engines differ, each by its behaviour, with the versions that it was seen in. Nobody else asks which
// engine it is.
//
// tests/lab/engine_contract_test.cc tries on an engine what plumb relies on, and each of these.
// Threads: a plain value. Privilege: none. Pure.
#pragma once

namespace plumb::docker {

struct Manners {
  // A container that is made without a stop timeout gets none of Docker's 10 s, but is killed at once (Podman 4.3).
  bool kills_where_no_grace_is_said = false;
  // A filter of events by their names, or by a label of any value, lets nothing through (both: Podman 4.3; labels: 5.4;
  // 5.8 takes both).
  bool filters_events_badly = false;
  // A container is not removed, by itself neither, as long as another one joins its namespaces (Podman 4.3, 5.4, 5.8).
  // Docker removes it (20.10, 26.1, 28.5).
  bool keeps_joined = false;
  // Where the source of a mount is missing a folder is made for it, and no error (Podman 4.3, 5.4, 5.8).
  bool makes_missing_sources = false;
};

// `libpod`: the engine's answers have the header Libpod-API-Version.
[[nodiscard]] constexpr Manners manners_of(bool libpod) {
  return {.kills_where_no_grace_is_said = libpod,
          .filters_events_badly = libpod,
          .keeps_joined = libpod,
          .makes_missing_sources = libpod};
}

}  // namespace plumb::docker
