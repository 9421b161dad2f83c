/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/host.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/sys.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
/* The inode of the initial user namespace: PROC_USER_INIT_INO of the kernel. */
#define INITIAL_USER_NS 0xEFFFFFFDU

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return sys_statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* "4:cpu,cpuacct:/a/b": cut into its three parts in place. */
static bool split_line(char *line, char **controllers, char **path)
{
	*controllers = strchr(line, ':');
	*path = *controllers ? strchr(*controllers + 1, ':') : NULL;
	if (!*path)
		return false;
	*(*controllers)++ = '\0';
	*(*path)++ = '\0';
	return true;
}

static void add_line(struct host *h, char *line)
{
	char *controllers, *path;
	struct host_v1 *v1;

	if (!split_line(line, &controllers, &path))
		return;
	if (!*controllers) {
		str_copy(h->v2_self, sizeof(h->v2_self), path);
		return;
	}
	if (h->n_v1 == HOST_V1_MAX)
		return;
	v1 = &h->v1[h->n_v1++];
	str_copy(v1->controllers, sizeof(v1->controllers), controllers);
	str_copy(v1->dir, sizeof(v1->dir),
		 str_starts(controllers, "name=") ? controllers + strlen("name=") : controllers);
	str_copy(v1->self, sizeof(v1->self), path);
}

static void read_own_cgroups(struct host *h)
{
	char text[8192], *line, *save = NULL;

	if (file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_line(h, line);
}

/* A hierarchy that is not mounted where we look for it does not exist for us. */
static void drop_unmounted(struct host *h)
{
	auto_fd root = sys_open(CGROUP_ROOT, O_PATH | O_DIRECTORY, 0);
	size_t n = 0;

	for (size_t i = 0; root >= 0 && i < h->n_v1; i++)
		if (sys_faccessat(root, h->v1[i].dir, F_OK, 0) == 0)
			h->v1[n++] = h->v1[i];
	h->n_v1 = n;
}

static void probe_cgroups(struct host *h)
{
	struct statfs fs;

	if (sys_statfs(CGROUP_ROOT, &fs) < 0)
		return;
	read_own_cgroups(h);
	if (fs.f_type == CGROUP2_SUPER_MAGIC) {
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

/* Capabilities have no holes, so the first one that the kernel refuses is one too many. */
static int probe_last_cap(void)
{
	int cap = 40; /* CAP_CHECKPOINT_RESTORE: there since 5.9 */

	while (cap < 63 && sys_prctl(PR_CAPBSET_READ, (unsigned long)cap + 1, 0, 0, 0) >= 0)
		cap++;
	return cap;
}

void host_probe(struct host *h, bool want_cgroups)
{
	*h = (struct host){ .euid = geteuid(), .egid = getegid() };
	h->last_cap = probe_last_cap();
	if (want_cgroups)
		probe_cgroups(h);
}

bool host_in_user_ns(void)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, "/proc/self/ns/user", &st, 0) == 0 &&
	       st.st_ino != INITIAL_USER_NS;
}

bool host_apparmor_enabled(void)
{
	char text[8];

	return file_read_small(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text,
			       sizeof(text)) > 0 &&
	       text[0] == 'Y';
}

bool host_selinux_enabled(void)
{
	struct statfs fs;

	return sys_statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}
