/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - the loopback interface, and network devices that move into the container
 *
 * config-linux.md, "Network Devices". A device is moved by the parent while init waits
 * for GO: found by its name, moved and renamed in one request, then given its permanent
 * global addresses again and set up. What the runtime never touches afterwards: routes,
 * other addresses, the device when the container ends (the kernel then gives physical
 * ones back and destroys virtual ones). Only a creation that fails gives back what it
 * took, as it was.
 */
#ifndef CLEAT_NET_NET_H
#define CLEAT_NET_NET_H

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/host.h"

struct net_device {
	const char *from; /* name where cleat runs */
	const char *to;	  /* name in the container; with "%d" the kernel chooses a number */
};

struct net_plan {
	bool loopback; /* the namespace is new: lo is set up */
	const struct net_device *devices;
	size_t n_devices;
};

/*
 * Pure. Names follow the kernel's rules; -EINVAL also when there is no network namespace
 * to move devices into, or two would get the same name.
 */
int net_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		  struct net_plan *ret, struct err *e);

/* init, in its new network namespace: set lo up. */
int net_loopback_up(struct err *e);

struct net_address;

/* A device that is in the container's namespace by our doing. */
struct net_moved {
	const struct net_device *device;
	char name[16]; /* its own here: the device may be given by another of its names */
	int index;     /* there */
	bool was_up;
	const struct net_address *addresses; /* permanent and global, in the order to add them */
	size_t n_addresses;
};

/* What net_devices_move() did, until net_moves_close(). Empty: NET_MOVES_NONE. */
struct net_moves {
	int here, there; /* the two namespaces */
	struct net_moved *moved;
	size_t n;
};
#define NET_MOVES_NONE ((struct net_moves){ .here = -1, .there = -1 })

/*
 * net_devices_move() - parent, before GO: into the network namespace of process @pid
 * @proc: a procfs of our own, to reach that namespace and ours
 *
 * The calling thread is in that namespace for a moment. Returns 0 or -errno; on failure
 * the devices that had been moved are back. *ret remembers how to undo it and keeps the
 * namespace alive: net_moves_close() ends that.
 */
int net_devices_move(struct arena *a, const struct net_plan *p, const struct dir *proc, pid_t pid,
		     struct net_moves *ret, struct err *e);

/*
 * net_devices_return() - give them back: name, addresses and state as they were
 *
 * For a creation that failed. What cannot be given back is told as a warning that says
 * where it is. Safe on an empty one, and a second time.
 */
void net_devices_return(struct net_moves *m);
void net_moves_close(struct net_moves *m);

#endif
