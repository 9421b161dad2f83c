/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/sys.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define OWN_CGROUPS "/proc/self/cgroup"

/* The inode of the initial user namespace: PROC_USER_INIT_INO of the kernel. */
#define INITIAL_USER_NS 0xEFFFFFFDU

/* Every hierarchy with the longest path that the kernel prints. */
#define OWN_CGROUPS_MAX ((HOST_V1_MAX + 1) * (4096 + 64))

/* --- cgroups ---------------------------------------------------------------------------- */

/* Take "4:cpu,cpuacct:/a/b" apart in place; cgroups(7). */
static void add_line(struct host *h, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	struct host_v1 *v1;

	if (!path)
		return;
	*controllers++ = '\0';
	*path++ = '\0';
	if (!*controllers) {
		h->v2_self = path;
		return;
	}
	if (h->n_v1 == HOST_V1_MAX)
		return;
	v1 = &h->v1[h->n_v1++];
	v1->controllers = controllers;
	v1->dir = str_starts(controllers, "name=") ? controllers + strlen("name=") : controllers;
	v1->self = path;
}

void host_parse_cgroups(struct host *h, char *text)
{
	char *save = NULL;

	h->n_v1 = 0;
	h->v2_self = "";
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_line(h, line);
}

/* Returns the text of /proc/self/cgroup, in @h or, when it is longer, in a mapping that stays. */
static char *read_own_cgroups(struct host *h)
{
	char *text = h->text;
	size_t size = sizeof(h->text);
	ssize_t n = file_read_small(AT_FDCWD, OWN_CGROUPS, text, size);

	if (n == (ssize_t)size - 1) {
		size = OWN_CGROUPS_MAX;
		text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		n = text == MAP_FAILED ? -ENOMEM
				       : file_read_small(AT_FDCWD, OWN_CGROUPS, text, size);
	}
	return n < 0 ? NULL : text;
}

static int mark_mounted(const char *name, unsigned char type, void *arg)
{
	struct host *h = arg;

	(void)type; /* a directory, or a link such as cpu -> cpu,cpuacct */
	for (size_t i = 0; i < h->n_v1; i++)
		if (str_eq(h->v1[i].dir, name))
			h->v1[i].mounted = true;
	return 0;
}

/* A hierarchy that is not mounted where everybody looks for it does not exist for us. */
static void drop_unmounted(struct host *h)
{
	auto_dir root = DIR_NONE;
	size_t n = 0;

	if (dir_open(CGROUP_ROOT, &root, NULL) == 0)
		dir_each(&root, mark_mounted, h, NULL);
	for (size_t i = 0; i < h->n_v1; i++)
		if (h->v1[i].mounted)
			h->v1[n++] = h->v1[i];
	h->n_v1 = n;
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return sys_statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static void probe_cgroups(struct host *h, bool want_own)
{
	struct statfs fs;
	char *text;

	if (sys_statfs(CGROUP_ROOT, &fs) < 0)
		return;
	if (fs.f_type == CGROUP2_SUPER_MAGIC && !host_is_rootless(h) && !want_own) {
		h->cgroups = HOST_CGROUP_V2;
		return;
	}
	text = read_own_cgroups(h);
	if (!text)
		return;
	host_parse_cgroups(h, text);
	if (fs.f_type == CGROUP2_SUPER_MAGIC) {
		/* v1 hierarchies may exist beside it, but are out of sight */
		h->cgroups = HOST_CGROUP_V2;
		h->n_v1 = 0;
		return;
	}
	drop_unmounted(h);
	if (is_cgroup2(CGROUP_ROOT "/unified"))
		h->cgroups = HOST_CGROUP_HYBRID;
	else if (h->n_v1)
		h->cgroups = HOST_CGROUP_V1;
}

/* --- the rest ------------------------------------------------------------------------------ */

/* Capabilities have no holes, so the first one that the kernel refuses is one too many. */
static int probe_last_cap(void)
{
	int cap = 40; /* CAP_CHECKPOINT_RESTORE: there since 5.9 */

	while (cap < 63 && sys_prctl(PR_CAPBSET_READ, (unsigned long)cap + 1, 0, 0, 0) >= 0)
		cap++;
	return cap;
}

enum answer { UNASKED, NO, YES };

bool host_in_user_ns(void)
{
	static enum answer answer;
	struct stat st;

	if (!answer)
		answer = sys_fstatat(AT_FDCWD, "/proc/self/ns/user", &st, 0) == 0 &&
					 st.st_ino != INITIAL_USER_NS
				 ? YES
				 : NO;
	return answer == YES;
}

void host_probe(struct host *h, enum host_wanted wanted)
{
	h->euid = (uid_t)getauxval(AT_EUID);
	h->egid = (gid_t)getauxval(AT_EGID);
	h->in_user_ns = host_in_user_ns();
	h->last_cap = probe_last_cap();
	h->seccomp_receiver = getenv("RUN_OCI_SECCOMP_RECEIVER");
	h->cgroups = HOST_CGROUP_NONE;
	h->n_v1 = 0;
	h->v2_self = "";
	if (wanted != HOST_NO_CGROUPS)
		probe_cgroups(h, wanted == HOST_OWN_CGROUP);
}
