/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock - the rules for files and ports that a process puts on itself; landlock(7)
 *
 * The ruleset is made by the root of the container, which may reach every path that it
 * names, and enforced last but for the filter, when nothing of ours opens files any more.
 * A kernel without Landlock is an error: restrictions were asked for. With best effort,
 * the default, accesses that an older kernel does not know go unrestricted.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "sec/sec.h"
#include "sys/sys.h"

/* What can be done to something that is no directory: execute, write, read, truncate, ioctl. */
#define RIGHTS_OF_FILES 0xc007ULL

int sec_landlock_check(struct arena *a, struct landlock_plan *p, struct err *e)
{
	int abi = p->wanted ? sys_landlock_version() : 1;
	const char *unknown;

	if (abi < 0)
		return err_sys(e, -abi, NULL, "landlock: this kernel has none");
	if (!p->wanted)
		return 0;
	unknown = landlock_right_names(a, p->fs & ~landlock_known_fs(abi),
				       p->network & ~landlock_known_network(abi));
	if (*unknown && !p->best_effort)
		return err_code(e, ENOTSUP, "landlock", "landlock: this kernel cannot restrict: %s",
				unknown);
	if (*unknown)
		log_warning("landlock: this kernel cannot restrict: %s", unknown);
	p->fs &= landlock_known_fs(abi);
	p->network &= landlock_known_network(abi);
	return 0;
}

static int allow_path(int ruleset, const struct landlock_plan *p, const struct landlock_path *path,
		      struct err *e)
{
	auto_fd fd = sys_open(path->path, O_PATH, 0);
	uint64_t allowed = path->allowed & p->fs;
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(e, -fd, path->path, "landlock: open");
	r = sys_fstat(fd, &st);
	if (r < 0)
		return err_sys(e, -r, path->path, "landlock: stat");
	if (!S_ISDIR(st.st_mode))
		allowed &= RIGHTS_OF_FILES;
	if (!allowed) /* the kernel takes no rule that allows nothing */
		return 0;
	r = sys_landlock_allow_path(ruleset, fd, allowed);
	return r < 0 ? err_sys(e, -r, path->path, "landlock: add a rule for") : 0;
}

int sec_landlock_make(const struct landlock_plan *p, struct err *e)
{
	auto_fd ruleset = -1;

	if (!p->fs && !p->network)
		return err_code(
			e, ENOTSUP, "landlock",
			"landlock: this kernel cannot restrict anything that was asked for");
	ruleset = sys_landlock_create(p->fs, p->network);
	if (ruleset < 0)
		return err_sys(e, -ruleset, NULL, "landlock: make a ruleset");
	for (size_t i = 0; i < p->n_paths; i++)
		if (allow_path(ruleset, p, &p->paths[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < p->n_ports; i++) {
		uint64_t allowed = p->ports[i].allowed & p->network;
		int r = allowed ? sys_landlock_allow_port(ruleset, p->ports[i].port, allowed) : 0;

		if (r < 0)
			return err_sys(e, -r, NULL, "landlock: add a rule for port %u",
				       p->ports[i].port);
	}
	return fd_take(&ruleset);
}

int sec_landlock_enforce(int ruleset, struct err *e)
{
	int r = sys_landlock_restrict(ruleset);

	return r < 0 ? err_sys(e, -r, NULL, "landlock: enforce the ruleset") : 0;
}
