/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - what the probe can be told to do, apart from reporting
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* --- files ------------------------------------------------------------------------------- */

static int open_errno(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void file_entry(const char *path)
{
	struct stat st;
	int missing = lstat(path, &st) ? errno : 0;

	json_open(path, '{');
	json_errno("error", missing);
	if (!missing) {
		json_string("type", file_type(st.st_mode));
		json_int("mode", st.st_mode & 07777);
		json_uint("uid", st.st_uid);
		json_uint("gid", st.st_gid);
		json_int("size", st.st_size);
		json_uint("dev", st.st_dev);
		json_uint("ino", st.st_ino);
		json_uint("major", major(st.st_rdev));
		json_uint("minor", minor(st.st_rdev));
		if (S_ISLNK(st.st_mode))
			json_link("target", path);
		json_errno("read", open_errno(path, O_RDONLY));
		json_errno("write", S_ISDIR(st.st_mode) ? (access(path, W_OK) ? errno : 0)
							: open_errno(path, O_WRONLY));
	}
	json_close('}');
}

int probe_file(int argc, char **argv)
{
	json_open(NULL, '{');
	for (int i = 1; i < argc; i++)
		file_entry(argv[i]);
	json_close('}');
	json_end();
	return 0;
}

int probe_read(int argc, char **argv)
{
	json_open(NULL, '{');
	for (int i = 1; i < argc; i++)
		json_file(argv[i], argv[i]);
	json_close('}');
	json_end();
	return 0;
}

static void result(int code)
{
	json_open(NULL, '{');
	json_errno("error", code);
	json_close('}');
	json_end();
}

int probe_write(int argc, char **argv)
{
	int fd, code = 0;

	if (argc != 3)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, argv[2], strlen(argv[2])) < 0)
		code = errno;
	if (fd >= 0 && close(fd) && !code)
		code = errno;
	result(code);
	return 0;
}

/* What a hook is given, and who it is. */
int probe_save(int argc, char **argv)
{
	static char buf[65536];
	ssize_t n, have = 0;
	FILE *out = argc > 1 ? fopen(argv[1], "we") : NULL;

	if (!out)
		return 1;
	while ((n = read(STDIN_FILENO, buf + have, sizeof(buf) - 1 - (size_t)have)) > 0)
		have += n;
	buf[have] = 0;
	fprintf(out, "%s\n", buf);
	for (int i = 2; i < argc; i++)
		fprintf(out, "%s\n", argv[i]);
	return fclose(out) ? 1 : 0;
}

/* Its environment, a line a variable: for a hook, whose standard output is nobody's. */
int probe_environment(int argc, char **argv)
{
	FILE *out = argc > 1 ? fopen(argv[1], "we") : NULL;

	if (!out)
		return 1;
	for (char **e = environ; *e; e++)
		fprintf(out, "%s\n", *e);
	return fclose(out) ? 1 : 0;
}

int probe_list(int argc, char **argv)
{
	DIR *d = opendir(argc > 1 ? argv[1] : "/");
	struct dirent *e;

	json_open(NULL, '[');
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			json_string(NULL, e->d_name);
	json_close(']');
	json_end();
	if (d)
		closedir(d);
	return d ? 0 : 1;
}

int probe_open_dev(int argc, char **argv)
{
	json_open(NULL, '{');
	for (int i = 1; i < argc; i++)
		json_errno(argv[i], open_errno(argv[i], O_RDWR));
	json_close('}');
	json_end();
	return 0;
}

/* --- the kernel ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	long number;
} syscalls[] = {
	{ "add_key", SYS_add_key },
	{ "bpf", SYS_bpf },
	{ "chroot", SYS_chroot },
	{ "clock_settime", SYS_clock_settime },
	{ "getpid", SYS_getpid },
	{ "getcwd", SYS_getcwd },
	{ "init_module", SYS_init_module },
	{ "keyctl", SYS_keyctl },
	{ "kexec_load", SYS_kexec_load },
	{ "mkdirat", SYS_mkdirat },
	{ "mknodat", SYS_mknodat },
	{ "mount", SYS_mount },
	{ "open_by_handle_at", SYS_open_by_handle_at },
	{ "personality", SYS_personality },
	{ "pivot_root", SYS_pivot_root },
	{ "ptrace", SYS_ptrace },
	{ "reboot", SYS_reboot },
	{ "sethostname", SYS_sethostname },
	{ "setns", SYS_setns },
	{ "socket", SYS_socket },
	{ "swapon", SYS_swapon },
	{ "umount2", SYS_umount2 },
	{ "unlinkat", SYS_unlinkat },
	{ "unshare", SYS_unshare },
};

int probe_syscall(int argc, char **argv)
{
	long number = -1, args[6] = { 0 }, r;
	char *end;

	if (argc < 2 || argc > 8)
		return 2;
	for (size_t i = 0; i < sizeof syscalls / sizeof *syscalls; i++)
		if (!strcmp(argv[1], syscalls[i].name))
			number = syscalls[i].number;
	if (number < 0) {
		number = strtol(argv[1], &end, 0);
		if (*end)
			return 2;
	}
	for (int i = 2; i < argc; i++) {
		args[i - 2] = strtol(argv[i], &end, 0);
		if (*end || !*argv[i])
			args[i - 2] = (long)argv[i];
	}
	r = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	json_open(NULL, '{');
	json_int("result", r);
	json_errno("error", r < 0 ? errno : 0);
	json_close('}');
	json_end();
	return 0;
}

static long number(int argc, char **argv)
{
	return argc > 1 ? strtol(argv[1], NULL, 10) : 0;
}

int probe_alloc(int argc, char **argv)
{
	size_t size = (size_t)number(argc, argv) << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int code = p == MAP_FAILED ? errno : 0;

	for (size_t i = 0; !code && i < size; i += 4096)
		((volatile char *)p)[i] = 1;
	result(code);
	return 0;
}

int probe_fork(int argc, char **argv)
{
	long wanted = number(argc, argv), made = 0;
	pid_t children[4096];
	int code = 0;

	for (; made < wanted && made < 4096; made++) {
		pid_t pid = fork();

		if (!pid)
			for (;;)
				pause();
		if (pid < 0) {
			code = errno;
			break;
		}
		children[made] = pid;
	}
	for (long i = 0; i < made; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	json_open(NULL, '{');
	json_int("made", made);
	json_errno("error", code);
	json_close('}');
	json_end();
	return 0;
}

/* --- life and death -------------------------------------------------------------------------- */

int probe_exit(int argc, char **argv)
{
	_exit((int)number(argc, argv));
}

int probe_kill(int argc, char **argv)
{
	int sig = (int)number(argc, argv);
	pid_t pid;

	/* Process 1 of a pid namespace survives its own signals; a child does not. */
	kill(getpid(), sig);
	pid = fork();
	if (!pid) {
		kill(getpid(), sig);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return 128 + sig;
}

static void leave(int sig)
{
	_exit(128 + sig);
}

static void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

static _Noreturn void sleep_for_ever(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction now, handler = { .sa_handler = leave };

		/* what somebody chose to ignore stays ignored; children may come and go */
		if (sig == SIGCHLD || sig == SIGWINCH || sigaction(sig, NULL, &now) ||
		    now.sa_handler != SIG_DFL)
			continue;
		sigaction(sig, &handler, NULL);
	}
	say("ready");
	for (;;)
		pause();
}

int probe_sleep(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	sleep_for_ever();
}

int probe_children(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (long i = number(argc, argv); i > 0; i--) {
		if (fork())
			continue;
		setsid();
		sigaction(SIGTERM, &ignore, NULL);
		sigaction(SIGHUP, &ignore, NULL);
		for (;;)
			pause();
	}
	sleep_for_ever();
}

static void *outlive(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	kill(getppid(), SIGUSR1);
	for (;;)
		pause();
	return NULL;
}

int probe_leaderless(int argc, char **argv)
{
	static pthread_t leader;
	sigset_t told;
	pthread_t t;
	int sig;

	(void)argc;
	(void)argv;
	sigemptyset(&told);
	sigaddset(&told, SIGUSR1);
	sigprocmask(SIG_BLOCK, &told, NULL);
	if (!fork()) {
		leader = pthread_self();
		pthread_create(&t, NULL, outlive, &leader);
		pthread_exit(NULL);
	}
	sigwait(&told, &sig);
	sleep_for_ever();
}

int probe_ignore_term(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)argc;
	(void)argv;
	sigaction(SIGTERM, &ignore, NULL);
	sleep_for_ever();
}

int probe_echo(int argc, char **argv)
{
	char buf[4096];
	ssize_t n;

	(void)argc;
	(void)argv;
	while ((n = read(STDIN_FILENO, buf, sizeof buf)) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			return 1;
	return 0;
}

int probe_say(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%s%s", i > 1 ? " " : "", argv[i]);
	say("");
	return 0;
}

int probe_notify(int argc, char **argv)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path ? path : "");
	for (int i = 1; i < argc; i++)
		if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&a, sizeof a) < 0)
			return errno;
	return 0;
}

static void print_size(int sig)
{
	struct winsize w = { 0 };

	(void)sig;
	ioctl(STDIN_FILENO, TIOCGWINSZ, &w);
	dprintf(STDOUT_FILENO, "size %d %d\n", w.ws_row, w.ws_col);
}

int probe_winsize(int argc, char **argv)
{
	struct sigaction change = { .sa_handler = print_size };

	(void)argc;
	(void)argv;
	sigaction(SIGWINCH, &change, NULL);
	print_size(0);
	sleep_for_ever();
}
