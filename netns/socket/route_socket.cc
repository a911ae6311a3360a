#include "netns/socket/route_socket.h"

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "netns/namespace/enter.h"
#include "netns/socket/message.h"

namespace plumb::netns {

namespace {

// The kernel makes no larger answer: a dump has 32 KiB at a time (netlink_dump, net/netlink/af_netlink.c) unless one
// device takes more, whose further names have up to 64 KiB (rtnl_prop_list_size, net/core/rtnetlink.c).
constexpr std::size_t kBufferSize = 96 * 1024;

// A guard against waiting for ever on an answer that got lost; rtnetlink answers within the request's own send.
constexpr timeval kAnswerTimeout{10, 0};

#ifdef SO_NETNS_COOKIE
constexpr int kNamespaceCookie = SO_NETNS_COOKIE;
#else
constexpr int kNamespaceCookie = 71;  // asm-generic/socket.h, of a later kernel than the headers
#endif

// The answer in an NLMSG_ERROR (an ACK when its errno is 0), with the extended-ack text (nlmsgerr_attrs,
// linux/netlink.h).
Answer decode_error(const nlmsghdr& header) {
  Answer answer;
  nlmsgerr error{};
  if (nlmsg_valid_hdr(&header, sizeof error) == 0) return Answer{EBADMSG, "the kernel's answer is too short"};
  std::memcpy(&error, nlmsg_data(&header), sizeof error);
  answer.err = -error.error;  // the kernel sends negative errnos
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  int skip = sizeof error;
  if ((header.nlmsg_flags & NLM_F_CAPPED) == 0 && error.msg.nlmsg_len > NLMSG_HDRLEN)
    skip += static_cast<int>(error.msg.nlmsg_len - NLMSG_HDRLEN);
  if (nlmsg_valid_hdr(&header, skip) == 0) return answer;
  const nlattr* text = nla_find(nlmsg_attrdata(&header, skip), nlmsg_attrlen(&header, skip), NLMSGERR_ATTR_MSG);
  if (text != nullptr) {
    const auto* begin = static_cast<const char*>(nla_data(text));
    answer.reason.assign(begin, ::strnlen(begin, static_cast<std::size_t>(nla_len(text))));
  }
  return answer;
}

// The answer at the end of a dump: NLMSG_DONE carries 0 or a negative errno.
Answer decode_done(const nlmsghdr& header) {
  int err = 0;
  if (nlmsg_valid_hdr(&header, sizeof err) != 0) std::memcpy(&err, nlmsg_data(&header), sizeof err);
  return Answer{err < 0 ? -err : 0, {}};
}

}  // namespace

Error refusal(const Answer& answer, std::string_view operation) {
  if (answer.reason.empty()) return errno_error(answer.err, operation);
  Error error = errno_error(answer.err, std::string(operation) + ": " + answer.reason);
  const std::string strerror = error.what.substr(operation.size() + 2 + answer.reason.size() + 2);
  error.what = std::string(operation) + ": " + answer.reason + " (" + strerror + ")";
  return error;
}

void RouteSocket::Close::operator()(nl_sock* socket) const { nl_socket_free(socket); }

RouteSocket::RouteSocket(std::unique_ptr<nl_sock, Close> socket, Namespace ns)
    : socket_(std::move(socket)),
      ns_(std::move(ns)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(kBufferSize)) {}

Result<RouteSocket> RouteSocket::open(const Namespace& ns, Protocol protocol) {
  return run_in(ns, [&] { return open_here(ns, protocol); });
}

Result<RouteSocket> RouteSocket::open_here(const Namespace& ns, Protocol protocol) {
  std::unique_ptr<nl_sock, Close> socket(nl_socket_alloc());
  if (!socket) return Err{errno_error(ENOMEM, "open a netlink socket")};
  if (const int status = nl_connect(socket.get(), protocol == Protocol::route ? NETLINK_ROUTE : NETLINK_NETFILTER);
      status < 0)
    return Err{ErrorKind::failed, std::string("open a netlink socket: ") + nl_geterror(status), {}, errno};
  const int fd = nl_socket_get_fd(socket.get());
  const int on = 1;
  // Extended acks since Linux 4.12, capped acks 4.3, strict checking (kernel-side dump filters) 4.20. Without them
  // reasons are missing and filters would not filter, so an old kernel is refused here, once.
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK})
    if (::setsockopt(fd, SOL_NETLINK, option, &on, sizeof on) != 0)
      return Err{ErrorKind::unsupported, "open a netlink socket: this kernel lacks a netlink option that plumb needs",
                 "Linux 4.20 or newer is needed", errno};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout) != 0)
    return Err{errno_error(errno, "open a netlink socket: set its timeout")};
  return RouteSocket(std::move(socket), TRY(ns.dup()));
}

int RouteSocket::fd() const { return nl_socket_get_fd(socket_.get()); }

std::optional<std::uint64_t> RouteSocket::cookie() const {
  std::uint64_t out = 0;
  socklen_t size = sizeof out;
  if (::getsockopt(fd(), SOL_SOCKET, kNamespaceCookie, &out, &size) != 0 || size != sizeof out) return std::nullopt;
  return out;
}

Answer RouteSocket::exchange(Message& message, const std::function<void(const nlmsghdr&)>& each) {
  nlmsghdr* header = message.finished();
  if (header == nullptr) return Answer{EMSGSIZE, "the request does not fit into one message"};
  const bool dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  // A question for one thing needs no ACK: its answer or its refusal is the end.
  if (!dump && !each) header->nlmsg_flags |= NLM_F_ACK;
  header->nlmsg_seq = ++sequence_;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* address = reinterpret_cast<const sockaddr*>(&kernel);  // NOLINT: the socket API's own way
  while (::sendto(fd(), header, header->nlmsg_len, 0, address, sizeof kernel) < 0)
    if (errno != EINTR) return Answer{errno, {}};
  return receive(sequence_, dump, each);
}

Answer RouteSocket::receive(std::uint32_t sequence, bool dump, const std::function<void(const nlmsghdr&)>& each) {
  bool interrupted = false;
  for (;;) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof sender;
    auto* address = reinterpret_cast<sockaddr*>(&sender);  // NOLINT: the socket API's own way
    const ssize_t size = ::recvfrom(fd(), buffer_.get(), kBufferSize, MSG_TRUNC, address, &sender_size);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN ? Answer{ETIMEDOUT, "the kernel did not answer"} : Answer{errno, {}};
    if (static_cast<std::size_t>(size) > kBufferSize) return Answer{EMSGSIZE, "the kernel's answer is too long"};
    if (sender.nl_pid != 0) continue;  // not from the kernel
    int left = static_cast<int>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.get());  // NOLINT: aligned as operator new aligns
    for (; nlmsg_ok(header, left) != 0;
         header = nlmsg_next(const_cast<nlmsghdr*>(header), &left)) {  // NOLINT: only reads
      if (header->nlmsg_seq != sequence) continue;                     // of an earlier request that was given up
      if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
      if (header->nlmsg_type == NLMSG_ERROR) return decode_error(*header);
      if (header->nlmsg_type == NLMSG_DONE) return interrupted ? Answer{EINTR, {}} : decode_done(*header);
      if (header->nlmsg_type < NLMSG_MIN_TYPE || !each) continue;
      each(*header);
      if (!dump) return {};
    }
  }
}

}  // namespace plumb::netns
