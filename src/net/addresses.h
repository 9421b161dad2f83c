/* SPDX-License-Identifier: Apache-2.0 */
/* addresses - inside the room: what a device loses by moving */
#ifndef CLEAT_NET_ADDRESSES_H
#define CLEAT_NET_ADDRESSES_H

#include "net/netlink.h"

struct net_address {
	struct ifaddrmsg head;
	const unsigned char *attrs; /* as the kernel gave them */
	size_t len;
};

/*
 * addresses_read() - permanent addresses of global scope, of any family
 *
 * In the order in which adding them makes the same list again. Returns 0 or -errno.
 */
int addresses_read(struct arena *a, struct netlink *n, int index, const struct net_address **ret,
		   size_t *ret_n);

/* Give one to device @index; labels that begin with @was begin with @name then. */
int address_add(struct netlink *n, const struct net_address *address, int index, const char *was,
		const char *name);

#endif
