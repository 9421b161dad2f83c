/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_doubt - words of mounts[].options that nobody understands
 *
 * A word without a row in mount_options.c is handed to the file system, and only the kernel
 * can say what that takes. For the types that containers use it is written down here, as of
 * Linux 6.18 and for all configurations of it; a type that is not here may take anything.
 */
#include "base/str.h"
#include "base/table.h"
#include "mount/mount_room.h"

/* LSM ones are any file system's: selinux_fs_parameters and smack_fs_parameters. */
static const char any_words[] =
	"source context fscontext defcontext rootcontext seclabel "
	"smackfsdef smackfsdefault smackfsfloor smackfshat smackfsroot smackfstransmute";

static const struct {
	const char *type;
	const char *words; /* between spaces */
} file_systems[] = {
	{ "bind", "" },
	{ "bpf", "uid gid mode delegate_cmds delegate_maps delegate_progs delegate_attachs" },
	{ "cgroup", "none all noprefix clone_children cpuset_v2_mode xattr favordynmods "
		    "nofavordynmods name release_agent blkio cpu cpuacct cpuset debug devices "
		    "freezer hugetlb memory misc net_cls net_prio perf_event pids rdma" },
	{ "cgroup2", "nsdelegate favordynmods memory_localevents "
		     "memory_recursiveprot memory_hugetlb_accounting pids_localevents" },
	{ "configfs", "" },
	{ "debugfs", "uid gid mode" },
	{ "devpts", "uid gid mode ptmxmode newinstance max" },
	{ "fusectl", "" },
	{ "hugetlbfs", "uid gid mode size nr_inodes pagesize min_size" },
	{ "mqueue", "" },
	{ "overlay", "lowerdir lowerdir+ datadir+ upperdir workdir default_permissions "
		     "redirect_dir index uuid nfs_export userxattr xino metacopy verity fsync "
		     "volatile override_creds nooverride_creds" },
	{ "proc", "gid hidepid subset pidns" },
	{ "ramfs", "mode" },
	{ "securityfs", "" },
	{ "sysfs", "" },
	{ "tmpfs", "uid gid mode size nr_blocks nr_inodes huge mpol inode32 inode64 noswap quota "
		   "usrquota grpquota usrquota_block_hardlimit usrquota_inode_hardlimit "
		   "grpquota_block_hardlimit grpquota_inode_hardlimit casefold strict_encoding" },
	{ "tracefs", "uid gid mode" },
};

struct words {
	struct name_row *v;
	size_t n, cap;
};

static void add_word(struct arena *a, struct words *w, const char *name)
{
	((struct name_row *)vec_push(a, w))->name = name;
}

static void add_words(struct arena *a, struct words *w, const char *text)
{
	for (size_t len; *text; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		add_word(a, w, arena_strndup(a, text, len));
	}
}

/* Everything that may stand among the options of a mount of @type. False: that is not known. */
static bool words_make(struct arena *a, const char *type, struct words *ret)
{
	size_t n, i = 0;
	const char *const *names = mount_option_names(&n);

	while (i < COUNT(file_systems) && !str_eq(file_systems[i].type, type))
		i++;
	if (i == COUNT(file_systems))
		return false;
	add_words(a, ret, file_systems[i].words);
	if (!str_eq(type, "bind"))
		add_words(a, ret, any_words);
	for (i = 0; i < n; i++)
		add_word(a, ret, names[i]);
	return true;
}

const char *mount_option_nearest(struct arena *a, const char *type, const char *key)
{
	struct words words = { 0 };
	const char *near = words_make(a, type, &words) ? name_nearest(words.v, words.n, key) : NULL;

	return near ? arena_printf(a, ", perhaps '%s' is meant", near) : "";
}

const char *mount_option_doubt(struct arena *a, const struct oci_mount *m, size_t option,
			       bool *ret_refused)
{
	const struct mount_data *data;
	struct words words = { 0 };
	struct mount_flags flags;
	const char *type = m->type;
	struct err e = { 0 };
	int64_t unused;
	size_t n;

	/* what cannot be parsed at all is for mount_plan_make() to say */
	if (mount_options_parse(a, (const char *const *)m->options, m->n_options, &flags, &data, &n,
				&e) < 0)
		return NULL;
	if (flags.bind)
		type = "bind";
	if (!type)
		return NULL;
	*ret_refused = str_eq(type, "bind") && !flags.remount;
	if (!words_make(a, type, &words) ||
	    mount_options_parse(a, (const char *const *)&m->options[option], 1, &flags, &data, &n,
				&e) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (name_lookup(words.v, words.n, data[i].key, &unused) < 0)
			return arena_printf(a, "'%s' is no option of %s%s%s", data[i].key,
					    str_eq(type, "bind") ? "a " : "", type,
					    mount_option_nearest(a, type, data[i].key));
	return NULL;
}
