/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - broken root file systems, and what is said of each
 *
 * Every row is executed for once, so that it is the kernel's own errno that is explained.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

/* --- files ------------------------------------------------------------------------------------ */

struct binary {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment[2];
	char loader[64];
};

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static void write_file(const char *path, mode_t mode, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, data, n) == (ssize_t)n);
	REQUIRE(fchmod(fd, mode) == 0);
	close(fd);
}

/* A program for this machine that would be executed, if its loader were there. */
static struct binary make_binary(const char *loader)
{
	struct binary b = {
		.header = __ehdr_start,
		.segment = {
			{ .p_type = PT_INTERP,
			  .p_offset = offsetof(struct binary, loader),
			  .p_filesz = strlen(loader) + 1 },
			{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_align = 4096,
			  .p_filesz = sizeof(b), .p_memsz = sizeof(b) },
		},
	};

	b.header.e_type = ET_DYN;
	b.header.e_phoff = offsetof(struct binary, segment);
	b.header.e_phnum = 2;
	b.header.e_shnum = b.header.e_shoff = b.header.e_shstrndx = 0;
	snprintf(b.loader, sizeof(b.loader), "%s", loader);
	return b;
}

static void binary(const char *path, const char *loader)
{
	struct binary b = make_binary(loader);

	write_file(path, 0755, &b, sizeof(b));
}

static void binary_of(const char *path, unsigned type, unsigned machine)
{
	struct binary b = make_binary("/lib/ld-other.so");

	b.header.e_type = (uint16_t)type;
	b.header.e_machine = (uint16_t)machine;
	write_file(path, 0755, &b, sizeof(b));
}

static void script(const char *path, const char *text)
{
	place_file(path, 0755, text);
}

static void make_links(void)
{
	static const char *const links[][2] = {
		{ "/nowhere/app", "/bin/dangling" },
		{ "busybox", "/bin/sh" },
		{ "../bin/sh", "/bin/ash" },
		{ "/etc/alternatives/editor", "/bin/editor" },
		{ "/bin/vim.real", "/etc/alternatives/editor" },
		{ "usr/lib64", "/lib64" },
		{ "loop", "/bin/loop" },
		{ "/data/file", "/bin/through-file" },
	};

	for (size_t i = 0; i < COUNT(links); i++)
		REQUIRE(symlink(links[i][0], links[i][1]) == 0);
}

static void make_scripts(void)
{
	char lengthy[400] = "#!/";

	memset(lengthy + 3, 'a', sizeof(lengthy) - 4);
	script("/bin/no-interpreter", "#!/bin/bash -e\n");
	script("/bin/dangling-interpreter", "#!/bin/sh\n");
	script("/bin/twice-dangling", "#! /bin/ash\n");
	script("/bin/plain-interpreter", "#!/data/file -x\n");
	script("/bin/folder-interpreter", "#!/data\n");
	script("/bin/windows", "#!/bin/bash\r\necho\r\n");
	script("/bin/by-script", "#!/bin/no-interpreter\n");
	script("/bin/by-musl", "#!/bin/musl\n");
	script("/bin/relative", "#!bash\n");
	script("/bin/empty-interpreter", "#!  \necho\n");
	script("/bin/lengthy", lengthy);
	script("/bin/recursive", "#!/bin/recursive\n");
	script("/bin/text", "echo hello\n");
	script("/bin/marked", "\xef\xbb\xbf#!/bin/sh\n");
	script("/bin/empty", "");
	script("/bin/exe", "MZ\x90");
	script("/bin/truncated", "\x7f"
				 "ELF\x02\x01\x01");
}

/* A machine whose programs no kernel of ours runs beside its own, as arm64 runs those of arm. */
static unsigned foreign_machine(void)
{
	const unsigned own = __ehdr_start.e_machine;

	return own == EM_AARCH64 || own == EM_ARM ? EM_RISCV : EM_AARCH64;
}

static void make_binaries(void)
{
	binary("/bin/glibc", "/lib64/ld-linux-x86-64.so.2");
	binary("/bin/musl", "/lib/ld-musl-x86_64.so.1");
	binary("/bin/strange", "/opt/loader");
	binary("/bin/plain-loader", "/data/file");
	binary("/bin/folder-loader", "/data");
	binary("/bin/script-loader", "/data/loader-script");
	script("/data/loader-script", "#!/bin/sh and more than a header's worth of text, so that "
				      "it can be read as one\n");
	binary_of("/bin/foreign", ET_DYN, foreign_machine());
	binary("/bin/foreign-loader", "/bin/foreign");
	binary_of("/bin/object", ET_REL, __ehdr_start.e_machine);
}

static void make_tree(void)
{
	static const char *const dirs[] = { "/bin",  "/lib",	 "/etc", "/etc/alternatives",
					    "/data", "/private", "/usr" };

	place_enter_root();
	for (size_t i = 0; i < COUNT(dirs); i++)
		place_dir(dirs[i], str_eq(dirs[i], "/private") ? 0700 : 0755);
	place_file("/data/file", 0644, "x");
	place_file("/data/owners", 0744, "x");
	place_file("/private/app", 0755, "x");
	REQUIRE(mkfifo("/bin/fifo", 0755) == 0);
	make_links();
	make_scripts();
	make_binaries();
}

/* --- what execve says ------------------------------------------------------------------------- */

/* The errno; ends the test should the program run. */
static int try_to_run(const char *path)
{
	char *const argv[] = { (char *)path, NULL };
	char *const envp[] = { NULL };
	int fds[2], code = 0;
	pid_t pid;

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		execve(path, argv, envp);
		code = errno;
		if (write(fds[1], &code, sizeof(code)) != sizeof(code))
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	REQUIRE(read(fds[0], &code, sizeof(code)) == sizeof(code));
	close(fds[0]);
	waitpid(pid, NULL, 0);
	return code;
}

struct row {
	const char *path, *want, *id;
};

/* As an error tells it. */
static bool explain(struct arena *a, const char *path, int code, struct err *e)
{
	const char *id, *why = proc_explain_exec(a, path, code, &id);

	if (!why)
		return false;
	err_code(e, code, path, "exec: \"%s\": %s: %s", path, why, errno_text(code));
	err_set_id(e, id);
	return true;
}

static void check_row(const struct row *row)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	int code = try_to_run(row->path);

	unit_row("%s: %s", row->path, errno_name(code));
	CHECK(explain(&a, row->path, code, &e));
	CHECK_STR(e.text, row->want);
	CHECK_STR(e.id, row->id);
	CHECK_INT(e.code, code);
}

#define MISSING "no such file or directory"
#define DENIED	"permission denied"
#define FORMAT	"exec format error"

static const struct row path_rows[] = {
	{ "/bin/dangling",
	  "exec: \"/bin/dangling\": the file is a link to '/nowhere/app', and '/nowhere' does not "
	  "exist: " MISSING,
	  "exec-not-found" },
	{ "/bin/editor",
	  "exec: \"/bin/editor\": the file leads through the link '/etc/alternatives/editor' to "
	  "'/bin/vim.real', and '/bin/vim.real' does not exist: " MISSING,
	  "exec-not-found" },
	{ "/lib64/prog",
	  "exec: \"/lib64/prog\": the file leads through the link '/lib64' to 'usr/lib64', and "
	  "'/usr/lib64' does not exist: " MISSING,
	  "exec-not-found" },
	{ "/srv/../bin/app",
	  "exec: \"/srv/../bin/app\": the file lies in '/srv', which does not exist: " MISSING,
	  "exec-not-found" },
	{ "/data/file/app",
	  "exec: \"/data/file/app\": the file lies in '/data/file', which is not a directory: not "
	  "a directory",
	  "exec-not-found" },
	{ "/bin/loop",
	  "exec: \"/bin/loop\": the file leads through more than 40 links, '/bin/loop' among "
	  "them: too many levels of symbolic links",
	  "exec-not-found" },
	{ "/bin/fifo", "exec: \"/bin/fifo\": the file is a fifo: " DENIED, "exec-denied" },
	{ "/data", "exec: \"/data\": the file is a directory: " DENIED, "exec-denied" },
	{ "/data/file", "exec: \"/data/file\": the file has no x bit (mode 0644): " DENIED,
	  "exec-denied" },
	{ "/bin/through-file",
	  "exec: \"/bin/through-file\": the file has no x bit (mode 0644): " DENIED,
	  "exec-denied" },
};

static const struct row script_rows[] = {
	{ "/bin/no-interpreter",
	  "exec: \"/bin/no-interpreter\": its interpreter '/bin/bash' does not exist in the "
	  "container: " MISSING,
	  "exec-not-found" },
	{ "/bin/dangling-interpreter",
	  "exec: \"/bin/dangling-interpreter\": its interpreter '/bin/sh' is a link to 'busybox', "
	  "and '/bin/busybox' does not exist: " MISSING,
	  "exec-not-found" },
	{ "/bin/twice-dangling",
	  "exec: \"/bin/twice-dangling\": its interpreter '/bin/ash' leads through the link "
	  "'/bin/sh' to 'busybox', and '/bin/busybox' does not exist: " MISSING,
	  "exec-not-found" },
	{ "/bin/plain-interpreter",
	  "exec: \"/bin/plain-interpreter\": its interpreter '/data/file' has no x bit (mode "
	  "0644): " DENIED,
	  "exec-denied" },
	{ "/bin/folder-interpreter",
	  "exec: \"/bin/folder-interpreter\": its interpreter '/data' is a directory: " DENIED,
	  "exec-denied" },
	{ "/bin/windows",
	  "exec: \"/bin/windows\": the file begins with '#!/bin/bash' and a carriage return, the "
	  "line end of Windows: " MISSING,
	  "exec-carriage-return" },
	{ "/bin/by-script",
	  "exec: \"/bin/by-script\": the interpreter '/bin/bash' of its interpreter "
	  "'/bin/no-interpreter' does not exist in the container: " MISSING,
	  "exec-not-found" },
	{ "/bin/by-musl",
	  "exec: \"/bin/by-musl\": the loader '/lib/ld-musl-x86_64.so.1' (musl) of its interpreter "
	  "'/bin/musl' does not exist in the container: " MISSING,
	  "exec-not-found" },
	{ "/bin/relative",
	  "exec: \"/bin/relative\": its interpreter 'bash' does not exist in the "
	  "container: " MISSING,
	  "exec-not-found" },
	{ "/bin/empty-interpreter",
	  "exec: \"/bin/empty-interpreter\": the file names no interpreter after '#!': " FORMAT,
	  "exec-format" },
	{ "/bin/lengthy",
	  "exec: \"/bin/lengthy\": the file has a first line of more than 256 bytes: " FORMAT,
	  "exec-format" },
	{ "/bin/text",
	  "exec: \"/bin/text\": the file is neither an ELF program nor a script that begins with "
	  "'#!': " FORMAT,
	  "exec-format" },
	{ "/bin/marked",
	  "exec: \"/bin/marked\": the file has a byte order mark before '#!': " FORMAT,
	  "exec-format" },
	{ "/bin/empty", "exec: \"/bin/empty\": the file is empty: " FORMAT, "exec-format" },
	{ "/bin/exe", "exec: \"/bin/exe\": the file is a program for Windows: " FORMAT,
	  "exec-format" },
};

static const struct row binary_rows[] = {
	{ "/bin/glibc",
	  "exec: \"/bin/glibc\": its loader '/lib64/ld-linux-x86-64.so.2' (glibc) leads through "
	  "the link '/lib64' to 'usr/lib64', and '/usr/lib64' does not exist: " MISSING,
	  "exec-not-found" },
	{ "/bin/musl",
	  "exec: \"/bin/musl\": its loader '/lib/ld-musl-x86_64.so.1' (musl) does not exist in the "
	  "container: " MISSING,
	  "exec-not-found" },
	{ "/bin/strange",
	  "exec: \"/bin/strange\": its loader '/opt/loader' lies in '/opt', which does not "
	  "exist: " MISSING,
	  "exec-not-found" },
	{ "/bin/plain-loader",
	  "exec: \"/bin/plain-loader\": its loader '/data/file' has no x bit (mode 0644): " DENIED,
	  "exec-denied" },
	{ "/bin/folder-loader",
	  "exec: \"/bin/folder-loader\": its loader '/data' is a directory: " DENIED,
	  "exec-denied" },
	{ "/bin/script-loader",
	  "exec: \"/bin/script-loader\": its loader '/data/loader-script' is not a program: "
	  "accessing a corrupted shared library",
	  "exec-loader" },
	{ "/bin/truncated",
	  "exec: \"/bin/truncated\": the file is cut off: its ELF header is not whole: " FORMAT,
	  "exec-format" },
	{ "/bin/object",
	  "exec: \"/bin/object\": the file is an ELF file, but not a program: " FORMAT,
	  "exec-format" },
};

TEST(explained_ways)
{
	make_tree();
	for (size_t i = 0; i < COUNT(path_rows); i++)
		check_row(&path_rows[i]);
}

TEST(explained_scripts)
{
	make_tree();
	for (size_t i = 0; i < COUNT(script_rows); i++)
		check_row(&script_rows[i]);
}

TEST(explained_binaries)
{
	make_tree();
	for (size_t i = 0; i < COUNT(binary_rows); i++)
		check_row(&binary_rows[i]);
}

/* A file that is only missing has no other cause; neither has what is not our business. */
TEST(not_explained)
{
	static const struct {
		const char *path;
		int code;
	} rows[] = {
		{ "/bin/absent", ENOENT }, { "/bin/musl", EPERM },   { "/bin/musl", EACCES },
		{ "/data/file", ENOENT },  { "/data/file", ENOMEM }, { "/bin/text", ENOENT },
	};
	auto_arena a = arena_make();

	make_tree();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };

		unit_row("%s %s", rows[i].path, errno_name(rows[i].code));
		CHECK(!explain(&a, rows[i].path, rows[i].code, &e));
		CHECK_STR(e.text, "");
	}
}

TEST(explained_recursion)
{
	auto_arena a = arena_make();
	struct err e = { 0 };

	make_tree();
	CHECK(explain(&a, "/bin/recursive", try_to_run("/bin/recursive"), &e));
	CHECK_HAS(e.text, "exec: \"/bin/recursive\": the interpreter '/bin/recursive' of the ");
	CHECK_HAS(e.text, "is one more script: 5 of them may follow each other: too many levels of "
			  "symbolic links");
	CHECK_STR(e.id, "exec-scripts");
}

static const char *foreign_arch(void)
{
	if (foreign_machine() == EM_AARCH64)
		return "aarch64";
	/* the binaries of these tests have the class of our own */
	return sizeof(void *) == 4 ? "riscv32" : "riscv64";
}

/* binfmt_misc of the machine may run it, so the errno is not asked for here. */
TEST(explained_architecture)
{
	auto_arena a = arena_make();
	struct err e = { 0 };

	make_tree();
	CHECK(explain(&a, "/bin/foreign", ENOEXEC, &e));
	CHECK_HAS(e.text, arena_printf(&a,
				       "exec: \"/bin/foreign\": the file is built for %s, this "
				       "host is ",
				       foreign_arch()));
	CHECK_HAS(e.text, ", and no entry of binfmt_misc runs it: " FORMAT);
	CHECK_STR(e.id, "exec-architecture");
	err_clear(&e);
	CHECK(explain(&a, "/bin/foreign", ENOENT, &e));
	CHECK_HAS(e.text, "the emulator that binfmt_misc names for it does not exist in the "
			  "container (an entry with the flag F would bring its own): " MISSING);
	CHECK_STR(e.id, "exec-emulator");
	err_clear(&e);
	CHECK(explain(&a, "/bin/foreign-loader", ELIBBAD, &e));
	CHECK_HAS(e.text, arena_printf(&a, "its loader '/bin/foreign' is built for %s, not ",
				       foreign_arch()));
}

TEST(explained_to_user)
{
	static const struct row rows[] = {
		{ "/private/app",
		  "exec: \"/private/app\": the file lies in '/private' (mode 0700, owner 0:0), "
		  "which user 1000:1000 may not search: " DENIED,
		  "exec-denied" },
		{ "/data/owners",
		  "exec: \"/data/owners\": the file (mode 0744, owner 0:0) may not be executed by "
		  "user 1000:1000: " DENIED,
		  "exec-denied" },
	};

	make_tree();
	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE(syscall(SYS_setgroups, 0, NULL) == 0);
	REQUIRE(syscall(SYS_setresgid, 1000, 1000, 1000) == 0);
	REQUIRE(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

TEST(explained_noexec)
{
	static const struct row rows[] = {
		{ "/mnt/sub/app",
		  "exec: \"/mnt/sub/app\": the file is on '/mnt', which is mounted noexec: " DENIED,
		  "exec-denied" },
		{ "/script",
		  "exec: \"/script\": its interpreter '/mnt/sub/app' is on '/mnt', which is mounted "
		  "noexec: " DENIED,
		  "exec-denied" },
	};
	auto_arena a = arena_make();
	const char *mnt = arena_printf(&a, "%s/mnt", unit_dir());

	if (!place_is_root())
		unit_skip("needs root");
	place_own_mounts();
	REQUIRE(mkdir(mnt, 0755) == 0);
	REQUIRE(mount("tmpfs", mnt, "tmpfs", MS_NOEXEC, NULL) == 0);
	place_enter_root();
	place_dir("/mnt/sub", 0755);
	place_file("/mnt/sub/app", 0755, "x");
	script("/script", "#!/mnt/sub/app\n");
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}
