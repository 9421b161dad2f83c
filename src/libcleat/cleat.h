/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcleat - OCI containers from C
 *
 * Looking is done in this process: checking a configuration, planning, the states of
 * containers. What changes a container is done by the installed executable, which is started
 * for it, so that nothing of a container is ever made by a process that has threads, handlers
 * and open files of its own.
 *
 *	struct cleat *c = cleat_new();
 *
 *	if (cleat_create(c, "web", "/srv/web", NULL) < 0 || cleat_start(c, "web") < 0)
 *		fprintf(stderr, "%s\n", cleat_error(c, CLEAT_ERROR_TEXT));
 *	cleat_free(c);
 *
 * Rules for all of it
 *
 *	Handles are opaque; there is no other state. One handle is for one thread at a time;
 *	handles are independent of each other. The process's working directory, mask, umask,
 *	signals and standard streams stay as they are, and nothing is printed.
 *
 *	Functions that return int return 0, or -errno, and then cleat_error() has the reason
 *	until the next call with the same handle. Results behind pointers are written on success
 *	only. Texts that are given out are ended by NUL and freed by free(3).
 *
 *	JSON is that of the OCI runtime specification; names of it below are those of its files.
 *
 *	Memory that cannot be had for reading a configuration or a state (at most a few times the
 *	size of the file, which is at most 16 MiB) ends the process.
 *
 *	The ABI grows and does not change: functions, options and members at the end of structs
 *	that the library fills are added; else the soname changes.
 */
#ifndef CLEAT_H
#define CLEAT_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLEAT_EXPORT __attribute__((visibility("default")))

struct cleat;

/* "0.1.0": of the library, not of the executable. Never NULL, not to be freed. */
CLEAT_EXPORT const char *cleat_version(void);

/* A handle with the settings of cleat(1)'s defaults; NULL: no memory. */
CLEAT_EXPORT struct cleat *cleat_new(void);
/* NULL is fine. Containers are not touched. */
CLEAT_EXPORT void cleat_free(struct cleat *c);

enum cleat_option {
	CLEAT_ROOT = 0,	   /* directory of the states; as --root of cleat(1) */
	CLEAT_PROGRAM = 1, /* absolute path of the executable; default: where it was installed */
	CLEAT_CGROUP_MANAGER = 2, /* "cgroupfs", "systemd" or "disabled" */
};

/*
 * cleat_set() - change a setting of a handle
 * @value: is copied; NULL: the default again
 *
 * Returns 0, -EINVAL (an option or a value that is unknown) or -ENOMEM.
 */
CLEAT_EXPORT int cleat_set(struct cleat *c, enum cleat_option option, const char *value);

enum cleat_error_part {
	CLEAT_ERROR_TEXT = 0,	/* for people: one line without full stop */
	CLEAT_ERROR_CODE = 1,	/* stable name of the kind ("exec-not-found"): cleat-errors(7) */
	CLEAT_ERROR_STEP = 2,	/* step of the set-up in which it happened ("mounts") */
	CLEAT_ERROR_OBJECT = 3, /* path, property or name that it is about */
};

/*
 * A part of the reason of the newest failure; "" where there is none. Never NULL; c's own.
 * Every failure has a text and a code, one of those of cleat-errors(7).
 */
CLEAT_EXPORT const char *cleat_error(const struct cleat *c, enum cleat_error_part part);

/* --- configurations --------------------------------------------------------------------------- */

enum cleat_severity {
	CLEAT_ERROR = 0,   /* create refuses it */
	CLEAT_WARNING = 1, /* create would log it */
	CLEAT_REMARK = 2,  /* create says nothing: unknown, doubled, without effect */
};

/* The texts are valid during the call that gives them. */
struct cleat_finding {
	enum cleat_severity severity;
	unsigned line, column; /* from 1; 0: about the whole file */
	const char *path;      /* "linux.devices[3].path"; "": the whole file */
	const char *text;      /* for people; begins with the path */
	const char *nearest;   /* the known name that was meant perhaps, or NULL */
};

/*
 * cleat_check() - find all that is wrong with a bundle's config.json
 * @bundle: directory
 * @found: called for each finding, in the order of the file; NULL: only the result counts
 *
 * After 1000 findings one more, with the path "", says how many are left out; its severity is
 * the gravest of theirs. Nothing is made or changed. Returns the number of findings of severity
 * CLEAT_ERROR that were given, or -errno when the file cannot be read.
 */
CLEAT_EXPORT int cleat_check(struct cleat *c, const char *bundle,
			     void (*found)(void *arg, const struct cleat_finding *finding),
			     void *arg);

/*
 * cleat_plan() - what create and start would do with a bundle on this host
 * @id: of the container that is thought of
 * @ret_text: one operation a line, for people: the form may change with each release
 *
 * Nothing is made or changed. -EINVAL and the like when create would refuse the bundle.
 */
CLEAT_EXPORT int cleat_plan(struct cleat *c, const char *bundle, const char *id, char **ret_text);

/* --- states ----------------------------------------------------------------------------------- */

/*
 * cleat_state() - a container's state, as runtime.md, "State", has it
 * @ret_json: one object in one line
 *
 * Takes no lock and waits for nobody. -ENOENT: there is no such container.
 * -EPROTONOSUPPORT: it belongs to a newer release.
 */
CLEAT_EXPORT int cleat_state(struct cleat *c, const char *id, char **ret_json);

/* The same of all containers: a list, sorted by id. One that cannot be read is "unknown". */
CLEAT_EXPORT int cleat_list(struct cleat *c, char **ret_json);

/*
 * cleat_pids() - the processes of a container, as the host numbers them
 * @ret_pids: ascending, freed by free(3); of a container that has stopped there are none
 *
 * Takes no lock. -ENOENT, -EPROTONOSUPPORT: as cleat_state().
 */
CLEAT_EXPORT int cleat_pids(struct cleat *c, const char *id, pid_t **ret_pids, size_t *ret_n);

/* --- what changes containers ------------------------------------------------------------------ */

/* Streams of the executable, and so of a container that it makes; -1: /dev/null. */
struct cleat_streams {
	int in, out, err;
};

/*
 * cleat_call() - have the executable do something
 * @words: command, options and operands as in cleat(1) ("exec", "web", "ls"), ends with NULL;
 *	global options come from the handle
 * @streams: NULL: /dev/null for all three
 * @ret_status: the exit status: that of the payload after `run` and `exec`; may be NULL
 *
 * It inherits the caller's descriptors that are not close-on-exec, as --preserve-fds needs them.
 *
 * Waits for its end. A failure of cleat itself is returned as -errno, whatever the exit status;
 * -ECHILD with a text that says so when the process could not be waited for because SIGCHLD is
 * ignored or somebody else waited for it: what it did is then seen by cleat_state() only.
 *
 * With @ret_status the payload's exit status is no failure; without, one other than 0 is
 * -ECHILD.
 */
CLEAT_EXPORT int cleat_call(struct cleat *c, const char *const *words,
			    const struct cleat_streams *streams, int *ret_status);

/*
 * The operations of runtime.md. @streams as above: create gives them to the container.
 *
 * Each may fail as cleat_call() does, with -ENOENT when the executable is not there either, and
 * with what cleat_error() explains. What callers can act on:
 *
 *	-EEXIST			create: there is a container of that id
 *	-ENOENT			create: the bundle is missing, or a file that it names; the
 *				others: there is no such container; start: or no such program
 *				(CLEAT_ERROR_CODE "exec-not-found")
 *	-EINVAL			the id, the bundle's configuration or the signal is wrong, or the
 *				container's status does not allow it (CLEAT_ERROR_CODE
 *				"container-state")
 *	-EPROTONOSUPPORT	start, kill, delete: it belongs to a newer release
 *	-ETIMEDOUT		start, delete: another command has worked on it for 10 s
 */
CLEAT_EXPORT int cleat_create(struct cleat *c, const char *id, const char *bundle,
			      const struct cleat_streams *streams);
CLEAT_EXPORT int cleat_start(struct cleat *c, const char *id);
/* @signal: its number */
CLEAT_EXPORT int cleat_kill(struct cleat *c, const char *id, int signal);
/* @force: kill it first when it is not stopped; then it is no error when it does not exist */
CLEAT_EXPORT int cleat_delete(struct cleat *c, const char *id, int force);

#ifdef __cplusplus
}
#endif

#endif
