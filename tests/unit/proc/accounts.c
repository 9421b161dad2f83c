/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "short:x:7\n"
			     "bad:x:many:7::/:\n"
			     "web:x:33:34:Web:/srv:/bin/sh\n"
			     "1000:x:5:6::/:\n"
			     "last:x:9:8::/:";
static const char group[] = "root:x:0:\n"
			    "www:x:34:web\n"
			    "tls:x:50:root,web\n"
			    "webmaster:x:51:webmaster\n"
			    "none:x:52\n"
			    "logs:x:53:web,root";

static int look_up(struct arena *a, const char *text, struct proc_account *ret, struct err *e)
{
	auto_fd root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return proc_account_find(a, root, text, ret, e);
}

static void make_files(void)
{
	REQUIRE(chdir(unit_dir()) == 0);
	place_dir("etc", 0755);
	place_file("etc/passwd", 0644, passwd);
	place_file("etc/group", 0644, group);
}

TEST(accounts_names)
{
	static const struct {
		const char *text;
		unsigned uid, gid;
		size_t n_groups;
		unsigned groups[2];
	} rows[] = {
		{ "web", 33, 34, 2, { 50, 53 } }, { "web:tls", 33, 50, 0, { 0 } },
		{ "web:none", 33, 52, 0, { 0 } }, { "last", 9, 8, 0, { 0 } },
		{ "1000", 5, 6, 0, { 0 } }, /* a name, not a number */
		{ "root", 0, 0, 2, { 50, 53 } },
	};
	auto_arena a = arena_make();

	make_files();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_account who = { 0 };
		struct err e = { 0 };

		REQUIRE_OK(look_up(&a, rows[i].text, &who, &e), &e);
		CHECK_INT(who.uid, rows[i].uid);
		CHECK_INT(who.gid, rows[i].gid);
		REQUIRE(who.n_groups == rows[i].n_groups);
		for (size_t g = 0; g < who.n_groups; g++)
			CHECK_INT(who.groups[g], rows[i].groups[g]);
	}
}

TEST(accounts_refused)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "nobody", "user 'nobody' is not in the container's /etc/passwd" },
		{ "short", "user 'short' is not in the container's /etc/passwd" },
		{ "bad", "user 'bad' is not in the container's /etc/passwd" },
		{ "33", "user '33' is not in the container's /etc/passwd" },
		{ "", "user '' is not in the container's /etc/passwd" },
		{ "web:34", "group '34' is not in the container's /etc/group" },
		{ "web:", "group '' is not in the container's /etc/group" },
	};
	auto_arena a = arena_make();
	struct proc_account who;

	make_files();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };

		CHECK(look_up(&a, rows[i].text, &who, &e) < 0);
		CHECK_STR(e.text, rows[i].message);
		CHECK_STR(e.id, "user-unknown");
	}
	REQUIRE(unlink("etc/passwd") == 0 && mkfifo("etc/passwd", 0644) == 0);
	CHECK(look_up(&a, "web", &who, NULL) < 0);
	/* the root is the directory, for links too */
	REQUIRE(unlink("etc/passwd") == 0 && symlink("/../etc/other", "etc/passwd") == 0);
	place_file("etc/other", 0644, passwd);
	CHECK_INT(look_up(&a, "web", &who, NULL), 0);
}
