/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <yajl/yajl_tree.h>

#include "base/file.h"
#include "unit/unit.h"

static const char *log_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/log", unit_dir());
	return path;
}

static char *content(struct arena *a, const char *path)
{
	char *text = "";
	struct err e = { 0 };

	CHECK_OK(file_read_at(AT_FDCWD, path, a, 1 << 24, &text, &e), &e);
	return text;
}

/* stderr of this process goes to a file of the test's directory from here on. */
static const char *capture_stderr(void)
{
	static char path[128];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "%s/stderr", unit_dir());
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0);
	dup2(fd, STDERR_FILENO);
	return path;
}

static void check_json_string(yajl_val line, const char *key, const char *want)
{
	const char *path[] = { key, NULL };
	yajl_val v = yajl_tree_get(line, path, yajl_t_string);

	unit_row("%s", key);
	CHECK_STR(v ? YAJL_GET_STRING(v) : NULL, want);
}

/* RFC 3339, and now. */
static void check_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	time_t now = time(NULL);

	REQUIRE(end);
	CHECK(timegm(&tm) >= now - 60 && timegm(&tm) <= now + 1);
	CHECK(*end == '.' && str_ends(end, "Z"));
}

TEST(json_error)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	const char *time_path[] = { "time", NULL };
	struct err e = { 0 };
	char *text, why[256];
	yajl_val line;

	umask(0);
	REQUIRE_OK(log_open(log_path(), LOG_JSON, LOG_LEVEL_ERROR, &e), &e);
	err_sys(&e, EPERM, "/a \"quoted\\\" path\n\033[2J\xff", "mount tmpfs on");
	err_note(&e, "create web1");
	err_set_id(&e, "mount-refused");
	str_copy(e.step, sizeof(e.step), "mounts");
	log_warning("dropped");
	log_debug("dropped");
	log_error(&e);
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);

	text = content(&a, log_path());
	CHECK(strlen(text) > 0 && strchr(text, '\n') == text + strlen(text) - 1);
	line = yajl_tree_parse(text, why, sizeof(why));
	REQUIRE(line);
	check_json_string(line, "level", "error");
	check_json_string(line, "msg",
			  "create web1: mount tmpfs on '/a \"quoted\\\" path ?[2J?': "
			  "operation not permitted");
	check_json_string(line, "object", "/a \"quoted\\\" path ?[2J?");
	check_json_string(line, "code", "mount-refused");
	check_json_string(line, "step", "mounts");
	check_json_string(line, "errno", "EPERM");
	check_time(YAJL_GET_STRING(yajl_tree_get(line, time_path, yajl_t_string)));
	yajl_tree_free(line);
	unit_row("stderr");
	CHECK_STR(content(&a, err_file),
		  "cleat: create web1: mount tmpfs on '/a \"quoted\\\" path ?[2J?': "
		  "operation not permitted\n");
}

/* The largest error there is, made of what grows most when it is escaped. */
TEST(json_stays_valid_and_short)
{
	static const char *const fill[] = { "\"", "\\", "\xe2\x82\xac", "\n", "\xff" };

	capture_stderr();
	for (size_t i = 0; i < COUNT(fill); i++) {
		auto_arena a = arena_make();
		struct err e = { .code = EPERM };
		char *text, why[256];
		yajl_val line;

		for (size_t k = 0; k < sizeof(e.text) - 1; k++)
			e.text[k] = fill[i][k % strlen(fill[i])];
		for (size_t k = 0; k < sizeof(e.subject) - 1; k++)
			e.subject[k] = fill[i][k % strlen(fill[i])];
		memset(e.id, 'i', sizeof(e.id) - 1);
		memset(e.step, 's', sizeof(e.step) - 1);
		unlink(log_path());
		REQUIRE(log_open(log_path(), LOG_JSON, LOG_LEVEL_DEBUG, NULL) == 0);
		log_error(&e);
		log_debug("%s%s%s%s%s", e.text, e.text, e.text, e.text, e.text);
		log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
		text = content(&a, log_path());
		unit_row("fill %zu", i);
		for (int k = 0; k < 2; k++) {
			char *end = strchr(text, '\n');

			REQUIRE(end);
			*end = '\0';
			CHECK(end - text < 8192);
			line = yajl_tree_parse(text, why, sizeof(why));
			CHECK(line);
			yajl_tree_free(line);
			text = end + 1;
		}
		CHECK_STR(text, "");
	}
}

TEST(levels_and_text_format)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	char target[160], *text;

	snprintf(target, sizeof(target), "file:%s", log_path());
	REQUIRE(log_open(target, LOG_TEXT, LOG_LEVEL_WARNING, NULL) == 0);
	CHECK(log_enabled(LOG_LEVEL_WARNING) && !log_enabled(LOG_LEVEL_INFO));
	log_warning("say \"%s\"\n", "hello");
	log_warning("word");
	log_debug("not seen");
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
	text = content(&a, log_path());
	CHECK(str_starts(text, "time=\"20"));
	CHECK_HAS(text, "Z\" level=warning msg=\"say \\\"hello\\\" \"\ntime=\"20");
	CHECK(str_ends(text, "Z\" level=warning msg=word\n"));
	CHECK_STR(content(&a, err_file), "");
}

TEST(notice)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	struct err e = { 0 };

	REQUIRE(log_open(log_path(), LOG_TEXT, LOG_LEVEL_ERROR, NULL) == 0);
	err_code(&e, ENOMEM, "web1", "container 'web1': \a");
	err_set_id(&e, "oom");
	log_notice(&e);
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
	CHECK_HAS(content(&a, log_path()), "Z\" level=warning msg=\"container 'web1': ?\" "
					   "code=oom object=web1 errno=ENOMEM\n");
	CHECK_STR(content(&a, err_file), "cleat: container 'web1': ?\n");
}

TEST(without_target)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	struct err e = { 0 };

	REQUIRE(log_open(NULL, LOG_JSON, LOG_LEVEL_DEBUG, &e) == 0);
	log_debug("one");
	err_user(&e, "x", "two");
	log_error(&e);
	log_forward(LOG_LEVEL_INFO, "three\n\a");
	CHECK_STR(content(&a, err_file), "cleat: one\ncleat: two\ncleat: three ?\n");
}

TEST(file_is_made_at_once_and_appended_to)
{
	auto_arena a = arena_make();
	struct stat st;

	capture_stderr();
	umask(0);
	for (int i = 0; i < 2; i++) {
		REQUIRE(log_open(log_path(), LOG_JSON, LOG_LEVEL_INFO, NULL) == 0);
		CHECK(stat(log_path(), &st) == 0 && (st.st_mode & 07777) == 0644);
		log_line(LOG_LEVEL_INFO, "line %d", i);
		log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
	}
	CHECK_HAS(content(&a, log_path()), "\"line 0\"");
	CHECK_HAS(content(&a, log_path()), "\"line 1\"");
}

TEST(unusable_targets)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	struct err e = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/none/log", unit_dir());
	CHECK_INT(log_open(path, LOG_JSON, LOG_LEVEL_ERROR, &e), -ENOENT);
	CHECK(str_starts(e.text, "open log '/"));
	CHECK_INT(log_open(unit_dir(), LOG_JSON, LOG_LEVEL_ERROR, &e), -EISDIR);
	/* nobody reads: an error at once, not a wait */
	snprintf(path, sizeof(path), "%s/fifo", unit_dir());
	REQUIRE(mkfifo(path, 0600) == 0);
	CHECK_INT(log_open(path, LOG_JSON, LOG_LEVEL_ERROR, &e), -ENXIO);
	CHECK_INT(log_open("", LOG_JSON, LOG_LEVEL_ERROR, &e), -ENOENT);
	log_error(&e);
	CHECK_HAS(content(&a, err_file), "cleat: open log '': no such file or directory\n");
}

/* Closed, full and unread places lose a line; the process goes on. */
TEST(nothing_about_writing_is_fatal)
{
	struct err e = { 0 };
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);

	err_user(&e, NULL, "text");
	REQUIRE(log_open("/dev/full", LOG_JSON, LOG_LEVEL_DEBUG, NULL) == 0);
	close(STDERR_FILENO);
	log_error(&e);
	log_debug("x");
	/* read-only, as some callers leave it */
	CHECK_INT(open("/dev/null", O_RDONLY | O_CLOEXEC), STDERR_FILENO);
	log_error(&e);
	dup2(saved, STDERR_FILENO);
	close(saved);
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
}

TEST(writers_do_not_mix)
{
	enum { WRITERS = 4, LINES = 200 };
	auto_arena a = arena_make();
	char *text, why[256];
	int n = 0;

	for (int i = 0; i < WRITERS; i++) {
		if (fork() != 0)
			continue;
		log_open(log_path(), LOG_JSON, LOG_LEVEL_INFO, NULL);
		for (int k = 0; k < LINES; k++)
			log_line(LOG_LEVEL_INFO, "writer %d %0*d", i, 200 + k, k);
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++)
		wait(NULL);
	text = content(&a, log_path());
	for (char *line, *save = NULL; (line = strtok_r(save ? NULL : text, "\n", &save)); n++) {
		yajl_val v = yajl_tree_parse(line, why, sizeof(why));

		if (!v)
			CHECK(v);
		yajl_tree_free(v);
	}
	CHECK_INT(n, WRITERS * LINES);
}

static char sunk[1024];

static void sink(void *arg, enum log_level level, const char *text)
{
	size_t n = strlen(sunk);

	CHECK(arg == sunk);
	snprintf(sunk + n, sizeof(sunk) - n, "%d %s|", (int)level, text);
	log_trace("MSG", "a line about sending a line");
}

TEST(children_use_their_sink)
{
	auto_arena a = arena_make();
	const char *err_file = capture_stderr();
	struct err e = { 0 };

	REQUIRE(log_open(log_path(), LOG_JSON, LOG_LEVEL_WARNING, NULL) == 0);
	log_set_sink(sink, sunk);
	log_warning("one\033");
	log_debug("no");
	err_user(&e, NULL, "two");
	log_error(&e);
	log_trace("STEP", "three");
	log_set_sink(NULL, NULL);
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
	CHECK_STR(sunk, "1 one?|0 two|3 trace: STEP three|");
	CHECK_STR(content(&a, log_path()), "");
	CHECK_STR(content(&a, err_file), "");
}

/* A socket where the daemon's would be, in a mount namespace of our own. */
static int daemon_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	str_copy(addr.sun_path, sizeof(addr.sun_path), path);
	REQUIRE(fd >= 0);
	REQUIRE(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	return fd;
}

static void private_tmpfs(const char *path)
{
	if (unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("tmpfs", path, "tmpfs", 0, NULL) == 0);
}

static void receive(int fd, char *buf, size_t size)
{
	ssize_t n = recv(fd, buf, size - 1, MSG_DONTWAIT);

	buf[n < 0 ? 0 : n] = '\0';
}

TEST(journal)
{
	char got[4096];
	struct err e = { 0 };
	auto_fd fd = -1;

	capture_stderr();
	private_tmpfs("/run");
	CHECK_INT(log_open("journald:web1", LOG_TEXT, LOG_LEVEL_ERROR, &e), -ENOENT);
	CHECK_HAS(e.text, "open log 'journald:web1'");
	REQUIRE(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/journal", 0755) == 0);
	fd = daemon_socket("/run/systemd/journal/socket");
	REQUIRE_OK(log_open("journald:web1\nX=y", LOG_TEXT, LOG_LEVEL_WARNING, &e), &e);
	log_warning("first\nPRIORITY=0");
	receive(fd, got, sizeof(got));
	CHECK_STR(got, "PRIORITY=4\nSYSLOG_IDENTIFIER=web1 X=y\nMESSAGE=first PRIORITY=0\n");
	err_sys(&e, EPERM, "/x", "write");
	err_set_id(&e, "an-id");
	log_error(&e);
	receive(fd, got, sizeof(got));
	CHECK_STR(got, "PRIORITY=3\nSYSLOG_IDENTIFIER=web1 X=y\nCLEAT_OBJECT=/x\nERRNO=1\n"
		       "CLEAT_STEP=\n"
		       "CLEAT_CODE=an-id\nMESSAGE=write '/x': operation not permitted\n");
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
}

TEST(syslog)
{
	char got[4096], want[128];
	struct err e = { 0 };
	auto_fd fd = -1;

	capture_stderr();
	private_tmpfs("/dev");
	fd = daemon_socket("/dev/log");
	REQUIRE_OK(log_open("syslog:", LOG_JSON, LOG_LEVEL_INFO, &e), &e);
	log_line(LOG_LEVEL_INFO, "text");
	receive(fd, got, sizeof(got));
	snprintf(want, sizeof(want), "<30>cleat[%d]: text", (int)getpid());
	CHECK_STR(got, want);
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
}
