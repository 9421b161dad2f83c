/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addresses - config-linux.md, "Network Devices": what has to be preserved
 *
 * The kernel forgets the addresses of a device that leaves its namespace. Each is kept as
 * the kernel described it and given back in the same words, so that peers, labels,
 * metrics and flags come along that nobody here knows about.
 */
#include "net/addresses.h"

#include <linux/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/str.h"

struct reading {
	struct arena *arena;
	int index;
	struct {
		struct net_address *v;
		size_t n, cap;
	} found;
};

static uint32_t flags_of(const struct nlmsghdr *m, const struct ifaddrmsg *head)
{
	struct netlink_attr a;
	uint32_t flags = head->ifa_flags;

	netlink_attrs(m, sizeof(*head), &a);
	while (netlink_next(&a))
		if (a.type == IFA_FLAGS && a.len == sizeof(flags))
			memcpy(&flags, a.data, sizeof(flags));
	return flags;
}

static int take_address(void *arg, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *head = NLMSG_DATA(m);
	struct reading *r = arg;
	struct net_address *address;
	struct netlink_attr a;
	unsigned char *copy;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
	    (int)head->ifa_index != r->index || head->ifa_scope != RT_SCOPE_UNIVERSE ||
	    !(flags_of(m, head) & IFA_F_PERMANENT))
		return 0;
	netlink_attrs(m, sizeof(*head), &a);
	copy = arena_alloc(r->arena, a.left);
	memcpy(copy, a.at, a.left);
	address = vec_push(r->arena, &r->found);
	*address = (struct net_address){ *head, copy, a.left };
	return 0;
}

/* The kernel puts a new IPv4 address behind the others, and an IPv6 one before them. */
static void reverse_ipv6(struct net_address *v, size_t n)
{
	size_t from = 0, to = n;

	while (from < n && v[from].head.ifa_family != AF_INET6)
		from++;
	while (to > from && v[to - 1].head.ifa_family != AF_INET6)
		to--;
	for (; from + 1 < to; from++, to--) {
		struct net_address x = v[from];

		v[from] = v[to - 1];
		v[to - 1] = x;
	}
}

int addresses_read(struct arena *a, struct netlink *n, int index, const struct net_address **ret,
		   size_t *ret_n)
{
	const struct ifaddrmsg all = { .ifa_family = AF_UNSPEC, .ifa_index = (uint32_t)index };
	struct reading reading = { .arena = a, .index = index };
	struct netlink_request r;
	int result;

	netlink_begin(&r, RTM_GETADDR, NLM_F_DUMP, &all, sizeof(all));
	result = netlink_ask(n, &r, take_address, &reading);
	if (result < 0)
		return result;
	reverse_ipv6(reading.found.v, reading.found.n);
	*ret = reading.found.v;
	*ret_n = reading.found.n;
	return 0;
}

static void put_label(struct netlink_request *r, const char *label, const char *was,
		      const char *name)
{
	char text[2 * IFNAMSIZ];
	size_t n = strlen(was);

	if (strncmp(label, was, n) != 0 || (label[n] && label[n] != ':'))
		str_copy(text, sizeof(text), label);
	else if (snprintf(text, sizeof(text), "%s%s", name, label + n) >= IFNAMSIZ)
		str_copy(text, sizeof(text), name);
	netlink_put(r, IFA_LABEL, text, strlen(text) + 1);
}

int address_add(struct netlink *n, const struct net_address *address, int index, const char *was,
		const char *name)
{
	struct ifaddrmsg head = address->head;
	struct netlink_attr a = { .at = address->attrs, .left = address->len };
	struct netlink_request r;

	head.ifa_index = (uint32_t)index;
	netlink_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	while (netlink_next(&a)) {
		if (a.type != IFA_LABEL)
			netlink_put(&r, a.type, a.data, a.len);
		else if (a.len && !((const char *)a.data)[a.len - 1])
			put_label(&r, a.data, was, name);
	}
	return netlink_ask(n, &r, NULL, NULL);
}
