/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices between two namespaces of the test's own: one is "here", the other belongs to a
 * process that stands for a container's init. ip(8) makes devices and tells what is there.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/helper.h"
#include "net/net.h"
#include "unit/unit.h"

struct world {
	struct arena arena;
	struct dir proc;
	pid_t there;
};

static bool shell(const char *command, char *output, size_t size)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	const char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	const struct helper h = { .what = "sh",
				  .path = "/bin/sh",
				  .argv = argv,
				  .envp = envp,
				  .cwd_fd = -1,
				  .stdout_fd = -1,
				  .stderr_fd = -1,
				  .output = output,
				  .output_size = size };

	return helper_run(&h, NULL) == 0;
}

static bool run(const char *command)
{
	return shell(command, NULL, 0);
}

static pid_t make_namespace(void)
{
	int fds[2];
	char c;
	pid_t pid;

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	REQUIRE(read(fds[0], &c, 1) == 1);
	close(fds[0]);
	return pid;
}

static void world_make(struct world *w)
{
	struct err e = { 0 };

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		unit_skip("needs root and a network namespace");
	if (!run("ip link add probe type veth peer name probe1 2>/dev/null && ip link del probe"))
		unit_skip("needs ip and devices of type veth");
	w->arena = arena_make();
	REQUIRE_OK(dir_open("/proc", &w->proc, &e), &e);
	w->there = make_namespace();
}

static void world_end(struct world *w)
{
	kill(w->there, SIGKILL);
	waitpid(w->there, NULL, 0);
	dir_close(&w->proc);
	arena_drop(&w->arena);
}

static const char *output_of(struct world *w, const char *command)
{
	char *text = arena_alloc(&w->arena, 8192);

	CHECK(shell(command, text, 8192));
	return text;
}

static bool there(const struct world *w, const char *command)
{
	char text[512];

	snprintf(text, sizeof(text), "nsenter -t %d -n %s", (int)w->there, command);
	return run(text);
}

/* Everything about a device but what another link to it changes. */
#define SHOW "ip -d addr show dev %s | sed 's/^[0-9]*: //; s/ valid_lft.*//; s/ tentative//'"

static const char *show(struct world *w, const char *dev)
{
	return output_of(w, arena_printf(&w->arena, SHOW, dev));
}

static const char *show_there(struct world *w, const char *dev)
{
	return output_of(w, arena_printf(&w->arena, "nsenter -t %d -n " SHOW, (int)w->there, dev));
}

static int move(struct world *w, const struct net_device *devices, size_t n, struct net_moves *m,
		struct err *e)
{
	const struct net_plan p = { .devices = devices, .n_devices = n };

	return net_devices_move(&w->arena, &p, &w->proc, w->there, m, e);
}

TEST(loopback)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		unit_skip("needs root and a network namespace");
	if (!run("command -v ip >/dev/null"))
		unit_skip("needs ip");
	CHECK(run("test -z \"$(ip -o link show dev lo up)\""));
	CHECK_OK(net_loopback_up(NULL), NULL);
	CHECK(run("ip -o link show dev lo up | grep -q LOWER_UP"));
	CHECK(run("ip -o addr show dev lo | grep -q 127.0.0.1/8"));
}

/* Every permanent global address with its words, and nothing else. */
TEST(device_keeps_addresses)
{
	const struct net_device device = { "a0", "lan0" };
	struct net_moves m = NET_MOVES_NONE;
	struct err e = { 0 };
	const char *before, *now;
	struct world w;

	world_make(&w);
	REQUIRE(run(
		"ip link add a0 mtu 1400 address 02:00:00:00:00:07 type veth peer name b0 && "
		"ip link set a0 alias 'a name' && "
		"ip addr add 10.9.0.2/24 dev a0 && ip addr add 10.9.0.3/24 dev a0 label a0:1 && "
		"ip addr add 10.8.0.1 peer 10.8.0.2 dev a0 metric 7 && "
		"ip addr add 10.7.0.1/24 broadcast 10.7.0.255 dev a0 label other noprefixroute && "
		"ip addr add 192.168.77.1/24 scope link dev a0 && "
		"ip addr add 10.6.0.1/24 valid_lft 1000 preferred_lft 500 dev a0 && "
		"ip addr add fd00::1/64 dev a0 nodad && ip addr add fd00::2/64 dev a0 nodad && "
		"ip addr add fd00::3/64 dev a0 nodad"));
	before = show(&w, "a0");
	CHECK_HAS(before, "inet 10.6.0.1/24");
	REQUIRE_OK(move(&w, &device, 1, &m, &e), &e);
	REQUIRE(m.n == 1);
	CHECK(!run("ip link show dev a0 2>/dev/null"));
	now = show_there(&w, "lan0");
	for (const char *const *part =
		     (const char *const[]){
			     "mtu 1400", "link/ether 02:00:00:00:00:07", "UP",
			     "inet 10.9.0.2/24 scope global lan0",
			     "inet 10.9.0.3/24 scope global secondary lan0:1",
			     "inet 10.8.0.1 peer 10.8.0.2/32 metric 7 scope global lan0",
			     /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): it is one */
			     "inet 10.7.0.1/24 brd 10.7.0.255 scope global "
			     "noprefixroute other",
			     "inet6 fd00::1/64", "alias a name", NULL };
	     *part; part++)
		CHECK_HAS(now, *part);
	CHECK(strstr(now, "10.6.0.1") == NULL);
	CHECK(strstr(now, "192.168.77.1") == NULL);
	REQUIRE(strstr(now, "fd00::3") && strstr(now, "fd00::2") && strstr(now, "fd00::1"));
	CHECK((strstr(before, "fd00::1") < strstr(before, "fd00::3")) ==
	      (strstr(now, "fd00::1") < strstr(now, "fd00::3")));
	net_moves_close(&m);
	world_end(&w);
}

TEST(device_by_template)
{
	const struct net_device devices[] = { { "a0", "eth%d" },
					      { "a1", "eth%d" },
					      { "a2", "lan0" } };
	struct net_moves m = NET_MOVES_NONE;
	struct err e = { 0 };
	struct world w;

	world_make(&w);
	/* numbers that are taken on the other side, and a name that nobody asked for */
	REQUIRE(there(&w, "ip link add eth0 type veth peer name a2"));
	REQUIRE(there(&w, "ip link add x type veth peer name eth2"));
	REQUIRE(run(
		"ip link add a0 type veth peer name b0 && ip link add a1 type veth peer name b1 && "
		"ip link add a2 type veth peer name b2"));
	REQUIRE_OK(move(&w, devices, 3, &m, &e), &e);
	CHECK(there(&w, "ip -o link show dev eth1 up | grep -q eth1"));
	CHECK(there(&w, "ip -o link show dev eth3 up | grep -q eth3"));
	CHECK(there(&w, "ip -o link show dev lan0 up | grep -q lan0"));
	net_devices_return(&m);
	CHECK(run("ip link show dev a0 >/dev/null && ip link show dev a1 >/dev/null && "
		  "ip link show dev a2 >/dev/null"));
	net_moves_close(&m);
	world_end(&w);
}

TEST(device_given_back)
{
	const struct net_device devices[] = { { "a0", "lan0" }, { "a1", "lan1" } };
	struct net_moves m = NET_MOVES_NONE;
	struct err e = { 0 };
	const char *before[2];
	struct world w;

	world_make(&w);
	REQUIRE(run(
		"ip link add a0 type veth peer name b0 && ip link add a1 type veth peer name b1 && "
		"ip link set b0 up && ip link set a0 up && "
		"ip addr add 10.9.0.2/24 dev a0 && ip addr add fd00::1/64 dev a0 nodad && "
		"ip addr add 10.9.1.2/24 dev a1"));
	before[0] = show(&w, "a0");
	before[1] = show(&w, "a1");
	REQUIRE_OK(move(&w, devices, 2, &m, &e), &e);
	CHECK(!run("ip link show dev a0 2>/dev/null"));
	net_devices_return(&m);
	CHECK_INT(m.n, 0);
	CHECK_STR(show(&w, "a0"), before[0]);
	CHECK_STR(show(&w, "a1"), before[1]);
	net_devices_return(&m);
	net_moves_close(&m);
	world_end(&w);
}

/* What fails in the middle leaves the first device where and as it was. */
TEST(device_refused)
{
	static const struct {
		struct net_device device;
		const char *want;
	} rows[] = {
		{ { "nothing", "x" }, "linux.netDevices: there is no network device 'nothing'" },
		{ { "a1", "taken" },
		  "linux.netDevices.a1: the container's network namespace has a device 'taken' "
		  "already" },
		{ { "lo", "lo1" }, "move network device 'lo': invalid argument (" },
	};
	struct world w;

	world_make(&w);
	REQUIRE(there(&w, "ip link add taken type veth peer name b"));
	REQUIRE(run(
		"ip link add a0 type veth peer name b0 && ip link add a1 type veth peer name b1 && "
		"ip link set b0 up && ip link set a0 up && ip addr add 10.9.0.2/24 dev a0"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct net_device devices[] = { { "a0", "lan0" }, rows[i].device };
		struct net_moves m = NET_MOVES_NONE;
		struct err e = { 0 };

		unit_row("%s", rows[i].want);
		CHECK(move(&w, devices, 2, &m, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK(m.here == -1 && m.there == -1 && m.n == 0);
		CHECK(run("ip -o link show dev a0 up | grep -q a0"));
		CHECK(run("ip -o addr show dev a0 | grep -q 10.9.0.2/24"));
		CHECK(!there(&w, "ip link show dev lan0 2>/dev/null"));
	}
	world_end(&w);
}

TEST(device_into_own_namespace)
{
	const struct net_device device = { "lo", "lo" };
	struct net_moves m = NET_MOVES_NONE;
	struct err e = { 0 };
	struct world w;
	pid_t there_pid;

	world_make(&w);
	there_pid = w.there;
	w.there = getpid();
	CHECK(move(&w, &device, 1, &m, &e) == -EINVAL);
	CHECK_HAS(e.text, "is the one that the devices are in");
	w.there = there_pid;
	world_end(&w);
}
