/* SPDX-License-Identifier: Apache-2.0 */
#include "net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/sys.h"

/* netlink(7): dumps come in pieces of at most this size */
#define BUFFER_SIZE 32768

static size_t aligned(size_t n)
{
	return (n + NLMSG_ALIGNTO - 1) & ~(size_t)(NLMSG_ALIGNTO - 1);
}

#define HEADER_SIZE aligned(sizeof(struct nlmsghdr))
#define ATTR_SIZE   aligned(sizeof(struct nlattr))

int netlink_open(struct arena *a, struct netlink *ret)
{
	auto_fd fd = sys_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	const int on = 1;

	if (fd < 0)
		return fd;
	/* both help and are not needed: words for errors, dumps of one device only */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	*ret = (struct netlink){ .fd = fd_take(&fd), .buffer = arena_alloc(a, BUFFER_SIZE) };
	return 0;
}

void netlink_close(struct netlink *n)
{
	fd_close(&n->fd);
}

/* --- requests --------------------------------------------------------------------------------- */

void netlink_begin(struct netlink_request *r, unsigned type, unsigned flags, const void *fixed,
		   size_t size)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_type = (uint16_t)type;
	r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(r->bytes + HEADER_SIZE, fixed, size);
	r->header.nlmsg_len = (uint32_t)(HEADER_SIZE + aligned(size));
}

void netlink_put(struct netlink_request *r, unsigned type, const void *data, size_t len)
{
	const struct nlattr attr = { .nla_len = (uint16_t)(ATTR_SIZE + len),
				     .nla_type = (uint16_t)type };
	size_t end = r->header.nlmsg_len;

	if (end + ATTR_SIZE + aligned(len) > sizeof(*r))
		abort();
	memcpy(r->bytes + end, &attr, sizeof(attr));
	memcpy(r->bytes + end + ATTR_SIZE, data, len);
	r->header.nlmsg_len = (uint32_t)(end + ATTR_SIZE + aligned(len));
}

/* --- attributes ------------------------------------------------------------------------------- */

static void attrs_at(const void *at, size_t left, struct netlink_attr *ret)
{
	*ret = (struct netlink_attr){ .at = at, .left = left };
}

void netlink_attrs(const struct nlmsghdr *m, size_t size, struct netlink_attr *ret)
{
	size_t head = HEADER_SIZE + aligned(size);

	attrs_at((const unsigned char *)m + head, m->nlmsg_len > head ? m->nlmsg_len - head : 0,
		 ret);
}

bool netlink_next(struct netlink_attr *a)
{
	struct nlattr attr;
	size_t step;

	if (a->left < ATTR_SIZE)
		return false;
	memcpy(&attr, a->at, sizeof(attr));
	if (attr.nla_len < ATTR_SIZE || attr.nla_len > a->left)
		return false;
	a->type = attr.nla_type & NLA_TYPE_MASK;
	a->data = a->at + ATTR_SIZE;
	a->len = attr.nla_len - ATTR_SIZE;
	step = aligned(attr.nla_len);
	a->left = step < a->left ? a->left - step : 0;
	a->at += step;
	return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* With NETLINK_EXT_ACK words may follow the copy of the request's header. */
static void keep_reason(struct netlink *n, const struct nlmsghdr *m)
{
	const struct nlmsgerr *error = NLMSG_DATA(m);
	size_t head = HEADER_SIZE + sizeof(*error);
	struct netlink_attr a;

	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(m->nlmsg_flags & NLM_F_CAPPED) && error->msg.nlmsg_len > HEADER_SIZE)
		head += aligned(error->msg.nlmsg_len - HEADER_SIZE);
	if (m->nlmsg_len <= head)
		return;
	attrs_at((const unsigned char *)m + head, m->nlmsg_len - head, &a);
	while (netlink_next(&a))
		if (a.type == NLMSGERR_ATTR_MSG && a.len && !((const char *)a.data)[a.len - 1])
			str_copy(n->reason, sizeof(n->reason), a.data);
}

enum { MORE = 1 }; /* the answer is not complete */

static int take_message(struct netlink *n, const struct nlmsghdr *m,
			int (*fn)(void *arg, const struct nlmsghdr *m), void *arg, int *result)
{
	const struct nlmsgerr *error = NLMSG_DATA(m);

	if (m->nlmsg_seq != n->seq)
		return MORE;
	if (m->nlmsg_type == NLMSG_DONE)
		return 0;
	if (m->nlmsg_type != NLMSG_ERROR) {
		if (fn && *result == 0)
			*result = fn(arg, m);
		return MORE;
	}
	if (m->nlmsg_len < HEADER_SIZE + sizeof(*error))
		return -EPROTO;
	if (error->error)
		keep_reason(n, m);
	return error->error;
}

static int take_messages(struct netlink *n, size_t left,
			 int (*fn)(void *arg, const struct nlmsghdr *m), void *arg, int *result)
{
	const unsigned char *at = n->buffer;
	int r = MORE;

	while (r == MORE && left >= HEADER_SIZE) {
		const struct nlmsghdr *m = (const void *)at;

		if (m->nlmsg_len < HEADER_SIZE || m->nlmsg_len > left)
			return -EPROTO;
		r = take_message(n, m, fn, arg, result);
		at += aligned(m->nlmsg_len);
		left = aligned(m->nlmsg_len) < left ? left - aligned(m->nlmsg_len) : 0;
	}
	return r;
}

static ssize_t receive(struct netlink *n)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { n->buffer, BUFFER_SIZE };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t len;

	do /* anybody may send to a netlink socket; the kernel is number 0 */
		len = sys_recvmsg(n->fd, &m, 0);
	while (len >= 0 && from.nl_pid != 0);
	return len >= 0 && (m.msg_flags & MSG_TRUNC) ? -EMSGSIZE : len;
}

int netlink_ask(struct netlink *n, struct netlink_request *r,
		int (*fn)(void *arg, const struct nlmsghdr *m), void *arg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { r->bytes, r->header.nlmsg_len };
	struct msghdr m = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1
	};
	int result = 0, end = MORE;
	ssize_t len;

	n->reason[0] = '\0';
	r->header.nlmsg_seq = ++n->seq;
	len = sys_sendmsg(n->fd, &m, 0);
	if (len < 0)
		return (int)len;
	while (end == MORE) {
		len = receive(n);
		if (len < 0)
			return (int)len;
		end = take_messages(n, (size_t)len, fn, arg, &result);
	}
	return end ? end : result;
}
