/* Plumbing as barely as C can: the netlink messages for one ip, laid out by hand, sent and answered on plain sockets.
 *
 * What plumb's API is compared with. Threads: one. Privilege: root. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* A netlink socket of the current namespace; -1 with errno. */
int bare_socket(void);

/* Enters the namespace in a thread of its own, as plumb does, makes eth0 there, 10.0.3.3/24 on it, and the default
 * route via 10.0.3.1. `host` is a socket of the namespace of the parent or bridge. Return 0, or the negative errno of
 * the message that failed. */
int bare_macvlan(int host, int parent_index, int ns_fd);
int bare_veth(int host, int bridge_index, int ns_fd, const char* host_name);

#ifdef __cplusplus
}
#endif
