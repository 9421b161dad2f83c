/* SPDX-License-Identifier: Apache-2.0 */
/* Words among the options that neither we nor the file system understand. */
#include "mount/mount.h"
#include "unit/unit.h"

static const struct {
	const char *type, *options[3], *want; /* about the first option */
	bool refused;
} rows[] = {
	{ "tmpfs", { "nosuid" }, NULL, false },
	{ "tmpfs",
	  { "nosiud" },
	  "'nosiud' is no option of tmpfs, perhaps 'nosuid' is meant",
	  false },
	{ "tmpfs", { "isze=1k" }, "'isze' is no option of tmpfs, perhaps 'size' is meant", false },
	{ "tmpfs", { "mode=755,size=1k,nr_inodes=5" }, NULL, false },
	{ "tmpfs", { "mode=755,zzzzzz" }, "'zzzzzz' is no option of tmpfs", false },
	{ "tmpfs", { "context=\"a:b:c,d\"" }, NULL, false },
	{ "tmpfs", { "" }, NULL, false },
	{ "tmpfs", { "=1" }, NULL, false }, /* refused in other words */
	{ "tmpfs", { "idmap=uids=0-1-2;gids=0-1-2" }, NULL, false },
	{ "proc", { "hidepid=2" }, NULL, false },
	{ "proc", { "size=2" }, "'size' is no option of proc", false },
	{ "sysfs", { "mode=755" }, "'mode' is no option of sysfs", false },
	{ "mqueue",
	  { "noexce" },
	  "'noexce' is no option of mqueue, perhaps 'noexec' is meant",
	  false },
	{ "devpts", { "ptmxmode=0666" }, NULL, false },
	{ "cgroup", { "memory" }, NULL, false },
	{ "cgroup2", { "memory" }, "'memory' is no option of cgroup2", false },
	{ "overlay", { "lowerdir=/a,upperdir=/b,workdir=/c" }, NULL, false },
	{ "overlay",
	  { "lowredir=/a" },
	  "'lowredir' is no option of overlay, perhaps 'lowerdir' is meant",
	  false },
	/* what a type takes that is not known here, nobody knows */
	{ "ext4", { "nosiud" }, NULL, false },
	{ NULL, { "nosiud" }, NULL, false },
	/* a bind takes nothing, whatever its type is called */
	{ "bind", { "size=1" }, "'size' is no option of a bind", true },
	{ "ext4", { "size=1", "bind" }, "'size' is no option of a bind", true },
	{ NULL,
	  { "rnosiud", "rbind" },
	  "'rnosiud' is no option of a bind, perhaps 'rnosuid' is meant",
	  true },
	{ "bind", { "context=x" }, "'context' is no option of a bind", true },
	{ "bind", { "size=1", "remount" }, "'size' is no option of a bind", false },
	{ "tmpfs", { "size=1", "remount" }, NULL, false },
};

TEST(doubt)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct oci_mount m = { .type = (char *)rows[i].type,
				       .options = (const char **)(uintptr_t)rows[i].options };
		bool refused = false;

		while (m.n_options < COUNT(rows[i].options) && rows[i].options[m.n_options])
			m.n_options++;
		unit_row("%s %s", m.type ? m.type : "none", m.options[0]);
		CHECK_STR(mount_option_doubt(&a, &m, 0, &refused), rows[i].want);
		CHECK(refused == rows[i].refused || !rows[i].want);
	}
}
