// The job of an address in the fewest system calls: a macvlan, an address and a default route in a network namespace,
// by the netlink messages of bare.c, with no word to the LAN but the kernel's own.
//
// usage: bench_attach PARENT NETNS
// Threads: one more. Privilege: root.
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "tests/bench/bare.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bench_attach PARENT NETNS\n", stderr);
    return 2;
  }
  const int ns = ::open(argv[2], O_RDONLY | O_CLOEXEC);
  const int host = bare_socket();
  const int result = ns < 0 || host < 0 ? -1 : bare_macvlan(host, static_cast<int>(::if_nametoindex(argv[1])), ns);
  if (result < 0) std::fprintf(stderr, "bench_attach: %s\n", std::strerror(-result));
  return result < 0 ? 1 : 0;
}
