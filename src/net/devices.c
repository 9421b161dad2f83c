/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices - network devices move into the container, and back when it fails
 *
 * One request moves and renames, so that a name that is taken there but not wanted cannot
 * stop it. Should the kernel have moved the device and refused the name, the device is
 * there all the same: what counts is whether it is gone from here.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <sched.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "net/addresses.h"
#include "net/net.h"
#include "sys/sys.h"

/* So many numbers are tried for a device whose own is taken on the other side. */
#define INDEX_TRIES 64

struct sides { /* a socket in each namespace */
	struct netlink here, there;
};

/* --- both namespaces -------------------------------------------------------------------------- */

static void sides_close(struct sides *s)
{
	netlink_close(&s->here);
	netlink_close(&s->there);
}

/* A socket belongs to the namespace that its maker is in. */
static int sides_open(struct arena *a, const struct net_moves *m, struct sides *ret, struct err *e)
{
	int r, back;

	ret->here.fd = ret->there.fd = -1;
	r = netlink_open(a, &ret->here);
	if (r < 0)
		return err_sys(e, -r, NULL, "open a netlink socket");
	r = sys_setns(m->there, CLONE_NEWNET);
	if (r < 0)
		return err_sys(e, -r, NULL, "enter the network namespace of the container");
	r = netlink_open(a, &ret->there);
	back = sys_setns(m->here, CLONE_NEWNET);
	if (back < 0)
		return err_sys(e, -back, NULL, "come back to our network namespace");
	return r < 0 ? err_sys(e, -r, NULL, "open a netlink socket in the container") : 0;
}

static int open_namespaces(const struct dir *proc, pid_t pid, struct net_moves *ret, struct err *e)
{
	struct stat here, there;
	char name[32];

	snprintf(name, sizeof(name), "%d/ns/net", (int)pid);
	ret->here = sys_openat(proc->fd, "self/ns/net", O_RDONLY, 0);
	if (ret->here < 0)
		return err_sys(e, -ret->here, "/proc/self/ns/net", "open");
	ret->there = sys_openat(proc->fd, name, O_RDONLY, 0);
	if (ret->there < 0)
		return err_sys(e, -ret->there, name, "open the network namespace");
	if (sys_fstat(ret->here, &here) == 0 && sys_fstat(ret->there, &there) == 0 &&
	    here.st_ino == there.st_ino && here.st_dev == there.st_dev)
		return err_user(e, "linux.netDevices",
				"linux.netDevices: the container's network namespace is the one "
				"that the devices are in");
	return 0;
}

/* --- links ------------------------------------------------------------------------------------ */

struct link {
	int index;
	bool up;
	char name[IFNAMSIZ];
};

static int take_link(void *arg, const struct nlmsghdr *m)
{
	const struct ifinfomsg *head = NLMSG_DATA(m);
	struct link *link = arg;
	struct netlink_attr a;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*head)))
		return 0;
	link->index = head->ifi_index;
	link->up = head->ifi_flags & IFF_UP;
	netlink_attrs(m, sizeof(*head), &a);
	while (netlink_next(&a))
		if (a.type == IFLA_IFNAME && a.len && !((const char *)a.data)[a.len - 1])
			str_copy(link->name, sizeof(link->name), a.data);
	return 0;
}

/* By @name, or when that is NULL by @index. Returns 0 or -errno (-ENODEV). */
static int get_link(struct netlink *n, const char *name, int index, struct link *ret)
{
	const struct ifinfomsg head = { .ifi_index = name ? 0 : index };
	const uint32_t mask = RTEXT_FILTER_SKIP_STATS;
	struct netlink_request r;

	*ret = (struct link){ 0 };
	netlink_begin(&r, RTM_GETLINK, 0, &head, sizeof(head));
	if (name)
		netlink_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	netlink_put(&r, IFLA_EXT_MASK, &mask, sizeof(mask));
	return netlink_ask(n, &r, take_link, ret);
}

static int set_up(struct netlink *n, int index)
{
	const struct ifinfomsg head = { .ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct netlink_request r;

	netlink_begin(&r, RTM_SETLINK, 0, &head, sizeof(head));
	return netlink_ask(n, &r, NULL, NULL);
}

static int try_move(struct netlink *from, int index, int to_ns, const char *name, int new_index)
{
	const struct ifinfomsg head = { .ifi_index = index };
	const int32_t wanted = new_index;
	const uint32_t ns = (uint32_t)to_ns;
	struct netlink_request r;

	netlink_begin(&r, RTM_SETLINK, 0, &head, sizeof(head));
	netlink_put(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	netlink_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	netlink_put(&r, IFLA_NEW_IFINDEX, &wanted, sizeof(wanted));
	return netlink_ask(from, &r, NULL, NULL);
}

/*
 * The new number is chosen by us: with a template for the name nothing else would tell
 * which device it is.
 */
static int move(struct netlink *from, int *index, int to_ns, const char *name)
{
	struct link still;

	for (int i = 0;; i++) {
		int wanted = *index + i;
		int r = try_move(from, *index, to_ns, name, wanted);

		if (r == -EBUSY && i < INDEX_TRIES)
			continue;
		if (r == 0 || get_link(from, NULL, *index, &still) == -ENODEV)
			*index = wanted;
		return r;
	}
}

/* --- one device, one way ---------------------------------------------------------------------- */

static int fail(struct err *e, int r, const struct netlink *n, const char *what, const char *name)
{
	const char *hint = n->reason;

	if (!*hint && r == -EINVAL)
		hint = "a device that is bound to its namespace, or not a name that the kernel "
		       "takes";
	if (*hint)
		return err_code(e, -r, name, "%s network device '%s': %s (%s)", what, name,
				errno_text(-r), hint);
	return err_sys(e, -r, name, "%s network device", what);
}

/* What moving took from it. @name: its own before */
static int restore(struct netlink *to, const struct net_moved *m, bool up, struct err *e)
{
	struct link now;
	int r = get_link(to, NULL, m->index, &now);

	if (r < 0)
		return fail(e, r, to, "find the moved", m->name);
	for (size_t i = 0; i < m->n_addresses; i++) {
		r = address_add(to, &m->addresses[i], m->index, m->name, now.name);
		/* the kernel made it again by itself, as it does for some */
		if (r < 0 && r != -EEXIST)
			return fail(e, r, to, "add an address to", now.name);
	}
	if (!up)
		return 0;
	r = set_up(to, m->index);
	return r < 0 ? fail(e, r, to, "set up", now.name) : 0;
}

/* Everything about the device that moving it will change. */
static int note_device(struct arena *a, struct netlink *here, const struct net_device *d,
		       struct net_moved *ret, struct err *e)
{
	struct link link;
	int r = get_link(here, d->from, 0, &link);

	if (r == -ENODEV)
		return err_code(e, ENODEV, d->from,
				"linux.netDevices: there is no network device '%s'", d->from);
	if (r < 0)
		return fail(e, r, here, "look at", d->from);
	*ret = (struct net_moved){ .device = d, .index = link.index, .was_up = link.up };
	str_copy(ret->name, sizeof(ret->name), link.name);
	r = addresses_read(a, here, link.index, &ret->addresses, &ret->n_addresses);
	return r < 0 ? fail(e, r, here, "read the addresses of", d->from) : 0;
}

static int move_device(struct arena *a, struct sides *s, const struct net_device *d,
		       struct net_moves *m, struct err *e)
{
	struct net_moved *moved = &m->moved[m->n];
	struct link taken;
	int r = note_device(a, &s->here, d, moved, e), before = moved->index;

	if (r < 0)
		return r;
	if (!strchr(d->to, '%') && get_link(&s->there, d->to, 0, &taken) == 0)
		return err_code(e, EEXIST, d->to,
				"linux.netDevices.%s: the container's network namespace has a "
				"device '%s' already",
				d->from, d->to);
	r = move(&s->here, &moved->index, m->there, d->to);
	if (r == 0 || moved->index != before || get_link(&s->here, NULL, before, &taken) == -ENODEV)
		m->n++;
	if (r < 0)
		return fail(e, r, &s->here, "move", d->from);
	return restore(&s->there, moved, true, e);
}

/* --- the whole -------------------------------------------------------------------------------- */

int net_devices_move(struct arena *a, const struct net_plan *p, const struct dir *proc, pid_t pid,
		     struct net_moves *ret, struct err *e)
{
	struct sides sides = { .here.fd = -1, .there.fd = -1 };
	int r;

	*ret = NET_MOVES_NONE;
	if (!p->n_devices)
		return 0;
	ret->moved = arena_new_n(a, p->n_devices, struct net_moved);
	r = open_namespaces(proc, pid, ret, e);
	if (r == 0)
		r = sides_open(a, ret, &sides, e);
	for (size_t i = 0; r == 0 && i < p->n_devices; i++)
		r = move_device(a, &sides, &p->devices[i], ret, e);
	sides_close(&sides);
	if (r < 0) {
		net_devices_return(ret);
		net_moves_close(ret);
	}
	return r;
}

static int return_device(struct sides *s, const struct net_moves *m, struct net_moved *moved,
			 struct err *e)
{
	int r = move(&s->there, &moved->index, m->here, moved->name);

	if (r < 0)
		return fail(e, r, &s->there, "move", moved->name);
	return restore(&s->here, moved, moved->was_up, e);
}

void net_devices_return(struct net_moves *m)
{
	auto_arena a = arena_make();
	struct sides sides = { .here.fd = -1, .there.fd = -1 };
	struct err e = { 0 };

	if (!m->n)
		return;
	if (sides_open(&a, m, &sides, &e) < 0) {
		log_warning("network devices are not given back: %s", e.text);
		m->n = 0;
	}
	for (; m->n > 0; m->n--) {
		struct net_moved *moved = &m->moved[m->n - 1];

		err_clear(&e);
		if (return_device(&sides, m, moved, &e) < 0)
			log_warning("network device '%s' is not given back as it was: %s",
				    moved->name, e.text);
	}
	sides_close(&sides);
}

void net_moves_close(struct net_moves *m)
{
	fd_close(&m->here);
	fd_close(&m->there);
	m->n = 0;
}
