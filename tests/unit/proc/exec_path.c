/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

#define PATHS "PATH=/nowhere:/bin:/usr/bin:/locked"

static int find(struct arena *a, const char *name, const char *path_var, uint64_t caps,
		const char **ret, struct err *e)
{
	const struct spec_process process = { .caps.effective = caps };
	const char *args[] = { name, NULL };
	const char *env[] = { "A=1", path_var };
	const struct proc_plan p = { .process = &process,
				     .args = args,
				     .n_args = 1,
				     .env = env,
				     .n_env = path_var ? 2 : 1 };

	*ret = NULL;
	return proc_find_exec(a, &p, ret, e);
}

static void make_tree(void)
{
	place_enter_root();
	place_dir("/bin", 0755);
	place_dir("/usr", 0755);
	place_dir("/usr/bin", 0755);
	place_dir("/locked", 0700);
	place_dir("/bin/folder", 0755);
	place_dir("/usr/bin/.dot", 0755);
	place_file("/bin/prog", 0755, "x");
	place_file("/bin/plain", 0644, "x");
	place_file("/usr/bin/later", 0755, "x");
	place_file("/bin/shadow", 0644, "x");
	place_file("/usr/bin/shadow", 0755, "x");
	place_file("/usr/bin/folder", 0755, "x");
	place_file("/usr/bin/.hidden", 0755, "x");
	place_file("/usr/bin/owners", 0700, "x");
	place_file("/locked/secret", 0755, "x");
	place_file("/here", 0755, "x");
	REQUIRE(mkfifo("/bin/fifo", 0755) == 0);
	REQUIRE(symlink("nowhere", "/bin/dangling") == 0);
	REQUIRE(symlink("loop", "/bin/loop") == 0);
	REQUIRE(symlink("/bin/prog", "/bin/link") == 0);
}

static void become_user(void)
{
	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE(syscall(SYS_setgroups, 0, NULL) == 0);
	REQUIRE(syscall(SYS_setresgid, 1000, 1000, 1000) == 0);
	REQUIRE(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
}

TEST(program_found)
{
	static const struct {
		const char *name, *path, *want;
	} rows[] = {
		{ "prog", PATHS, "/bin/prog" },
		{ "later", PATHS, "/usr/bin/later" },
		{ "shadow", PATHS, "/usr/bin/shadow" },
		{ "folder", PATHS, "/usr/bin/folder" },
		{ ".hidden", PATHS, "/usr/bin/.hidden" },
		{ "link", PATHS, "/bin/link" },
		{ "here", "PATH=:/bin", "./here" },
		{ "here", "PATH=/bin:", "./here" },
		{ "prog", "PATH=bin", "bin/prog" },
		{ "/bin/prog", NULL, "/bin/prog" },
		{ "bin/prog", NULL, "bin/prog" },
		{ "./here", NULL, "./here" },
		{ "/bin/../bin/link", NULL, "/bin/../bin/link" },
	};
	auto_arena a = arena_make();
	const char *path;
	struct err e = { 0 };

	make_tree();
	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s", rows[i].name);
		CHECK_OK(find(&a, rows[i].name, rows[i].path, 0, &path, &e), &e);
		CHECK_STR(path, rows[i].want);
	}
}

/* The words are an interface: engines make 126 and 127 of them. */
TEST(program_refused)
{
	static const struct {
		const char *name, *path, *want;
	} rows[] = {
		{ "foo", PATHS, "exec: \"foo\": executable file not found in $PATH" },
		{ "prog", NULL, "exec: \"prog\": executable file not found in $PATH" },
		{ "prog", "PATH=", "exec: \"prog\": executable file not found in $PATH" },
		{ "", PATHS, "exec: \"\": executable file not found in $PATH" },
		{ "dangling", PATHS,
		  "exec: \"dangling\": executable file not found in $PATH: '/bin/dangling' is a "
		  "link to 'nowhere', and '/bin/nowhere' does not exist" },
		{ "loop", PATHS,
		  "exec: \"loop\": executable file not found in $PATH: '/bin/loop' leads through "
		  "more than 40 links, '/bin/loop' among them" },
		{ "plain", PATHS,
		  "exec: \"plain\": '/bin/plain' has no x bit (mode 0644): permission denied" },
		{ "fifo", PATHS, "exec: \"fifo\": '/bin/fifo' is a fifo: permission denied" },
		{ ".dot", PATHS, "exec: \".dot\": executable file not found in $PATH" },
		{ "/bin/foo", PATHS,
		  "exec: \"/bin/foo\": stat /bin/foo: no such file or directory" },
		{ "/bin/prog/x", PATHS,
		  "exec: \"/bin/prog/x\": the file lies in '/bin/prog', which is not a directory: "
		  "not a directory" },
		{ "./foo", PATHS, "exec: \"./foo\": stat ./foo: no such file or directory" },
		{ "/bin/plain", PATHS,
		  "exec: \"/bin/plain\": the file has no x bit (mode 0644): permission denied" },
		{ "/bin/fifo", PATHS,
		  "exec: \"/bin/fifo\": the file is a fifo: permission denied" },
		{ "/bin/folder", PATHS,
		  "exec: \"/bin/folder\": is a directory: permission denied" },
		{ "/", PATHS, "exec: \"/\": is a directory: permission denied" },
	};
	auto_arena a = arena_make();
	const char *path;

	make_tree();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };

		unit_row("%s", rows[i].name);
		CHECK(find(&a, rows[i].name, rows[i].path, 0, &path, &e) < 0);
		CHECK_STR(e.text, rows[i].want);
		CHECK(path == NULL);
	}
}

TEST(program_as_user)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	const char *path;

	make_tree();
	become_user();
	CHECK_OK(find(&a, "prog", PATHS, 0, &path, &e), &e);
	/* a directory of PATH that may not be searched is no reason to say "denied" */
	CHECK(find(&a, "secret", PATHS, 0, &path, &e) == -ENOENT);
	CHECK_STR(e.text, "exec: \"secret\": executable file not found in $PATH");
	err_clear(&e);
	/* ... but when there is no other it is the reason */
	CHECK(find(&a, "secret", "PATH=/locked:/locked/bin", 0, &path, &e) == -ENOENT);
	CHECK_STR(e.text, "exec: \"secret\": executable file not found in $PATH: "
			  "'/locked/secret' lies in '/locked' (mode 0700, owner 0:0), which user "
			  "1000:1000 may not search");
	err_clear(&e);
	CHECK(find(&a, "/locked/secret", PATHS, 0, &path, &e) == -EACCES);
	CHECK_STR(e.text, "exec: \"/locked/secret\": the file lies in '/locked' (mode 0700, "
			  "owner 0:0), which user 1000:1000 may not search: permission denied");
	err_clear(&e);
	CHECK(find(&a, "owners", PATHS, 0, &path, &e) == -EACCES);
	CHECK_STR(e.text, "exec: \"owners\": '/usr/bin/owners' (mode 0700, owner 0:0) may not be "
			  "executed by user 1000:1000: permission denied");
}

/* execve will have the capabilities of the configuration, which are only permitted now. */
TEST(program_by_capability)
{
	const uint64_t override = 1ULL << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .permitted = 1U << CAP_DAC_OVERRIDE } };
	struct __user_cap_data_struct after[2] = { 0 };
	auto_arena a = arena_make();
	struct err e = { 0 };
	const char *path;

	make_tree();
	REQUIRE(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	become_user();
	REQUIRE(syscall(SYS_capset, &head, caps) == 0);
	CHECK(find(&a, "/locked/secret", PATHS, 0, &path, &e) == -EACCES);
	err_clear(&e);
	CHECK_OK(find(&a, "/locked/secret", PATHS, override, &path, &e), &e);
	CHECK_OK(find(&a, "owners", PATHS, override, &path, &e), &e);
	REQUIRE(syscall(SYS_capget, &head, after) == 0);
	CHECK_INT(after[0].effective, 0);
	CHECK_INT(after[0].permitted, 1U << CAP_DAC_OVERRIDE);
}

/* CVE-2024-21626: a descriptor of the host must not be a way to a program. */
TEST(program_by_magic_link)
{
	auto_arena a = arena_make();
	const char *path, *name;
	int fd, host = open("/bin", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };

	REQUIRE(host >= 0);
	if (!place_is_root())
		unit_skip("needs root");
	place_own_mounts();
	REQUIRE(mkdir(arena_printf(&a, "%s/proc", unit_dir()), 0755) == 0);
	REQUIRE(mount("proc", arena_printf(&a, "%s/proc", unit_dir()), "proc", 0, NULL) == 0);
	place_enter_root();
	name = arena_printf(&a, "/proc/self/fd/%d/sh", host);
	fd = open(name, O_PATH | O_CLOEXEC);
	CHECK(fd >= 0); /* it is a way, for those who go it */
	close(fd);
	CHECK(find(&a, name, PATHS, 0, &path, &e) == -ELOOP);
	err_clear(&e);
	CHECK(find(&a, "/proc/self/exe", PATHS, 0, &path, &e) == -ELOOP);
	err_clear(&e);
	CHECK(find(&a, "sh", arena_printf(&a, "PATH=/proc/self/fd/%d", host), 0, &path, &e) ==
	      -ENOENT);
	close(host);
}
