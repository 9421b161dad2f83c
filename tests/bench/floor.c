/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor - the least work with which this kernel can run one container
 *
 * It does by hand, with nothing read, parsed, checked or logged, what the default
 * bundle of `cleat spec` asks for: six namespaces, the rootfs and its default mounts,
 * the default devices and their device program, masked and read-only paths, a cgroup
 * that the child is born in, the capability drop, the descriptor limit, no_new_privs,
 * exec, wait, clean-up. A runtime cannot be faster than this on the same kernel; how
 * near it comes is the figure.
 *
 * It has two forms. The classic one (floor_classic.c) uses mount(2) and path strings,
 * which is what a container must never be set up with; the descriptor-relative one
 * (floor_fds.c) resolves every path below the rootfs by openat2(RESOLVE_IN_ROOT) and
 * uses the file descriptor mount API throughout: the work that cannot be left out.
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const floor_masked_dirs[] = { "proc/acpi", "proc/asound", "proc/scsi", "sys/firmware",
					  NULL };
const char *const floor_masked_files[] = { "proc/kcore",
					   "proc/keys",
					   "proc/latency_stats",
					   "proc/timer_list",
					   "proc/sched_debug",
					   "proc/timer_stats",
					   NULL };
const char *const floor_readonly[] = { "proc/bus",	     "proc/fs", "proc/irq", "proc/sys",
				       "proc/sysrq-trigger", NULL };
const struct floor_device floor_devices[] = { { "null", 1, 3 },	   { "zero", 1, 5 },
					      { "full", 1, 7 },	   { "random", 1, 8 },
					      { "urandom", 1, 9 }, { "tty", 5, 0 },
					      { NULL, 0, 0 } };
const struct floor_link floor_links[] = {
	{ "/proc/self/fd", "fd" },	 { "/proc/self/fd/0", "stdin" },
	{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
	{ "pts/ptmx", "ptmx" },		 { NULL, NULL },
};

/* One v1 hierarchy of a hybrid host: its mount point and our directory in it. */
struct hierarchy {
	int root;  /* O_PATH */
	int procs; /* cgroup.procs of our directory */
};

static struct hierarchy hierarchies[FLOOR_HIERARCHIES_MAX];
static char cgroup_name[32];

/* --- the device program ------------------------------------------------------------------ */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

/* What the default bundle allows: any mknod, the default devices, ptys. -1 stands for any. */
static const struct {
	int type, access, major, minor;
} rules[] = {
	{ BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_MKNOD, -1, -1 },
	{ BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_ACC_MKNOD, -1, -1 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 3 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 5 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 7 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 8 },
	{ BPF_DEVCG_DEV_CHAR, 7, 1, 9 },
	{ BPF_DEVCG_DEV_CHAR, 7, 5, 0 },
	{ BPF_DEVCG_DEV_CHAR, 7, 5, 2 },
	{ BPF_DEVCG_DEV_CHAR, 7, 136, -1 },
};

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof *attr);
}

static size_t device_rule(struct bpf_insn *p, size_t i)
{
	size_t n = 0;
	int skips[4], k = 0;

	skips[k++] = n;
	p[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 0, rules[i].type);
	if (rules[i].access != 7) {
		p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 3, 0, 0);
		p[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, ~rules[i].access & 7);
		skips[k++] = n;
		p[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 0, 0);
	}
	if (rules[i].major >= 0) {
		skips[k++] = n;
		p[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 0, rules[i].major);
	}
	if (rules[i].minor >= 0) {
		skips[k++] = n;
		p[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 0, rules[i].minor);
	}
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	p[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	while (k--)
		p[skips[k]].off = n - skips[k] - 1;
	return n;
}

static int device_program_load(void)
{
	struct bpf_insn p[128];
	size_t n = 0;
	union bpf_attr attr;

	p[n++] = INSN(BPF_LDX | BPF_W | BPF_MEM, 2, 1, 0, 0);
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);
	p[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	p[n++] = INSN(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16);
	p[n++] = INSN(BPF_LDX | BPF_W | BPF_MEM, 4, 1, 4, 0);
	p[n++] = INSN(BPF_LDX | BPF_W | BPF_MEM, 5, 1, 8, 0);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		n += device_rule(p + n, i);
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (unsigned long)p;
	attr.insn_cnt = n;
	attr.license = (unsigned long)"Apache-2.0";
	return bpf(BPF_PROG_LOAD, &attr);
}

/* Attach the program of @options to @cgroup: loaded now, or found by its id. */
static void device_program(const struct floor_options *options, int cgroup)
{
	union bpf_attr attr;
	int prog;

	memset(&attr, 0, sizeof attr);
	if (options->program_id) {
		attr.prog_id = options->program_id;
		prog = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	} else {
		prog = device_program_load();
	}
	CHECK(prog);
	memset(&attr, 0, sizeof attr);
	attr.target_fd = cgroup;
	attr.attach_bpf_fd = prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	CHECK(bpf(BPF_PROG_ATTACH, &attr));
	close(prog);
}

/* --- the v1 cgroups of a hybrid host -------------------------------------------------------- */

static void copy_value(int from, int to, const char *name)
{
	char value[256];
	int in, out;
	ssize_t n;

	CHECK(in = openat(from, name, O_RDONLY | O_CLOEXEC));
	CHECK(n = read(in, value, sizeof value));
	CHECK(out = openat(to, name, O_WRONLY | O_CLOEXEC));
	CHECK(write(out, value, n));
	close(in);
	close(out);
}

static void hierarchies_make(const struct floor_options *options)
{
	for (size_t i = 0; i < options->n_v1; i++) {
		struct hierarchy *h = &hierarchies[i];
		int dir;

		CHECK(h->root = open(options->v1[i], O_PATH | O_DIRECTORY | O_CLOEXEC));
		CHECK(mkdirat(h->root, cgroup_name, 0755));
		CHECK(dir = openat(h->root, cgroup_name, O_PATH | O_DIRECTORY | O_CLOEXEC));
		if (strstr(options->v1[i], "cpuset")) {
			copy_value(h->root, dir, "cpuset.cpus");
			copy_value(h->root, dir, "cpuset.mems");
		}
		CHECK(h->procs = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC));
		close(dir);
	}
}

static void hierarchies_remove(const struct floor_options *options)
{
	for (size_t i = 0; i < options->n_v1; i++)
		CHECK(unlinkat(hierarchies[i].root, cgroup_name, AT_REMOVEDIR));
}

/* --- what both forms share --------------------------------------------------------------- */

static void filter_load(const char *path)
{
	static struct sock_filter insns[BPF_MAXINSNS];
	struct sock_fprog prog = { .filter = insns };
	ssize_t n;
	int fd;

	CHECK(fd = open(path, O_RDONLY | O_CLOEXEC));
	CHECK(n = read(fd, insns, sizeof insns));
	close(fd);
	prog.len = n / sizeof *insns;
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}

static void drop_and_exec(const struct floor_options *options)
{
	struct __user_cap_header_struct hdr = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2] = { { 0x20000420, 0x20000420, 0 }, { 0, 0, 0 } };
	struct rlimit nofile = { 1024, 1024 };
	char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			      "TERM=xterm", NULL };

	CHECK(sethostname("floor", 5));
	CHECK(setrlimit(RLIMIT_NOFILE, &nofile));
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (cap != CAP_KILL && cap != CAP_NET_BIND_SERVICE && cap != CAP_AUDIT_WRITE)
			CHECK(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	CHECK(syscall(SYS_capset, &hdr, caps));
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (options->filter)
		filter_load(options->filter);
	CHECK(syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */));
	execve(options->argv[0], options->argv, env);
	CHECK(-1);
}

static void child(const struct floor_options *options)
{
	if (options->n_v1) {
		for (size_t i = 0; i < options->n_v1; i++)
			CHECK(write(hierarchies[i].procs, "0", 1));
		CHECK(unshare(CLONE_NEWCGROUP));
	}
	if (options->by_descriptor)
		floor_mounts_fds(options);
	else
		floor_mounts_classic(options);
	drop_and_exec(options);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: floor [OPTION...] ROOTFS CGROUP-PARENT COMMAND [ARG...]\n"
		"  -d        the descriptor-relative form (default: the classic one)\n"
		"  -1 DIRS   also a cgroup in each of these v1 hierarchies (colons between)\n"
		"  -b ID     attach the device program with this id instead of loading one\n"
		"  -n        no device program\n"
		"  -s FILE   load this seccomp filter (struct sock_filter, raw)\n");
	return 2;
}

static int options_read(int argc, char **argv, struct floor_options *ret)
{
	int c;

	while ((c = getopt(argc, argv, "+d1:b:ns:")) != -1) {
		if (c == 'd')
			ret->by_descriptor = 1;
		else if (c == 'n')
			ret->no_program = 1;
		else if (c == 'b')
			ret->program_id = strtoul(optarg, NULL, 10);
		else if (c == 's')
			ret->filter = optarg;
		else if (c == '1')
			for (char *d = strtok(optarg, ":"); d && ret->n_v1 < FLOOR_HIERARCHIES_MAX;
			     d = strtok(NULL, ":"))
				ret->v1[ret->n_v1++] = d;
		else
			return -1;
	}
	if (argc - optind < 3)
		return -1;
	ret->rootfs = argv[optind];
	ret->cgroup_parent = argv[optind + 1];
	ret->argv = argv + optind + 2;
	return 0;
}

int main(int argc, char **argv)
{
	struct floor_options options = { 0 };
	int parent, cgroup, status;
	long pid;

	if (options_read(argc, argv, &options))
		return usage();
	snprintf(cgroup_name, sizeof cgroup_name, "floor-%d", getpid());
	CHECK(parent = open(options.cgroup_parent, O_PATH | O_DIRECTORY | O_CLOEXEC));
	CHECK(mkdirat(parent, cgroup_name, 0755));
	CHECK(cgroup = openat(parent, cgroup_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	hierarchies_make(&options);
	if (!options.no_program)
		device_program(&options, cgroup);

	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET |
			 CLONE_INTO_CGROUP | (options.n_v1 ? 0 : CLONE_NEWCGROUP),
		.exit_signal = SIGCHLD,
		.cgroup = cgroup,
	};
	CHECK(pid = syscall(SYS_clone3, &args, sizeof args));
	if (!pid)
		child(&options);
	CHECK(waitpid(pid, &status, 0));
	hierarchies_remove(&options);
	CHECK(unlinkat(parent, cgroup_name, AT_REMOVEDIR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
