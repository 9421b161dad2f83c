/* SPDX-License-Identifier: Apache-2.0 */
/* One program for equal rules: found again, and never another one, whatever the note says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/devices.h"
#include "sys/bpf.h"
#include "sys/sys.h"
#include "unit/cgroup/config.h"
#include "unit/cgroup/live.h"
#include "unit/unit.h"

#define NOTE ".device-programs"

/* A place for notes, which goes with the test. */
static int open_directory(void)
{
	int fd = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

struct rules {
	const struct bpf_insn *insns;
	size_t n;
};

static struct rules make_rules(struct arena *a, const char *json)
{
	struct device_rules d;
	struct err e = { 0 };
	struct rules r;

	REQUIRE_OK(device_rules_make(a, config_resources(a, json), &d, &e), &e);
	REQUIRE_OK(device_prog_make(a, &d, &r.insns, &r.n, &e), &e);
	return r;
}

#define TUN  "{'devices':[{'allow':false},{'allow':true,'type':'c','major':10,'minor':200}]}"
#define DISK "{'devices':[{'allow':false},{'allow':true,'type':'b','major':8,'minor':0}]}"

static uint32_t get(struct arena *a, int hints, struct rules r, int *ret_fd)
{
	uint32_t id = 0;

	*ret_fd = device_share_get(a, hints, r.insns, r.n, &id);
	if (*ret_fd == -EPERM || *ret_fd == -ENOSYS)
		unit_skip("this kernel lets us load no programs: %s", errno_text(-*ret_fd));
	CHECK(*ret_fd >= 0);
	CHECK(id != 0);
	return id;
}

TEST(programs_are_found_again)
{
	auto_arena a = arena_make();
	struct rules tun, disk;
	int dir, fd[4];
	uint32_t first;

	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	dir = open_directory();
	tun = make_rules(&a, TUN);
	disk = make_rules(&a, DISK);
	first = get(&a, dir, tun, &fd[0]);
	CHECK_INT(get(&a, dir, tun, &fd[1]), first);
	CHECK(get(&a, dir, disk, &fd[2]) != first);
	/* without a place for notes each has its own */
	CHECK(get(&a, -1, tun, &fd[3]) != first);
	for (size_t i = 0; i < COUNT(fd); i++)
		close(fd[i]);
	close(dir);
}

/* The table as it is, with @id for every program that it names. */
static void forge(int dir, uint32_t id)
{
	uint32_t words[64 * 4];
	int fd = openat(dir, NOTE, O_RDWR | O_CLOEXEC);
	ssize_t n = read(fd, words, sizeof(words));

	CHECK(n > 0);
	for (size_t i = 0; i < (size_t)n / 16; i++)
		if (words[4 * i + 3])
			words[4 * i + 2] = id;
	CHECK_INT(pwrite(fd, words, (size_t)n, 0), n);
	close(fd);
}

/* A note that names a program with other rules, of another kind, or none. */
TEST(a_wrong_note_gives_no_other_rules)
{
	static const struct bpf_insn yes[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	auto_arena a = arena_make();
	struct rules tun, disk;
	uint32_t first, other;
	int dir, fd, kept, allow;

	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	dir = open_directory();
	tun = make_rules(&a, TUN);
	disk = make_rules(&a, DISK);
	other = get(&a, -1, disk, &kept);
	allow = sys_bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "cleat_test", yes, COUNT(yes));
	CHECK(allow >= 0);
	first = get(&a, dir, tun, &fd);
	for (int turn = 0; turn < 4; turn++) {
		struct bpf_prog_info info = { 0 };
		uint32_t id, wrong[] = { other, UINT32_MAX, 0, 0 };
		int again;

		CHECK_INT(sys_bpf_prog_info(allow, &info), 0);
		wrong[2] = info.id;
		unit_row("turn %d", turn);
		forge(dir, wrong[turn]);
		id = get(&a, dir, tun, &again);
		CHECK(id != wrong[turn] && id != first);
		first = id;
		close(again);
	}
	close(fd);
	/* the last one has gone with its descriptor, and the note is of the past */
	CHECK(get(&a, dir, tun, &fd) != first);
	close(fd);
	close(kept);
	close(allow);
	close(dir);
}

TEST(a_note_that_is_a_link_is_not_followed)
{
	auto_arena a = arena_make();
	struct rules tun;
	int dir, fd;

	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	dir = open_directory();
	tun = make_rules(&a, TUN);
	CHECK_INT(symlinkat("/tmp/cleat-unit-elsewhere", dir, NOTE), 0);
	get(&a, dir, tun, &fd);
	close(fd);
	CHECK(access("/tmp/cleat-unit-elsewhere", F_OK) < 0);
	close(dir);
}

/* --- attached ------------------------------------------------------------------------------------- */

/* The ids, and how many; more than one in the order in which they came. */
static size_t query(const struct live *l, uint32_t ids[4])
{
	size_t n = 4;

	CHECK_INT(sys_bpf_prog_query(cgroup_v2_fd(l->cg), BPF_CGROUP_DEVICE, ids, &n), 0);
	return n;
}

static uint32_t attached(const struct live *l)
{
	uint32_t ids[4] = { 0 };

	CHECK_INT(query(l, ids), 1);
	return ids[0];
}

static void make_with(struct live *l, const char *path, const char *json)
{
	struct err e = { 0 };

	REQUIRE_OK(live_create(l, path, json, &e), &e);
}

LIVE(containers_share_a_program)
{
	struct live one = { 0 }, two = { 0 }, three = { 0 };
	uint32_t id;

	if (view == VIEW_V1)
		unit_skip("v1 has lists instead");
	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	live_hints = open_directory();
	make_with(&one, "/one", TUN);
	make_with(&two, "/two", TUN);
	make_with(&three, "/three", DISK);
	id = attached(&one);
	CHECK_INT(attached(&two), id);
	CHECK(attached(&three) != id);
	live_destroy(&one);
	CHECK_INT(attached(&two), id);
	cgroup_close(two.cg);
	/* a directory that is there already, with the same program on it, and then with another */
	make_with(&two, "/two", TUN);
	CHECK_INT(attached(&two), id);
	cgroup_close(two.cg);
	make_with(&two, "/two", DISK);
	CHECK_INT(attached(&two), attached(&three));
	live_destroy(&two);
	live_destroy(&three);
	close(live_hints);
}

LIVE(programs_of_others_stay)
{
	static const struct bpf_insn yes[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char *const again[] = { DISK, "{'devices':[{'allow':true}]}", TUN };
	struct bpf_prog_info info = { 0 };
	struct live l = { 0 };
	uint32_t ids[4];
	int other;

	if (view == VIEW_V1)
		unit_skip("v1 has lists instead");
	if (geteuid() != 0)
		unit_skip("loading programs needs root");
	make_with(&l, "/one", TUN);
	other = sys_bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, "sd_devices", yes, COUNT(yes));
	REQUIRE(other >= 0);
	CHECK_INT(sys_bpf_prog_info(other, &info), 0);
	REQUIRE(sys_bpf_prog_attach(cgroup_v2_fd(l.cg), other, BPF_CGROUP_DEVICE, -1) == 0);
	for (size_t i = 0; i < COUNT(again); i++) {
		unit_row("%s", again[i]);
		cgroup_close(l.cg);
		make_with(&l, "/one", again[i]);
		CHECK_INT(query(&l, ids), l.plan.device_len ? 2 : 1);
		CHECK_INT(ids[0], info.id);
	}
	live_destroy(&l);
	close(other);
}
