#define _GNU_SOURCE
#include "tests/bench/bare.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
  struct nlmsghdr header;
  char body[1008];
};

static void start(struct message* m, int type, int flags, const void* header, size_t size) {
  memset(m, 0, sizeof *m);
  m->header.nlmsg_type = (unsigned short)type;
  m->header.nlmsg_flags = (unsigned short)(flags | NLM_F_REQUEST);
  memcpy(m->body, header, size);
  m->header.nlmsg_len = (unsigned)NLMSG_LENGTH(size);
}

static struct rtattr* put(struct message* m, int type, const void* data, size_t size) {
  struct rtattr* attribute = (struct rtattr*)((char*)m + NLMSG_ALIGN(m->header.nlmsg_len));
  attribute->rta_type = (unsigned short)type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(size);
  if (size != 0) memcpy(RTA_DATA(attribute), data, size);
  m->header.nlmsg_len = NLMSG_ALIGN(m->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  return attribute;
}

static void end(struct message* m, struct rtattr* nest) {
  nest->rta_len = (unsigned short)((char*)m + m->header.nlmsg_len - (char*)nest);
}

/* The index of the device in the answer, 0 for an ACK, or a negative errno. */
static int exchange(int fd, struct message* m, int ack) {
  char answer[8192] __attribute__((aligned(8)));
  const struct nlmsghdr* header = (const struct nlmsghdr*)(const void*)answer;
  if (ack) m->header.nlmsg_flags |= NLM_F_ACK;
  if (send(fd, m, m->header.nlmsg_len, 0) < 0) return -errno;
  if (recv(fd, answer, sizeof answer, 0) < 0) return -errno;
  if (header->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr*)NLMSG_DATA(header))->error;
  return ((const struct ifinfomsg*)NLMSG_DATA(header))->ifi_index;
}

int bare_socket(void) {
  const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd >= 0) bind(fd, (const struct sockaddr*)&address, sizeof address);
  return fd;
}

struct entry {
  int ns_fd;
  int socket;
};

static void* enter(void* data) {
  struct entry* entry = data;
  entry->socket = setns(entry->ns_fd, CLONE_NEWNET) == 0 ? bare_socket() : -1;
  return NULL;
}

static int socket_in(int ns_fd) {
  struct entry entry = {.ns_fd = ns_fd, .socket = -1};
  pthread_t thread;
  if (pthread_create(&thread, NULL, enter, &entry) != 0) return -1;
  pthread_join(thread, NULL);
  return entry.socket;
}

static int index_of_eth0(int fd) {
  const struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
  struct message m;
  start(&m, RTM_GETLINK, 0, &header, sizeof header);
  put(&m, IFLA_IFNAME, "eth0", 5);
  return exchange(fd, &m, 0);
}

static int address_and_route(int fd, int index) {
  const unsigned char ip[4] = {10, 0, 3, 3}, broadcast[4] = {10, 0, 3, 255}, gateway[4] = {10, 0, 3, 1};
  const struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = (unsigned)index};
  const struct rtmsg route = {
      .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
  struct message m;
  start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address, sizeof address);
  put(&m, IFA_LOCAL, ip, sizeof ip);
  put(&m, IFA_ADDRESS, ip, sizeof ip);
  put(&m, IFA_BROADCAST, broadcast, sizeof broadcast);
  const int err = exchange(fd, &m, 1);
  if (err < 0) return err;
  start(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof route);
  put(&m, RTA_GATEWAY, gateway, sizeof gateway);
  put(&m, RTA_OIF, &index, sizeof index);
  return exchange(fd, &m, 1);
}

int bare_macvlan(int host, int parent_index, int ns_fd) {
  const struct ifinfomsg header = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  const unsigned mode = MACVLAN_MODE_BRIDGE;
  const int fd = socket_in(ns_fd);
  struct message m;
  start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  put(&m, IFLA_NET_NS_FD, &ns_fd, sizeof ns_fd);
  put(&m, IFLA_IFNAME, "eth0", 5);
  put(&m, IFLA_LINK, &parent_index, sizeof parent_index);
  struct rtattr* info = put(&m, IFLA_LINKINFO, NULL, 0);
  put(&m, IFLA_INFO_KIND, "macvlan", 8);
  struct rtattr* data = put(&m, IFLA_INFO_DATA, NULL, 0);
  put(&m, IFLA_MACVLAN_MODE, &mode, sizeof mode);
  end(&m, data);
  end(&m, info);
  int result = exchange(host, &m, 1);
  if (result == 0) result = index_of_eth0(fd);
  if (result > 0) result = address_and_route(fd, result);
  close(fd);
  return result;
}

int bare_veth(int host, int bridge_index, int ns_fd, const char* host_name) {
  const struct ifinfomsg header = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  const struct ifinfomsg peer_header = {.ifi_family = AF_UNSPEC};
  const int fd = socket_in(ns_fd);
  struct message m;
  start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  put(&m, IFLA_IFNAME, host_name, strlen(host_name) + 1);
  put(&m, IFLA_MASTER, &bridge_index, sizeof bridge_index);
  struct rtattr* info = put(&m, IFLA_LINKINFO, NULL, 0);
  put(&m, IFLA_INFO_KIND, "veth", 5);
  struct rtattr* data = put(&m, IFLA_INFO_DATA, NULL, 0);
  struct rtattr* peer = put(&m, VETH_INFO_PEER, &peer_header, sizeof peer_header);
  put(&m, IFLA_NET_NS_FD, &ns_fd, sizeof ns_fd);
  put(&m, IFLA_IFNAME, "eth0", 5);
  end(&m, peer);
  end(&m, data);
  end(&m, info);
  int result = exchange(host, &m, 1);
  if (result == 0) result = index_of_eth0(fd);
  if (result > 0) {
    const int index = result;
    const struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    start(&m, RTM_NEWLINK, 0, &up, sizeof up);
    result = exchange(fd, &m, 1);
    if (result == 0) result = address_and_route(fd, index);
  }
  close(fd);
  return result;
}
