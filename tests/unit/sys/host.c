/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/host.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/unit.h"

TEST(own_cgroups)
{
	static const struct {
		const char *text;
		size_t n;
		const char *v2, *dirs, *selves;
	} rows[] = {
		{ "0::/\n", 0, "/", "", "" },
		{ "0::/user.slice/a b:c\n", 0, "/user.slice/a b:c", "", "" },
		{ "0::/gone (deleted)\n", 0, "/gone (deleted)", "", "" },
		{ "2:cpu,cpuacct:/x\n1:name=systemd:/y:z\n0::/v\n", 2, "/v", "cpu,cpuacct systemd ",
		  "/x /y:z " },
		{ "4:memory:/../..\n", 1, "", "memory ", "/../.. " },
		{ "", 0, "", "", "" },
		{ "nonsense\n\n5\n:\n", 0, "", "", "" },
		{ "0::/no-newline", 0, "/no-newline", "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[256], dirs[128] = "", selves[128] = "";
		struct host h;

		str_copy(text, sizeof(text), rows[i].text);
		host_parse_cgroups(&h, text);
		unit_row("%s", rows[i].text);
		CHECK_INT((intmax_t)h.n_v1, (intmax_t)rows[i].n);
		CHECK_STR(h.v2_self, rows[i].v2);
		for (size_t k = 0; k < h.n_v1; k++) {
			snprintf(dirs + strlen(dirs), 40, "%s ", h.v1[k].dir);
			snprintf(selves + strlen(selves), 40, "%s ", h.v1[k].self);
		}
		CHECK_STR(dirs, rows[i].dirs);
		CHECK_STR(selves, rows[i].selves);
	}
}

TEST(more_hierarchies_than_there_is_room)
{
	char text[4096] = "";
	struct host h;

	for (int i = 0; i < 2 * HOST_V1_MAX; i++)
		snprintf(text + strlen(text), 40, "%d:name=h%d:/p%d\n", i + 1, i, i);
	host_parse_cgroups(&h, text);
	CHECK_INT((intmax_t)h.n_v1, HOST_V1_MAX);
	CHECK_STR(h.v1[HOST_V1_MAX - 1].dir, "h23");
}

TEST(this_machine)
{
	static struct host h;
	char text[16];

	host_probe(&h, HOST_OWN_CGROUP);
	CHECK_INT(h.euid, geteuid());
	CHECK_INT(h.egid, getegid());
	CHECK(file_read_small(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", text, sizeof(text)) > 0);
	CHECK_INT(h.last_cap, strtol(text, NULL, 10));
	for (size_t i = 0; i < h.n_v1; i++) {
		char path[256];

		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", h.v1[i].dir);
		unit_row("%s", path);
		CHECK(faccessat(AT_FDCWD, path, F_OK, 0) == 0);
		CHECK(h.v1[i].self[0] == '/');
	}
	unit_row("cgroups %d", h.cgroups);
	CHECK(h.cgroups == HOST_CGROUP_V2 || h.cgroups == HOST_CGROUP_HYBRID ? h.v2_self[0] == '/'
									     : true);
	CHECK((h.cgroups == HOST_CGROUP_V1 || h.cgroups == HOST_CGROUP_HYBRID) == (h.n_v1 > 0));
	host_probe(&h, HOST_NO_CGROUPS);
	CHECK_INT(h.cgroups, HOST_CGROUP_NONE);
	CHECK_INT((intmax_t)h.n_v1, 0);
	CHECK_STR(h.v2_self, "");
}

/* What /sys/fs/cgroup is decides, and what is not mounted there does not count. */
TEST(kinds_of_hosts)
{
	static struct host h;

	if (unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL) == 0);
	host_probe(&h, HOST_OWN_CGROUP);
	CHECK_INT(h.cgroups, HOST_CGROUP_NONE);
	CHECK_INT((intmax_t)h.n_v1, 0);
	if (file_read_small(AT_FDCWD, "/proc/self/cgroup", h.text, sizeof(h.text)) <= 0 ||
	    !strstr(h.text, ":memory:"))
		unit_skip("no v1 memory hierarchy here");
	REQUIRE(mkdir("/sys/fs/cgroup/memory", 0755) == 0);
	host_probe(&h, HOST_OWN_CGROUP);
	CHECK_INT(h.cgroups, HOST_CGROUP_V1);
	CHECK_INT((intmax_t)h.n_v1, 1);
	CHECK_STR(h.v1[0].dir, "memory");
}

/* Root on a v2 host is told where he is only when he asks. */
TEST(own_cgroup_on_v2)
{
	static struct host h;

	host_probe(&h, HOST_NO_CGROUPS);
	if (host_is_rootless(&h) || unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	host_probe(&h, HOST_OWN_CGROUP);
	if (h.cgroups == HOST_CGROUP_HYBRID)
		REQUIRE(mount("/sys/fs/cgroup/unified", "/sys/fs/cgroup", NULL, MS_BIND, NULL) ==
			0);
	else if (h.cgroups != HOST_CGROUP_V2)
		unit_skip("no cgroup v2 here");
	host_probe(&h, HOST_CGROUPS);
	CHECK_INT(h.cgroups, HOST_CGROUP_V2);
	CHECK_STR(h.v2_self, "");
	host_probe(&h, HOST_OWN_CGROUP);
	CHECK_INT(h.cgroups, HOST_CGROUP_V2);
	CHECK_INT(h.v2_self[0], '/');
	CHECK_INT((intmax_t)h.n_v1, 0);
}

TEST(user_namespace)
{
	struct stat st;

	REQUIRE(stat("/proc/self/ns/user", &st) == 0);
	CHECK_INT(host_in_user_ns(), st.st_ino != 0xEFFFFFFDU);
	/* asked once: no command changes its own */
	CHECK_INT(host_in_user_ns(), st.st_ino != 0xEFFFFFFDU);
}

TEST(new_user_namespace)
{
	struct host h;

	if (unshare(CLONE_NEWUSER) < 0)
		unit_skip("no right to make a user namespace");
	CHECK(host_in_user_ns());
	host_probe(&h, HOST_NO_CGROUPS);
	CHECK(host_is_rootless(&h));
}
