/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/if.h>
#include <sched.h>

#include "base/str.h"
#include "net/net.h"

/* dev_valid_name() and the templates of dev_alloc_name() in the kernel */
static const char *name_fault(const char *name, bool template)
{
	const char *percent = strchr(name, '%');

	if (!*name)
		return "is empty";
	if (strlen(name) >= IFNAMSIZ)
		return "is longer than 15 bytes";
	if (str_eq(name, ".") || str_eq(name, ".."))
		return "is the name of a directory";
	for (const char *p = name; *p; p++)
		if (*p == '/' || *p == ':' || *p == ' ' || (*p >= '\t' && *p <= '\r'))
			return "holds a '/', a ':' or white space";
	if (!percent)
		return NULL;
	if (!template)
		return "holds a '%'";
	return percent[1] == 'd' && !strchr(percent + 2, '%') ? NULL
							      : "holds a '%' that is not one '%d'";
}

static int plan_device(const struct oci_linux_net_device_entry *entry, struct net_device *ret,
		       struct err *e)
{
	const char *name = entry->value->name;
	const char *fault = name_fault(entry->key, false);

	if (fault)
		return err_user(e, "linux.netDevices", "linux.netDevices: the name '%s' %s",
				entry->key, fault);
	*ret = (struct net_device){ entry->key, name && *name ? name : entry->key };
	fault = name_fault(ret->to, true);
	if (fault)
		return err_user(e, "linux.netDevices", "linux.netDevices.%s.name: '%s' %s",
				entry->key, ret->to, fault);
	return 0;
}

static int check_double(const struct net_device *devices, size_t i, struct err *e)
{
	for (size_t k = 0; k < i && !strchr(devices[i].to, '%'); k++)
		if (str_eq(devices[k].to, devices[i].to))
			return err_user(e, "linux.netDevices",
					"linux.netDevices: '%s' and '%s' would both be named '%s'",
					devices[k].from, devices[i].from, devices[i].to);
	return 0;
}

int net_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		  struct net_plan *ret, struct err *e)
{
	const struct oci_linux *linux = spec->config->linux;
	const struct oci_linux_net_device_map *map = linux ? linux->net_devices : NULL;
	struct net_device *devices;

	*ret = (struct net_plan){ .loopback = spec->ns_new & CLONE_NEWNET };
	if (!map || !map->n)
		return 0;
	if (!((spec->ns_new | spec->ns_joined) & CLONE_NEWNET))
		return err_user(e, "linux.netDevices",
				"linux.netDevices needs a network namespace in linux.namespaces");
	devices = arena_new_n(a, map->n, struct net_device);
	for (size_t i = 0; i < map->n; i++)
		if (plan_device(&map->entries[i], &devices[i], e) < 0 ||
		    check_double(devices, i, e) < 0)
			return -e->code;
	/* what is wrong for everybody is said first */
	if (host->euid != 0)
		return err_code(e, EPERM, "linux.netDevices",
				"linux.netDevices: only root can move network devices");
	ret->devices = devices;
	ret->n_devices = map->n;
	return 0;
}
