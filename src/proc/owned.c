/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owned - is a namespace the container's, or the one that we live in?
 *
 * A new namespace is. One that is given by path is compared by inode, because the path of
 * our own can be written in many ways; a path that cannot be looked at counts as another,
 * since joining it fails later with the better message. proc_sysctls() looks once more
 * from the inside.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "base/str.h"
#include "proc/parts.h"
#include "sys/sys.h"

struct proc_ns_id *own_namespace(struct proc_plan *p, int type)
{
	switch (type) {
	case CLONE_NEWNET:
		return &p->own_net;
	case CLONE_NEWIPC:
		return &p->own_ipc;
	case CLONE_NEWUTS:
		return &p->own_uts;
	default:
		return &p->own_user;
	}
}

static const char *joined_path(const struct spec *spec, int type)
{
	for (size_t i = 0; i < spec->n_namespaces; i++)
		if (spec->namespaces[i].type == type)
			return spec->namespaces[i].path;
	return NULL;
}

bool owns_namespace(const struct spec *spec, int type, struct proc_plan *p)
{
	const char *path = joined_path(spec, type);
	struct stat own, other;
	char name[64];

	if (spec->ns_new & (uint64_t)type)
		return true;
	if (!path)
		return false;
	snprintf(name, sizeof(name), "/proc/self/ns/%s", spec_ns_proc_name(type));
	if (sys_fstatat(AT_FDCWD, name, &own, 0) < 0)
		return true;
	*own_namespace(p, type) = (struct proc_ns_id){ own.st_dev, own.st_ino };
	if (sys_fstatat(AT_FDCWD, path, &other, 0) < 0)
		return true;
	return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}
