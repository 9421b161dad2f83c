/* SPDX-License-Identifier: Apache-2.0 */
/* The five sets: what a process really holds after the steps, as /proc/self/status says. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sec/caps.h"
#include "sec/sec.h"
#include "unit/unit.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define CHOWN	 BIT(CAP_CHOWN)
#define KILL	 BIT(CAP_KILL)
#define NET	 BIT(CAP_NET_BIND_SERVICE)
#define ADMIN	 BIT(CAP_SYS_ADMIN)
#define NOBODY	 65534

struct seen { /* in shared memory: the child fills it */
	uint64_t inheritable, permitted, effective, bounding, ambient;
	int no_new_privs, seccomp;
	uint64_t parked_effective, parked_permitted;
	int failed; /* the step that failed */
	char text[1024];
};

static struct seen *seen_make(void)
{
	struct seen *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(s != MAP_FAILED);
	return s;
}

static uint64_t status_field(const char *status, const char *name, int base)
{
	const char *at = strstr(status, name);

	return at ? strtoull(at + strlen(name), NULL, base) : UINT64_MAX;
}

static void look(struct seen *s)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	s->inheritable = status_field(text, "CapInh:", 16);
	s->permitted = status_field(text, "CapPrm:", 16);
	s->effective = status_field(text, "CapEff:", 16);
	s->bounding = status_field(text, "CapBnd:", 16);
	s->ambient = status_field(text, "CapAmb:", 16);
	s->no_new_privs = (int)status_field(text, "NoNewPrivs:", 10);
	s->seccomp = (int)status_field(text, "Seccomp:", 10);
}

/* Deny one call that nothing here makes. */
static const struct sock_filter deny_acct[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static const struct seccomp_filter filter = { .insns = deny_acct, .n = COUNT(deny_acct) };

static int last_steps(const struct sec_plan *p, bool with_filter, struct err *e)
{
	if (with_filter && !sec_filter_is_last(p)) {
		if (sec_caps_raise_admin(e) < 0)
			return 4;
		if (seccomp_filter_load(&filter, false, e) < 0)
			return 5;
	}
	if (sec_caps_apply(p, e) < 0)
		return 6;
	if (with_filter && sec_filter_is_last(p) && seccomp_filter_load(&filter, true, e) < 0)
		return 7;
	return 0;
}

/* In the order of run/: returns the number of the step that failed. */
static int steps(const struct sec_plan *p, uid_t uid, bool with_filter, struct seen *s,
		 struct err *e)
{
	struct sys_caps parked;

	if (sec_bounding_apply(p, e) < 0)
		return 1;
	if (p->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 2;
	if (syscall(SYS_setresgid, uid, uid, uid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
		return 2;
	if (sec_caps_park(p, with_filter && !p->no_new_privileges, e) < 0)
		return 3;
	if (sys_capget(&parked) < 0)
		return 3;
	s->parked_effective = parked.effective;
	s->parked_permitted = parked.permitted;
	return last_steps(p, with_filter, e);
}

static void run_child(const struct sec_plan *p, uid_t uid, bool with_filter, void (*before)(void),
		      struct seen *s)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err e = { 0 };

		if (before)
			before();
		s->failed = steps(p, uid, with_filter, s, &e);
		str_copy(s->text, sizeof(s->text), e.text);
		look(s);
		_exit(0);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void need_capabilities(uint64_t set)
{
	struct sys_caps now;

	REQUIRE(sys_capget(&now) == 0);
	if ((now.effective & set) != set)
		unit_skip("needs more capabilities than this user has");
}

/* In a user namespace there may be no second user. */
static bool has_user(uid_t uid)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(syscall(SYS_setresuid, uid, uid, uid) < 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static struct sec_plan plan_of(const struct spec_caps *caps, struct spec_caps *granted)
{
	*granted = *caps;
	return (struct sec_plan){ .caps = *caps, .granted = granted, .last_cap = 40 };
}

TEST(exactly_as_configured)
{
	static const struct {
		const char *name;
		struct spec_caps caps; /* bounding, effective, inheritable, permitted, ambient */
	} rows[] = {
		{ "none at all", { 0 } },
		{ "as docker", { CHOWN | KILL | NET, CHOWN | KILL, 0, CHOWN | KILL | NET, 0 } },
		{ "ambient", { CHOWN | KILL, CHOWN | KILL, CHOWN | KILL, CHOWN | KILL, KILL } },
		{ "inheritable without ambient", { CHOWN, CHOWN, CHOWN, CHOWN, 0 } },
		{ "inheritable beyond bounding", { CHOWN, CHOWN, CHOWN | KILL, CHOWN, 0 } },
		{ "permitted beyond bounding", { 0, CHOWN, 0, CHOWN, 0 } },
		{ "ambient beyond bounding", { 0, CHOWN, CHOWN, CHOWN, CHOWN } },
		{ "admin stays", { ADMIN, ADMIN, 0, ADMIN, 0 } },
	};
	static const uid_t uids[] = { 0, 1000 };
	struct seen *s = seen_make();

	need_capabilities(BIT(CAP_SETPCAP) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | ADMIN);
	for (size_t i = 0; i < COUNT(rows) * 8; i++) {
		const struct spec_caps *want = &rows[i / 8].caps;
		bool with_filter = i & 1, nnp = i & 2;
		uid_t uid = uids[i >> 2 & 1];
		struct spec_caps granted;
		struct sec_plan p = plan_of(want, &granted);

		if (!has_user(uid))
			continue;
		unit_row("%s, uid %u%s%s", rows[i / 8].name, uid, nnp ? ", no_new_privs" : "",
			 with_filter ? ", filter" : "");
		p.no_new_privileges = nnp;
		p.seccomp.raw = with_filter ? deny_acct : NULL;
		run_child(&p, uid, with_filter, NULL, s);
		CHECK_INT(s->failed, 0);
		CHECK_STR(s->text, "");
		CHECK_INT(s->bounding, want->bounding);
		CHECK_INT(s->effective, want->effective);
		CHECK_INT(s->inheritable, want->inheritable);
		CHECK_INT(s->permitted, want->permitted);
		CHECK_INT(s->ambient, want->ambient);
		CHECK_INT(s->no_new_privs, nnp);
		CHECK_INT(s->seccomp, with_filter ? 2 : 0);
		CHECK_INT(s->parked_effective, 0);
		CHECK_INT(s->parked_permitted, want->permitted | (with_filter && !nnp ? ADMIN : 0));
	}
}

static void change_everything(void)
{
	struct sys_caps all;

	sys_capget(&all);
	all.inheritable = all.permitted;
	sys_capset(&all);
	for (int cap = 0; cap < 40; cap++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
}

/* What the caller had of inheritable and ambient sets and securebits does not get through. */
TEST(nothing_of_the_caller)
{
	static const struct spec_caps wants[] = {
		{ CHOWN, CHOWN, 0, CHOWN, 0 },
		{ CHOWN | KILL, CHOWN, CHOWN | KILL, CHOWN | KILL, CHOWN },
	};
	struct seen *s = seen_make();

	need_capabilities(BIT(CAP_SETPCAP) | BIT(CAP_SETUID) | BIT(CAP_SETGID));
	for (size_t i = 0; i < COUNT(wants) * 2; i++) {
		const struct spec_caps *want = &wants[i / 2];
		struct spec_caps granted;
		struct sec_plan p = plan_of(want, &granted);

		if (i % 2 && !has_user(1000))
			continue;
		unit_row("%zu", i);
		run_child(&p, i % 2 ? 1000 : 0, false, change_everything, s);
		CHECK_INT(s->failed, 0);
		CHECK_INT(s->bounding, want->bounding);
		CHECK_INT(s->effective, want->effective);
		CHECK_INT(s->inheritable, want->inheritable);
		CHECK_INT(s->permitted, want->permitted);
		CHECK_INT(s->ambient, want->ambient);
	}
}

static void lose_kill(void)
{
	struct sys_caps now;

	sys_capget(&now);
	now.permitted &= ~KILL;
	now.effective &= ~KILL;
	sys_capset(&now);
}

/* What there is not cannot be granted, and is no reason to fail. */
TEST(what_is_missing_is_left_out)
{
	static const struct spec_caps want = { CHOWN | KILL, CHOWN | KILL, KILL, CHOWN | KILL,
					       KILL };
	struct spec_caps granted;
	struct sec_plan p = plan_of(&want, &granted);
	struct seen *s = seen_make();

	need_capabilities(BIT(CAP_SETPCAP) | BIT(CAP_SETUID) | BIT(CAP_SETGID));
	run_child(&p, 0, false, lose_kill, s);
	CHECK_INT(s->failed, 0);
	CHECK_INT(s->permitted, CHOWN);
	CHECK_INT(s->effective, CHOWN);
	CHECK_INT(s->inheritable, 0);
	CHECK_INT(s->ambient, 0);
}

static void lose_all(void)
{
	const struct sys_caps none = { 0 };

	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && cap != CAP_CHOWN)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	sys_capset(&none);
}

/* Without CAP_SETPCAP: fine as long as nothing is to be dropped, an error otherwise. */
TEST(bounding_without_setpcap)
{
	struct spec_caps granted, keep = { .bounding = CHOWN }, drop = { 0 };
	struct sec_plan p = plan_of(&keep, &granted);
	struct seen *s = seen_make();

	need_capabilities(BIT(CAP_SETPCAP));
	run_child(&p, 0, false, lose_all, s);
	CHECK_INT(s->failed, 0);
	CHECK_INT(s->bounding, CHOWN);
	p = plan_of(&drop, &granted);
	run_child(&p, 0, false, lose_all, s);
	CHECK_INT(s->failed, 1);
	CHECK_HAS(s->text, "CAP_CHOWN");
}

TEST(grantable)
{
	static const struct sys_caps now = {
		.effective = CHOWN,
		.permitted = CHOWN | KILL,
		.inheritable = NET,
	};
	static const struct {
		struct sys_caps want, got; /* effective, permitted, inheritable */
	} rows[] = {
		{ { CHOWN, CHOWN, 0 }, { CHOWN, CHOWN, 0 } },
		{ { KILL, KILL, KILL }, { KILL, KILL, KILL } },
		{ { NET, NET, NET }, { 0, 0, NET } },
		{ { ADMIN, CHOWN | ADMIN, ADMIN }, { 0, CHOWN, 0 } },
		{ { CHOWN, 0, 0 }, { 0, 0, 0 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sys_caps got = caps_grantable(&rows[i].want, &now);

		unit_row("%zu", i);
		CHECK_INT(got.effective, rows[i].got.effective);
		CHECK_INT(got.permitted, rows[i].got.permitted);
		CHECK_INT(got.inheritable, rows[i].got.inheritable);
	}
}

TEST(possible)
{
	static const struct {
		int last_cap;
		struct spec_caps want,
			got; /* bounding, effective, inheritable, permitted, ambient */
	} rows[] = {
		{ 40, { 0 }, { 0 } },
		{ 40,
		  { CHOWN, CHOWN, CHOWN, CHOWN, CHOWN },
		  { CHOWN, CHOWN, CHOWN, CHOWN, CHOWN } },
		{ 40, { CHOWN, CHOWN | KILL, 0, CHOWN, 0 }, { CHOWN, CHOWN, 0, CHOWN, 0 } },
		{ 40, { 0, 0, CHOWN, KILL, CHOWN | KILL }, { 0, 0, CHOWN, KILL, 0 } },
		{ 5, { NET, NET, NET, NET, NET }, { 0 } },
		{ 5, { KILL, KILL, 0, KILL, 0 }, { KILL, KILL, 0, KILL, 0 } },
		{ 0, { NET, NET, 0, NET, 0 }, { NET, NET, 0, NET, 0 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec_caps got = caps_possible(&rows[i].want, rows[i].last_cap);

		unit_row("%zu", i);
		CHECK_INT(got.bounding, rows[i].got.bounding);
		CHECK_INT(got.effective, rows[i].got.effective);
		CHECK_INT(got.inheritable, rows[i].got.inheritable);
		CHECK_INT(got.permitted, rows[i].got.permitted);
		CHECK_INT(got.ambient, rows[i].got.ambient);
	}
}

TEST(printed)
{
	char buf[64];

	caps_print(0, buf, sizeof(buf));
	CHECK_STR(buf, "");
	caps_print(CHOWN | KILL, buf, sizeof(buf));
	CHECK_STR(buf, "CAP_CHOWN CAP_KILL");
	caps_print(UINT64_C(1) << 63, buf, sizeof(buf));
	CHECK_STR(buf, "63");
	caps_print(~UINT64_C(0), buf, sizeof(buf));
	CHECK(str_ends(buf, "..."));
	CHECK_INT(strlen(buf), sizeof(buf) - 1);
}
