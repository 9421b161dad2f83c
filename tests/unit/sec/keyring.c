/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sec/sec.h"
#include "sys/sys.h"
#include "unit/unit.h"

static long session(void)
{
	return sys_keyctl(KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0);
}

static void need_keys(void)
{
	if (session() == -ENOSYS || session() == -EPERM)
		unit_skip("no keyctl(2) here");
}

static struct sec_plan plan_named(char *name, size_t size)
{
	snprintf(name, size, "_ses.cleat-test-%d", (int)getpid());
	return (struct sec_plan){ .new_keyring = true, .keyring_name = name };
}

/* By a process that enters the container: other session, same name. */
static void check_found_again(const struct sec_plan *p, long own)
{
	struct err e = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0);
		if (session() == own || sec_keyring_join(p, &e) < 0)
			_exit(1);
		_exit(session() == own ? 0 : 2);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

TEST(own_and_found_again)
{
	char name[64], text[256] = "";
	struct sec_plan p = plan_named(name, sizeof(name));
	struct err e = { 0 };
	long before = session(), own;

	need_keys();
	REQUIRE_OK(sec_keyring_join(&p, &e), &e);
	own = session();
	CHECK(own >= 0 && own != before);
	CHECK(sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)own, (unsigned long)text,
			 sizeof(text) - 1) > 0);
	CHECK_HAS(text, ";3f1b0000;_ses.cleat-test-");
	check_found_again(&p, own);
}

/* An id may be as long as the name of a file. */
TEST(of_the_longest_id)
{
	char name[sizeof("_ses.") + NAME_MAX];
	struct sec_plan p = plan_named(name, sizeof(name));
	struct err e = { 0 };

	need_keys();
	for (size_t i = strlen(name); i < sizeof(name); i++)
		name[i] = (char)(i < sizeof(name) - 1 ? 'x' : '\0');
	REQUIRE_OK(sec_keyring_join(&p, &e), &e);
	check_found_again(&p, session());
}

TEST(not_wanted)
{
	struct sec_plan p = { 0 };
	struct err e = { 0 };
	long before = session();

	need_keys();
	CHECK_OK(sec_keyring_join(&p, &e), &e);
	CHECK_INT(session(), before);
}

/* Somebody made one of that name before, for all to search. */
TEST(not_of_somebody_else)
{
	char name[64];
	struct sec_plan p = plan_named(name, sizeof(name));
	struct err e = { 0 };
	int ready[2], done[2];
	char byte = 0;
	long theirs = 0;
	pid_t pid;

	need_keys();
	if (geteuid() != 0)
		unit_skip("needs root for a second user");
	REQUIRE(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		close(done[1]);
		if (syscall(SYS_setresuid, 4242, 4242, 4242) < 0)
			_exit(1);
		theirs = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)name, 0, 0);
		sys_keyctl(KEYCTL_SETPERM, (unsigned long)theirs, 0x3f3f3f3f, 0);
		if (write(ready[1], &theirs, sizeof(theirs)) < 0 || read(done[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &theirs, sizeof(theirs)) != sizeof(theirs))
		unit_skip("there is no second user");
	REQUIRE(theirs > 0);
	CHECK_OK(sec_keyring_join(&p, &e), &e);
	CHECK(session() > 0 && session() != theirs);
	close(ready[0]);
	close(done[0]);
	close(done[1]);
	waitpid(pid, NULL, 0);
}

/* 200 keys are what a user may have by default. */
TEST(quota)
{
	char name[64], key[32];
	struct sec_plan p = plan_named(name, sizeof(name));
	struct err e = { 0 };
	long r = 0;

	need_keys();
	if (geteuid() != 0)
		unit_skip("needs root for a user of its own");
	if (syscall(SYS_setresuid, 4243, 4243, 4243) < 0)
		unit_skip("there is no second user");
	REQUIRE(sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) > 0);
	for (int i = 0; i < 100000 && r >= 0; i++) {
		snprintf(key, sizeof(key), "cleat-%d", i);
		r = syscall(SYS_add_key, "user", key, "x", 1, KEY_SPEC_SESSION_KEYRING);
	}
	REQUIRE(r < 0 && errno == EDQUOT);
	CHECK_INT(sec_keyring_join(&p, &e), -EDQUOT);
	CHECK_HAS(e.text, "user 4243 has used up its kernel keys (200/200 keys, ");
	CHECK_HAS(e.text, "/20000 bytes; --no-new-keyring needs none): make the session keyring ");
	CHECK_STR(e.id, "quota-keys");
}
