/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enable - controllers reach a v2 cgroup from the root down; cgroups(7)
 *
 * Each level passes on what its cgroup.subtree_control names. What the new directory
 * has already costs one read; the rest is asked for at every level above it, without
 * looking first, since the kernel takes what is enabled already for done. Failure is
 * no error here: it becomes the reason that a refused value is reported with.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define WORDS_MAX 16

struct words {
	const char *v[WORDS_MAX]; /* not terminated at the word's end */
	size_t len[WORDS_MAX];
	size_t n;
};

static void split(const char *text, struct words *ret)
{
	ret->n = 0;
	for (const char *at = text + strspn(text, " "); *at && ret->n < WORDS_MAX;) {
		ret->v[ret->n] = at;
		ret->len[ret->n] = strcspn(at, " ");
		at += ret->len[ret->n++];
		at += strspn(at, " ");
	}
}

static bool has(const struct words *w, const char *word, size_t len)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->len[i] == len && memcmp(w->v[i], word, len) == 0)
			return true;
	return false;
}

/* Keep those of @w that are in @other, or with @in false those that are not. */
static void filter(struct words *w, const struct words *other, bool in)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (has(other, w->v[i], w->len[i]) != in)
			continue;
		w->v[kept] = w->v[i];
		w->len[kept++] = w->len[i];
	}
	w->n = kept;
}

static void note(struct cgroup *cg, const char *level, const char *word, int len, int r)
{
	if (!cg->enabling.code)
		err_sys(&cg->enabling, -r, level, "enable '%.*s' in cgroup", len, word);
	trace(CGROUP, "enable %.*s in %s: %s", len, word, level, errno_name(-r));
}

static int write_control(const struct cgroup *cg, const char *dir, const char *value)
{
	char path[PATH_MAX];
	auto_fd fd = -1;
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s%scgroup.subtree_control", dir, *dir ? "/" : "") >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = sys_openat(cg->root.fd, path, O_WRONLY, 0);
	if (fd < 0)
		return fd;
	n = sys_write(fd, value, strlen(value));
	return n < 0 ? (int)n : 0;
}

/* All in one write; if that is refused each on its own, so that one cannot spoil the others. */
static void enable_at(struct cgroup *cg, const char *dir, const char *level, const struct words *w)
{
	char all[512] = "", one[64];
	size_t used = 0;
	int r;

	for (size_t i = 0; i < w->n; i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "+%.*s ", (int)w->len[i],
					 w->v[i]);
	if (write_control(cg, dir, all) == 0)
		return;
	for (size_t i = 0; i < w->n; i++) {
		snprintf(one, sizeof(one), "+%.*s", (int)w->len[i], w->v[i]);
		r = write_control(cg, dir, one);
		if (r < 0)
			note(cg, level, w->v[i], (int)w->len[i], r);
	}
}

/* Every directory above the container's own, the root of the tree first. */
static void enable_levels(struct cgroup *cg, const struct cgroup_dir *d, const struct words *w)
{
	size_t root = d->prefix ? d->prefix - 1 : 0, at = root, next;
	char dir[PATH_MAX], level[DIR_TEXT_SIZE];

	str_copy(dir, sizeof(dir), d->at);
	do {
		char kept = dir[at];

		next = at + 1 + strcspn(dir + at + 1, "/");
		dir[at] = '\0';
		snprintf(level, sizeof(level), "/%s", at == root ? "" : dir + d->prefix);
		enable_at(cg, dir, level, w);
		dir[at] = kept;
		at = next;
	} while (dir[at]);
}

/*
 * Below a threaded cgroup a new one is good for nothing ("domain invalid") until it is
 * made threaded as well.
 */
static void follow_threaded(const struct cgroup *cg, const struct cgroup_dir *d)
{
	char type[32];

	if (cgroup_read_file(cg, d, "cgroup.type", type, sizeof(type)) > 0 &&
	    str_eq(type, "domain invalid"))
		cgroup_write_file(cg, d, "cgroup.type", "threaded");
}

int cgroup_enable(struct cgroup *cg, const char *words, struct err *e)
{
	struct cgroup_dir *d = cgroup_dir_v2(cg);
	char have[256], available[256], path[64];
	struct words want, other;
	ssize_t n;

	if (!*words)
		return 0;
	n = cgroup_read_file(cg, d, "cgroup.controllers", have, sizeof(have));
	if (n < 0)
		return cgroup_error(d, (int)n, e, "read cgroup.controllers of");
	split(words, &want);
	split(have, &other);
	filter(&want, &other, false);
	if (!want.n)
		return 0;
	snprintf(path, sizeof(path), "%.*scgroup.controllers", (int)d->prefix, d->at);
	n = file_read_small(cg->root.fd, path, available, sizeof(available));
	if (n < 0)
		return err_sys(e, (int)-n, path, "read");
	split(available, &other);
	filter(&want, &other, true);
	if (!want.n)
		return 0;
	enable_levels(cg, d, &want);
	if (cg->enabling.code)
		follow_threaded(cg, d);
	return 0;
}
