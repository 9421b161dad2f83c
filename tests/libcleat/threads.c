/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles share nothing: many threads look at containers and have the executable called, each
 * gets its own answers, and the process is as it was before. By cleat.h alone.
 */
#include <cleat.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_THREADS 8
#define N_ROUNDS  20

static char program[4096], root[] = "/tmp/libcleat-XXXXXX";

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* NULL: as it should be. */
static const char *one_round(struct cleat *c, const char *id)
{
	const char *const bogus[] = { "bogus", id, NULL };
	char *json = NULL;

	if (cleat_state(c, id, &json) != -ENOENT || json || !strstr(cleat_error(c, 0), id))
		return "state";
	if (cleat_list(c, &json) != 0 || strcmp(json, "[]") != 0 || cleat_error(c, 0)[0])
		return "list";
	free(json);
	if (cleat_call(c, bogus, NULL, NULL) >= 0 || !strstr(cleat_error(c, 0), "'bogus'"))
		return "call";
	if (cleat_kill(c, id, SIGTERM) != -ENOENT ||
	    strcmp(cleat_error(c, CLEAT_ERROR_OBJECT), id) != 0)
		return "kill";
	if (cleat_check(c, "/nowhere", NULL, NULL) != -ENOENT)
		return "check";
	return NULL;
}

static void *work(void *arg)
{
	struct cleat *c = cleat_new();
	const char *wrong = NULL;
	char id[16];

	snprintf(id, sizeof(id), "c%d", *(int *)arg);
	if (!c || cleat_set(c, CLEAT_ROOT, root) < 0 || cleat_set(c, CLEAT_PROGRAM, program) < 0)
		wrong = "set";
	for (int i = 0; i < N_ROUNDS && !wrong; i++)
		wrong = one_round(c, id);
	if (wrong)
		printf("# %s: %s: %s\n", id, wrong, c ? cleat_error(c, 0) : "no handle");
	cleat_free(c);
	return (void *)wrong;
}

static int all_threads(void)
{
	pthread_t threads[N_THREADS];
	int numbers[N_THREADS], bad = 0;
	void *wrong;

	for (int i = 0; i < N_THREADS; i++) {
		numbers[i] = i;
		bad |= pthread_create(&threads[i], NULL, work, &numbers[i]);
	}
	for (int i = 0; i < N_THREADS && !bad; i++) {
		pthread_join(threads[i], &wrong);
		bad |= wrong != NULL;
	}
	return bad;
}

static int settings(void)
{
	struct cleat *c = cleat_new();
	int bad = 0;

	bad |= cleat_set(c, CLEAT_CGROUP_MANAGER, "nonsense") != -EINVAL;
	bad |= !strstr(cleat_error(c, CLEAT_ERROR_TEXT), "'nonsense'");
	bad |= cleat_set(c, CLEAT_CGROUP_MANAGER, "systemd") != 0;
	bad |= cleat_error(c, CLEAT_ERROR_TEXT)[0] != '\0';
	bad |= cleat_set(c, CLEAT_PROGRAM, "relative") != -EINVAL;
	bad |= cleat_set(c, (enum cleat_option)77, "x") != -EINVAL;
	bad |= cleat_set(c, CLEAT_ROOT, NULL) != 0;
	bad |= cleat_set(c, CLEAT_PROGRAM, "/nowhere/cleat") != 0;
	bad |= cleat_start(c, "x") != -ENOENT || !strstr(cleat_error(c, 0), "/nowhere/cleat");
	cleat_free(c);
	cleat_free(NULL);
	return bad;
}

static int report(int number, int bad, const char *what)
{
	printf("%sok %d - libcleat: %s\n", bad ? "not " : "", number, what);
	return bad;
}

int main(void)
{
	const char *cleat = getenv("CLEAT");
	char before[4096], after[4096];
	sigset_t set_before = { 0 }, set_after = { 0 };
	int n, bad = 0;
	mode_t mask;

	printf("1..3\n");
	if (!realpath(cleat ? cleat : "./cleat", program) || !mkdtemp(root) ||
	    !getcwd(before, sizeof(before)))
		return EXIT_FAILURE;
	umask(027);
	n = count_descriptors();
	sigprocmask(SIG_BLOCK, NULL, &set_before);
	bad |= report(1, settings(), "settings and their errors");
	bad |= report(2, all_threads(), "threads with a handle each");
	mask = umask(0);
	sigprocmask(SIG_BLOCK, NULL, &set_after);
	bad |= report(3,
		      mask != 027 || n != count_descriptors() || !getcwd(after, sizeof(after)) ||
			      strcmp(before, after) != 0 ||
			      memcmp(&set_before, &set_after, sizeof(set_before)) != 0,
		      "the process is as it was");
	rmdir(root);
	return bad;
}
