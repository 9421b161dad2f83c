/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_cache - see the header */
#include "sec/seccomp_cache.h"

#include <fcntl.h>
#include <linux/bpf_common.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "config.h"
#include "sys/sys.h"

/* Raise it when an unchanged profile gives another program within one release. */
#define GENERATION 1

#define MAGIC "cleatbpf"

#define ENTRY_MAX (sizeof(struct entry_head) + BPF_MAXINSNS * sizeof(struct sock_filter))

struct entry_head {
	char magic[8];
	uint64_t n; /* instructions that follow */
	uint8_t key[BLAKE2B_SIZE];
	uint8_t digest[BLAKE2B_SIZE]; /* of all of the above and the instructions */
};

/*
 * What decides the program. Flags and listener do not: they go beside it, and the
 * metadata of a listener differs from container to container.
 */
static void hash_profile(struct blake2b *b, const struct seccomp_profile *p)
{
	blake2b_add_u64(b, p->default_action);
	blake2b_add_u64(b, p->n_archs);
	for (size_t i = 0; i < p->n_archs; i++)
		blake2b_add_str(b, p->archs[i]->name);
	blake2b_add_u64(b, p->n_rules);
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct seccomp_rule *rule = &p->rules[i];

		blake2b_add_u64(b, rule->action);
		blake2b_add_u64(b, rule->n_names);
		for (size_t k = 0; k < rule->n_names; k++)
			blake2b_add_str(b, rule->names[k]);
		blake2b_add_u64(b, rule->n_conds);
		for (size_t k = 0; k < rule->n_conds; k++) {
			blake2b_add_u64(b, rule->conds[k].index);
			blake2b_add_u64(b, rule->conds[k].op);
			blake2b_add_u64(b, rule->conds[k].value);
			blake2b_add_u64(b, rule->conds[k].value_two);
		}
	}
}

static void make_key(const struct seccomp_profile *p, struct seccomp_cache *c)
{
	const struct scmp_version *lib = seccomp_version();
	struct blake2b b;

	blake2b_start(&b);
	blake2b_add_str(&b, PACKAGE_VERSION);
	blake2b_add_u64(&b, GENERATION);
	blake2b_add_u64(&b, lib->major);
	blake2b_add_u64(&b, lib->minor);
	blake2b_add_u64(&b, lib->micro);
	blake2b_add_u64(&b, seccomp_arch_native());
	hash_profile(&b, p);
	blake2b_finish(&b, c->key);
	for (size_t i = 0; i < sizeof(c->key); i++)
		snprintf(c->name + 2 * i, 3, "%02x", c->key[i]);
}

static void digest(const struct entry_head *head, const struct sock_filter *insns,
		   uint8_t ret[BLAKE2B_SIZE])
{
	struct blake2b b;

	blake2b_start(&b);
	blake2b_add(&b, head, offsetof(struct entry_head, digest));
	blake2b_add(&b, insns, head->n * sizeof(*insns));
	blake2b_finish(&b, ret);
}

void seccomp_cache_close(struct seccomp_cache *c)
{
	dir_close(&c->dir);
}

const char *seccomp_cache_place(void)
{
	const char *wanted = secure_getenv("CLEAT_CACHE_DIR");

	if (geteuid() != 0)
		return NULL;
	if (!wanted)
		return CLEAT_CACHE_DIR;
	return *wanted == '/' ? wanted : NULL;
}

/* Nobody but us may be able to change it, or to read which profiles there are. */
static bool is_ours(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() &&
	       (st->st_mode & 077) == 0;
}

static int open_place(const char *place, const char *path)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int fd = sys_open(path, flags, 0);
	int r;

	if (fd != -ENOENT)
		return fd;
	r = sys_mkdirat(AT_FDCWD, place, 0755);
	if (r == 0 || r == -EEXIST)
		r = sys_mkdirat(AT_FDCWD, path, 0700);
	if (r < 0 && r != -EEXIST)
		return r;
	return sys_open(path, flags, 0);
}

void seccomp_cache_open(const char *place, const struct seccomp_profile *p,
			struct seccomp_cache *ret)
{
	auto_fd fd = -1;
	struct stat st;
	int n;

	*ret = SECCOMP_CACHE_NONE;
	if (!place)
		return;
	n = snprintf(ret->path, sizeof(ret->path), "%s/seccomp", place);
	if (n < 0 || (size_t)n >= sizeof(ret->path))
		return;
	fd = open_place(place, ret->path);
	if (fd < 0 || sys_fstat(fd, &st) < 0)
		return;
	if (!is_ours(&st, S_IFDIR)) {
		log_warning("seccomp: the cache '%s' is not used: it is not private to uid %u",
			    ret->path, (unsigned)geteuid());
		return;
	}
	make_key(p, ret);
	ret->dir.name = ret->path;
	ret->dir.fd = fd_take(&fd);
}

/* Read one entry; NULL when it is not exactly what we wrote. */
static struct sock_filter *read_entry(const struct seccomp_cache *c, int fd, struct arena *a,
				      size_t *ret_n)
{
	uint8_t want[BLAKE2B_SIZE];
	struct entry_head *head;
	struct sock_filter *insns;
	struct stat st;
	char *bytes;
	ssize_t len;

	if (sys_fstat(fd, &st) < 0 || !is_ours(&st, S_IFREG) || st.st_nlink != 1)
		return NULL;
	if (st.st_size < (off_t)sizeof(*head) || st.st_size > (off_t)ENTRY_MAX)
		return NULL;
	len = file_read_fd(fd, c->name, a, ENTRY_MAX, &bytes, NULL);
	if (len != st.st_size)
		return NULL;
	head = (struct entry_head *)bytes;
	insns = (struct sock_filter *)(head + 1);
	if (memcmp(head->magic, MAGIC, sizeof(head->magic)) != 0 ||
	    memcmp(head->key, c->key, sizeof(head->key)) != 0 || head->n == 0 ||
	    head->n != ((size_t)len - sizeof(*head)) / sizeof(*insns) ||
	    ((size_t)len - sizeof(*head)) % sizeof(*insns) != 0)
		return NULL;
	digest(head, insns, want);
	if (memcmp(head->digest, want, sizeof(want)) != 0)
		return NULL;
	*ret_n = head->n;
	return insns;
}

bool seccomp_cache_find(struct seccomp_cache *c, struct arena *a, struct sock_filter **ret,
			size_t *ret_n)
{
	/* Not to block on a pipe, nor to follow a link, that somebody put there. */
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	auto_fd fd = c->dir.fd >= 0 ? sys_openat(c->dir.fd, c->name, flags, 0) : -ENOENT;
	struct sock_filter *insns;

	if (fd == -ENOENT)
		return false;
	insns = fd < 0 ? NULL : read_entry(c, fd, a, ret_n);
	if (!insns) {
		log_warning("seccomp: the cached filter '%s/%s' is not what was written; "
			    "it is made again",
			    c->path, c->name);
		sys_unlinkat(c->dir.fd, c->name, 0);
		return false;
	}
	*ret = insns;
	return true;
}

struct oldest {
	int dir;
	size_t n; /* entries seen */
	char name[256];
	struct timespec time;
};

static int look_at_age(const char *name, unsigned char type, void *arg)
{
	struct oldest *o = arg;
	struct stat st;

	(void)type;
	if (sys_fstatat(o->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* another cleat removed it */
	if (o->n++ == 0 || st.st_mtim.tv_sec < o->time.tv_sec ||
	    (st.st_mtim.tv_sec == o->time.tv_sec && st.st_mtim.tv_nsec < o->time.tv_nsec)) {
		o->time = st.st_mtim;
		str_copy(o->name, sizeof(o->name), name);
	}
	return 0;
}

/* Remove the oldest; @more says whether there may be still too many. */
static bool remove_one(const struct seccomp_cache *c)
{
	struct oldest o = { .dir = c->dir.fd };

	if (dir_each(&c->dir, look_at_age, &o, NULL) < 0 || o.n <= SECCOMP_CACHE_MAX)
		return false;
	sys_unlinkat(c->dir.fd, o.name, 0);
	return o.n > SECCOMP_CACHE_MAX + 1;
}

void seccomp_cache_keep(struct seccomp_cache *c, const struct sock_filter *insns, size_t n)
{
	struct { /* one write: the head and the program behind it */
		struct entry_head head;
		struct sock_filter insns[BPF_MAXINSNS];
	} * entry;
	struct err e = { 0 };

	if (c->dir.fd < 0 || n > BPF_MAXINSNS)
		return;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return;
	memcpy(entry->head.magic, MAGIC, sizeof(entry->head.magic));
	memcpy(entry->head.key, c->key, sizeof(c->key));
	memcpy(entry->insns, insns, n * sizeof(*insns));
	entry->head.n = n;
	digest(&entry->head, entry->insns, entry->head.digest);
	if (file_replace_at(&c->dir, c->name, 0600, entry, sizeof(entry->head) + n * sizeof(*insns),
			    &e) < 0)
		err_ignore(&e, "a filter that is not kept is compiled again");
	free(entry);
	for (int i = 0; i < SECCOMP_CACHE_MAX && remove_one(c); i++)
		;
}
