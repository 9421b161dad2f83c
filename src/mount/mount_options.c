/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_options - one row a word of mounts[].options
 *
 * Words act in the order in which they stand, the later one wins: each row first
 * takes bits away and then adds bits, and a bit that was asked to be off is
 * remembered (attr_clear), because a bind mount starts with the flags of its
 * source. A word without a row belongs to the file system ("size=64k", "acl").
 *
 * The access time words are one enumeration of three values, not three bits:
 * whoever sets one of them must clear the whole mask (mount_setattr(2)).
 * norelatime and rnorelatime change nothing, because relatime is what the kernel
 * takes when nothing else is wanted. U, Z, z, cached, copy, delegated and nocopy (of
 * -v of podman and buildah) are orders to the caller, who has followed them by the time
 * that he hands them on.
 */
#include <stddef.h>

#include "base/str.h"
#include "mount/mount_room.h"

#define ATIME MOUNT_ATTR__ATIME

enum option_scope {
	SCOPE_MOUNT,	 /* attributes of this mount */
	SCOPE_RECURSIVE, /* attributes of the whole tree */
	SCOPE_SUPER,	 /* flags of the superblock */
	SCOPE_BOTH,	 /* ro and rw: mount attribute and superblock */
	SCOPE_PROPAGATION,
	SCOPE_SWITCH, /* sets one or two bool members of struct mount_flags */
	SCOPE_NONE,   /* understood, nothing to do */
	SCOPE_CALLER, /* an order to the caller: nothing to do, and no option of ours */
};

struct option_row {
	const char *name;
	uint64_t set, clear;	   /* MOUNT_ATTR_* */
	uint64_t sb_set, sb_clear; /* MS_* */
	uint64_t propagation;	   /* MS_* */
	enum option_scope scope;
	unsigned short member, also; /* offsets of bool members; also 0: none */
};

#define AT(m) offsetof(struct mount_flags, m)
#define ATTR(n, s, c)                                                       \
	{                                                                   \
		.name = (n), .scope = SCOPE_MOUNT, .set = (s), .clear = (c) \
	}
#define REC(n, s, c)                                                            \
	{                                                                       \
		.name = (n), .scope = SCOPE_RECURSIVE, .set = (s), .clear = (c) \
	}
#define SUPER(n, s, c)                                                            \
	{                                                                         \
		.name = (n), .scope = SCOPE_SUPER, .sb_set = (s), .sb_clear = (c) \
	}
#define PROPAGATION(n, p)                                                   \
	{                                                                   \
		.name = (n), .scope = SCOPE_PROPAGATION, .propagation = (p) \
	}
#define SWITCH(n, m, m2)                                                          \
	{                                                                         \
		.name = (n), .scope = SCOPE_SWITCH, .member = AT(m), .also = (m2) \
	}
#define NOTHING(n)                               \
	{                                        \
		.name = (n), .scope = SCOPE_NONE \
	}
#define CALLER(n)                                  \
	{                                          \
		.name = (n), .scope = SCOPE_CALLER \
	}

/* Sorted by name: looked up by bisection and listed by `features`. */
static const struct option_row rows[] = {
	CALLER("U"),
	CALLER("Z"),
	SUPER("async", 0, MS_SYNCHRONOUS),
	ATTR("atime", 0, ATIME),
	SWITCH("bind", bind, 0),
	CALLER("cached"),
	CALLER("copy"),
	SWITCH("copy-symlink", copy_symlink, 0),
	NOTHING("defaults"),
	CALLER("delegated"),
	SWITCH("dest-nofollow", dest_nofollow, 0),
	ATTR("dev", 0, MOUNT_ATTR_NODEV),
	ATTR("diratime", 0, MOUNT_ATTR_NODIRATIME),
	SUPER("dirsync", MS_DIRSYNC, 0),
	ATTR("exec", 0, MOUNT_ATTR_NOEXEC),
	SWITCH("idmap", idmap, 0),
	SUPER("iversion", MS_I_VERSION, 0),
	SUPER("lazytime", MS_LAZYTIME, 0),
	SUPER("loud", 0, MS_SILENT),
	SUPER("mand", MS_MANDLOCK, 0),
	ATTR("noatime", MOUNT_ATTR_NOATIME, ATIME),
	CALLER("nocopy"),
	ATTR("nodev", MOUNT_ATTR_NODEV, 0),
	ATTR("nodiratime", MOUNT_ATTR_NODIRATIME, 0),
	ATTR("noexec", MOUNT_ATTR_NOEXEC, 0),
	SUPER("noiversion", 0, MS_I_VERSION),
	SUPER("nolazytime", 0, MS_LAZYTIME),
	SUPER("nomand", 0, MS_MANDLOCK),
	NOTHING("norelatime"),
	ATTR("nostrictatime", 0, ATIME),
	ATTR("nosuid", MOUNT_ATTR_NOSUID, 0),
	ATTR("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	PROPAGATION("private", MS_PRIVATE),
	SUPER("rasync", 0, MS_SYNCHRONOUS),
	REC("ratime", 0, ATIME),
	SWITCH("rbind", bind, AT(recursive)),
	REC("rdev", 0, MOUNT_ATTR_NODEV),
	REC("rdiratime", 0, MOUNT_ATTR_NODIRATIME),
	SUPER("rdirsync", MS_DIRSYNC, 0),
	ATTR("relatime", 0, ATIME),
	SWITCH("remount", remount, 0),
	REC("rexec", 0, MOUNT_ATTR_NOEXEC),
	SWITCH("ridmap", idmap, AT(ridmap)),
	SUPER("rmand", MS_MANDLOCK, 0),
	REC("rnoatime", MOUNT_ATTR_NOATIME, ATIME),
	REC("rnodev", MOUNT_ATTR_NODEV, 0),
	REC("rnodiratime", MOUNT_ATTR_NODIRATIME, 0),
	REC("rnoexec", MOUNT_ATTR_NOEXEC, 0),
	SUPER("rnomand", 0, MS_MANDLOCK),
	NOTHING("rnorelatime"),
	REC("rnostrictatime", 0, ATIME),
	REC("rnosuid", MOUNT_ATTR_NOSUID, 0),
	REC("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	{ .name = "ro", .scope = SCOPE_BOTH, .set = MOUNT_ATTR_RDONLY, .sb_set = MS_RDONLY },
	PROPAGATION("rprivate", MS_PRIVATE | MS_REC),
	REC("rrelatime", 0, ATIME),
	REC("rro", MOUNT_ATTR_RDONLY, 0),
	REC("rrw", 0, MOUNT_ATTR_RDONLY),
	PROPAGATION("rshared", MS_SHARED | MS_REC),
	PROPAGATION("rslave", MS_SLAVE | MS_REC),
	REC("rstrictatime", MOUNT_ATTR_STRICTATIME, ATIME),
	REC("rsuid", 0, MOUNT_ATTR_NOSUID),
	REC("rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	SUPER("rsync", MS_SYNCHRONOUS, 0),
	PROPAGATION("runbindable", MS_UNBINDABLE | MS_REC),
	{ .name = "rw", .scope = SCOPE_BOTH, .clear = MOUNT_ATTR_RDONLY, .sb_clear = MS_RDONLY },
	PROPAGATION("shared", MS_SHARED),
	SUPER("silent", MS_SILENT, 0),
	PROPAGATION("slave", MS_SLAVE),
	SWITCH("src-nofollow", src_nofollow, 0),
	ATTR("strictatime", MOUNT_ATTR_STRICTATIME, ATIME),
	ATTR("suid", 0, MOUNT_ATTR_NOSUID),
	ATTR("symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	SUPER("sync", MS_SYNCHRONOUS, 0),
	SWITCH("tmpcopyup", tmpcopyup, 0),
	PROPAGATION("unbindable", MS_UNBINDABLE),
	CALLER("z"),
};

static const struct option_row *option_find(const char *name)
{
	size_t lo = 0, hi = COUNT(rows);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = strcmp(name, rows[mid].name);

		if (!c)
			return &rows[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void bits_change(uint64_t *set, uint64_t *clear, const struct option_row *row)
{
	*set = (*set & ~row->clear) | row->set;
	*clear = (*clear & ~row->set) | row->clear;
}

static void option_apply(struct mount_flags *f, const struct option_row *row)
{
	switch (row->scope) {
	case SCOPE_BOTH:
	case SCOPE_SUPER:
		f->sb_flags = (f->sb_flags & ~row->sb_clear) | row->sb_set;
		f->sb_clear = (f->sb_clear & ~row->sb_set) | row->sb_clear;
		if (row->scope == SCOPE_SUPER)
			break;
		/* fall through */
	case SCOPE_MOUNT:
		bits_change(&f->attr_set, &f->attr_clear, row);
		break;
	case SCOPE_RECURSIVE:
		bits_change(&f->rec_set, &f->rec_clear, row);
		/* the later word counts for the top as well */
		f->attr_set &= ~row->clear;
		f->attr_clear &= ~row->set;
		break;
	case SCOPE_PROPAGATION:
		f->propagation = row->propagation;
		break;
	case SCOPE_SWITCH:
		*((bool *)((char *)f + row->member)) = true;
		if (row->also)
			*((bool *)((char *)f + row->also)) = true;
		break;
	case SCOPE_NONE:
	case SCOPE_CALLER:
		break;
	}
}

/* One word may hold several options for the file system: "size=1k,mode=755". */
static size_t data_word_length(const char *s)
{
	bool quoted = false;
	size_t n;

	for (n = 0; s[n]; n++) {
		if (s[n] == '"')
			quoted = !quoted;
		else if (s[n] == '\\' && s[n + 1])
			n++;
		else if (s[n] == ',' && !quoted)
			break;
	}
	return n;
}

/* The quotes around SELinux contexts are for the comma syntax, which is not used here. */
static const char *value_unquote(struct arena *a, const char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && value[0] == '"' && value[n - 1] == '"')
		return arena_strndup(a, value + 1, n - 2);
	return value;
}

static void data_split(struct arena *a, const char *word, struct mount_data *ret)
{
	const char *eq = strchr(word, '=');

	if (!eq) {
		ret->key = word;
		ret->value = NULL;
		return;
	}
	ret->key = arena_strndup(a, word, (size_t)(eq - word));
	ret->value = value_unquote(a, eq + 1);
}

int mount_options_parse(struct arena *a, const char *const *options, size_t n,
			struct mount_flags *ret_flags, const struct mount_data **ret_data,
			size_t *ret_n_data, struct err *e)
{
	struct {
		struct mount_data *v;
		size_t n, cap;
	} data = { 0 };
	struct mount_flags flags = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct option_row *row = option_find(options[i]);
		const char *s = options[i];

		if (row) {
			option_apply(&flags, row);
			continue;
		}
		if (str_starts(s, "idmap=") || str_starts(s, "ridmap=")) {
			flags.idmap = true;
			flags.ridmap = s[0] == 'r';
			flags.idmap_text = strchr(s, '=') + 1;
			continue;
		}
		while (*s) {
			size_t len = data_word_length(s);

			if (len && s[0] == '=')
				return err_user(e, options[i], "option '%s' has no name",
						options[i]);
			if (len)
				data_split(a, arena_strndup(a, s, len), vec_push(a, &data));
			s += len + (s[len] == ',');
		}
	}
	*ret_flags = flags;
	*ret_data = data.v;
	*ret_n_data = data.n;
	return 0;
}

const char *const *mount_option_names(size_t *ret_n)
{
	static const char *names[COUNT(rows)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].scope != SCOPE_CALLER)
			names[n++] = rows[i].name;
	*ret_n = n;
	return names;
}

void mount_flags_top(const struct mount_flags *f, uint64_t *ret_set, uint64_t *ret_clear)
{
	*ret_set = (f->rec_set & ~f->attr_clear) | f->attr_set;
	*ret_clear = (f->rec_clear & ~f->attr_set) | f->attr_clear;
}

/* --- names of flags, for messages ----------------------------------------------------- */

static const struct {
	uint64_t attr;
	const char *name;
} attr_names[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
	{ MOUNT_ATTR_IDMAP, "idmap" },
};

void mount_attr_print(uint64_t attr, char *buf, size_t size)
{
	size_t used = 0;

	str_copy(buf, size, "none");
	for (size_t i = 0; i < COUNT(attr_names); i++) {
		if (!(attr & attr_names[i].attr))
			continue;
		if (used + strlen(attr_names[i].name) + 2 > size)
			return;
		if (used)
			buf[used++] = ',';
		str_copy(buf + used, size - used, attr_names[i].name);
		used += strlen(attr_names[i].name);
	}
}
