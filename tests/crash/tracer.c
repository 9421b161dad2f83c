/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer - stop a process of a role at its own k-th system call stop and kill it
 *
 * usage: tracer count COMMAND [ARG...]
 *        tracer kill ROLE K COMMAND [ARG...]
 *
 * Runs COMMAND under ptrace(2) and follows what it forks. Roles by birth: `parent` is
 * COMMAND itself, `middle` the first child that the parent makes by clone, `init` the
 * first one that the middle makes; anything else is `other`. Each entry to and exit
 * from a system call is a stop; a role counts its own.
 *
 * count: prints one line "ROLE STOPS" a role, and lets everything run to its end.
 * kill: at stop K of ROLE that process gets SIGKILL; all others are let go and run on
 * untraced. Prints "killed ROLE K in SYSCALL-NUMBER" or "missed ROLE K" when the role
 * made fewer stops. Waits for COMMAND; its exit status does not matter here.
 *
 * Exit status: 0 when it did what it was asked, 3 for a miss, 1 for trouble of its own.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum role { PARENT, MIDDLE, INIT, OTHER, ROLE_COUNT };
static const char *const role_names[ROLE_COUNT] = { "parent", "middle", "init", "other" };

#define MAX_TASKS 256
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC)

struct task {
	pid_t pid;
	enum role role;
	bool known; /* its birth was reported by its maker */
	long stops;
};

static struct task tasks[MAX_TASKS];
static size_t n_tasks;
static long stops_of[ROLE_COUNT];
static bool seen_middle, seen_init;

static void die(const char *what)
{
	fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct task *task_of(pid_t pid)
{
	for (size_t i = 0; i < n_tasks; i++)
		if (tasks[i].pid == pid)
			return &tasks[i];
	if (n_tasks == MAX_TASKS) {
		errno = ENOSPC;
		die("task table");
	}
	tasks[n_tasks] = (struct task){ .pid = pid, .role = OTHER };
	return &tasks[n_tasks++];
}

static void forget(pid_t pid)
{
	for (size_t i = 0; i < n_tasks; i++) {
		if (tasks[i].pid != pid)
			continue;
		tasks[i] = tasks[--n_tasks];
		return;
	}
}

/* A clone event of @maker: who is the child? */
static void birth(struct task *maker, pid_t child)
{
	enum role maker_role = maker->role;
	struct task *t = task_of(child);

	t->known = true;
	if (maker_role == PARENT && !seen_middle) {
		t->role = MIDDLE;
		seen_middle = true;
	} else if (maker_role == MIDDLE && !seen_init) {
		t->role = INIT;
		seen_init = true;
	}
}

static void let_go(pid_t pid, int sig)
{
	if (ptrace(PTRACE_DETACH, pid, 0, sig) < 0 && errno != ESRCH)
		die("detach");
}

static void resume(pid_t pid, int sig)
{
	if (ptrace(PTRACE_SYSCALL, pid, 0, sig) < 0 && errno != ESRCH)
		die("resume");
}

static long syscall_number(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };
	static long last = -1;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_ENTRY)
		last = (long)info.entry.nr;
	return last;
}

/* One stop. Returns the signal to deliver on resumption; *ret_syscall: a system call stop. */
static int classify(pid_t pid, int status, bool *ret_syscall)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	unsigned long message;

	*ret_syscall = false;
	if (sig == (SIGTRAP | 0x80)) {
		*ret_syscall = true;
		return 0;
	}
	switch (event) {
	case 0:
		return sig;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &message) == 0)
			birth(task_of(pid), (pid_t)message);
		return 0;
	case PTRACE_EVENT_EXEC:
		/* What init executes is the container's program, and not ours to count. */
		if (task_of(pid)->role == INIT)
			task_of(pid)->role = OTHER;
		return 0;
	default: /* the stop with which each new tracee begins */
		return 0;
	}
}

/* Our direct child stops itself until we have seized it. */
static pid_t launch(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		raise(SIGSTOP);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, WUNTRACED) < 0)
		die("wait for the command");
	if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS) < 0)
		die("seize");
	*task_of(pid) = (struct task){ .pid = pid, .role = PARENT, .known = true };
	kill(pid, SIGCONT);
	return pid;
}

/* The victim's k-th stop has come: it dies here; the rest goes on without us. */
static void strike(pid_t victim)
{
	kill(victim, SIGKILL);
	for (size_t i = 0; i < n_tasks; i++) {
		if (tasks[i].pid == victim)
			continue;
		ptrace(PTRACE_INTERRUPT, tasks[i].pid, 0, 0);
	}
}

struct goal {
	bool kill;
	enum role role;
	long k;
	bool struck;
	long nr;
	pid_t main;
	bool main_gone;
};

static void on_stop(struct goal *g, pid_t pid, int status)
{
	bool is_syscall;
	int sig = classify(pid, status, &is_syscall);
	struct task *t = task_of(pid);
	long nr;

	if (g->struck) {
		let_go(pid, sig == SIGTRAP ? 0 : sig);
		forget(pid);
		return;
	}
	if (is_syscall && t->known) {
		nr = syscall_number(pid);
		t->stops++;
		stops_of[t->role]++;
		if (g->kill && t->role == g->role && t->stops == g->k) {
			g->struck = true;
			g->nr = nr;
			strike(pid);
			return;
		}
	}
	resume(pid, sig);
}

static void loop(struct goal *g)
{
	while (!g->main_gone || n_tasks > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			return;
		if (pid < 0) {
			if (errno == EINTR)
				continue;
			die("wait");
		}
		if (WIFSTOPPED(status)) {
			on_stop(g, pid, status);
			continue;
		}
		forget(pid);
		if (pid == g->main)
			g->main_gone = true;
		/* A container that waits at its gate or runs does not end: the count is done. */
		if (g->main_gone && !g->struck)
			break;
	}
}

static void let_all_go(void)
{
	for (size_t i = 0; i < n_tasks; i++)
		ptrace(PTRACE_INTERRUPT, tasks[i].pid, 0, 0);
	while (n_tasks > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			break;
		if (WIFSTOPPED(status)) {
			bool is_syscall;
			int sig = classify(pid, status, &is_syscall);

			let_go(pid, sig == SIGTRAP ? 0 : sig);
		}
		forget(pid);
	}
}

static void print_counts(void)
{
	for (int i = 0; i < OTHER; i++)
		printf("%s %ld\n", role_names[i], stops_of[i]);
}

int main(int argc, char **argv)
{
	struct goal g = { 0 };
	char **command;

	if (argc >= 3 && strcmp(argv[1], "count") == 0) {
		command = argv + 2;
	} else if (argc >= 5 && strcmp(argv[1], "kill") == 0) {
		g.kill = true;
		g.role = OTHER;
		for (int i = 0; i < OTHER; i++)
			if (strcmp(argv[2], role_names[i]) == 0)
				g.role = (enum role)i;
		g.k = strtol(argv[3], NULL, 10);
		command = argv + 4;
	} else {
		fprintf(stderr, "usage: tracer count COMMAND... | kill ROLE K COMMAND...\n");
		return 1;
	}
	g.main = launch(command);
	loop(&g);
	if (!g.kill) {
		let_all_go();
		print_counts();
		return 0;
	}
	if (!g.struck) {
		let_all_go();
		printf("missed %s %ld\n", argv[2], g.k);
		return 3;
	}
	printf("killed %s %ld in %ld\n", argv[2], g.k, g.nr);
	return 0;
}
