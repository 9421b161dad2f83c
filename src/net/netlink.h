/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netlink - inside the room: one request at a time to rtnetlink(7)
 *
 * By hand: libmnl, the library for it, is not to be had as an archive that a static
 * executable could take, and of what it offers four requests need about a page.
 */
#ifndef CLEAT_NET_NETLINK_H
#define CLEAT_NET_NETLINK_H

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct netlink {
	int fd;
	uint32_t seq;
	unsigned char *buffer;
	char reason[128]; /* the kernel's own words about the last failure; may be empty */
};

#define NETLINK_REQUEST_MAX 1024
struct netlink_request {
	union {
		struct nlmsghdr header;
		unsigned char bytes[NETLINK_REQUEST_MAX];
	};
};

/* A socket in the network namespace that the thread is in. Returns 0 or -errno. */
int netlink_open(struct arena *a, struct netlink *ret);
void netlink_close(struct netlink *n);

/* Begin a request with the fixed part of its type (ifinfomsg, ifaddrmsg). */
void netlink_begin(struct netlink_request *r, unsigned type, unsigned flags, const void *fixed,
		   size_t size);
/* Append an attribute. Requests are small by construction: a full one aborts. */
void netlink_put(struct netlink_request *r, unsigned type, const void *data, size_t len);

/*
 * Send and take the answers until the kernel says that it is done. @fn (may be NULL) sees
 * each message; a non-zero result of it is returned at the end. Returns 0 or -errno.
 */
int netlink_ask(struct netlink *n, struct netlink_request *r,
		int (*fn)(void *arg, const struct nlmsghdr *m), void *arg);

/* The attributes of a message behind a fixed part of @size: iterate with netlink_next(). */
struct netlink_attr {
	const unsigned char *at;
	size_t left;
	unsigned type;
	const void *data;
	size_t len;
};
void netlink_attrs(const struct nlmsghdr *m, size_t size, struct netlink_attr *ret);
bool netlink_next(struct netlink_attr *a);

#endif
