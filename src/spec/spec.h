/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec - what config.json means
 *
 * libocispec settles syntax; here meaning is settled. spec_load() reads the file
 * once, decodes it and runs every check_*.c over it; after that names are numbers,
 * paths are absolute, and later floors assert instead of checking. What needs no
 * meaning of its own stays in the decoded structs, reached through `config`.
 */
#ifndef CLEAT_SPEC_SPEC_H
#define CLEAT_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/dir.h"
#include "base/err.h"
#include "ocispec/runtime.h" /* generated: struct oci_config and its parts */

/* The version of runtime-spec that states, features, --version and new bundles name. */
#define SPEC_OCI_VERSION "1.3.0"

struct id_map {
	uint32_t inside, outside, size;
};

/* The id outside of the user namespace that these map @inside to; false: none. */
static inline bool id_map_find(const struct id_map *maps, size_t n, uint32_t inside,
			       uint32_t *ret_outside)
{
	for (size_t i = 0; i < n; i++) {
		if (inside < maps[i].inside || inside - maps[i].inside >= maps[i].size)
			continue;
		*ret_outside = maps[i].outside + (inside - maps[i].inside);
		return true;
	}
	return false;
}

struct spec_namespace {
	int type;	  /* CLONE_NEW* */
	const char *path; /* NULL: a new one */
};

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

/* The five sets as bit masks (bit n = capability n); unknown names were dropped with a warning. */
struct spec_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

/* process of config.json, or the one that exec is given */
struct spec_process {
	const struct oci_process *oci;
	bool terminal;
	uint16_t rows, cols; /* consoleSize; 0: not set */
	const char *cwd;     /* absolute, checked */
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* additionalGids */
	size_t n_groups;
	int umask; /* -1: not set */
	struct spec_caps caps;
	bool has_caps; /* no capabilities object at all: no change is NOT meant, see sec */
	const struct spec_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
};

struct spec {
	const struct oci_config *config;
	const char *text; /* the bytes as read: the copy that create keeps */
	size_t text_len;

	const char *bundle;	 /* absolute path */
	const char *rootfs_path; /* absolute path of root.path */
	bool readonly_root;
	const char *hostname, *domainname;

	bool has_process; /* else @process is root in "/" without a program */
	struct spec_process process;

	/* What is to come after runtime-spec 1.3.0, from annotations; NULL: not wanted */
	const struct oci_landlock *landlock;
	const struct oci_core_scheduling *core_scheduling;

	struct spec_namespace namespaces[8];
	size_t n_namespaces;
	uint64_t ns_new;    /* CLONE_NEW* of namespaces to create */
	uint64_t ns_joined; /* CLONE_NEW* of namespaces given by path */
	struct id_map *uid_maps, *gid_maps;
	size_t n_uid_maps, n_gid_maps;
	uint64_t rootfs_propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE; | MS_REC */
};

/*
 * spec_load() - read and check a bundle
 * @a: takes everything that is returned
 * @bundle: path of the bundle; NULL: the working directory
 * @config: another file than the bundle's config.json; NULL: that one
 *
 * Follows config.md of runtime-spec 1.3.0. The messages name file, line, column and
 * property. Returns 0 or -errno.
 */
int spec_load(struct arena *a, const char *bundle, const char *config, struct spec **ret,
	      struct err *e);

/* The same from the copy that create kept (@dirfd/config.json), for exec and delete. */
int spec_load_copy(struct arena *a, int dirfd, const char *bundle, struct spec **ret,
		   struct err *e);

/* Check a process object on its own (exec). Returns 0 or -errno. */
int spec_check_process(struct arena *a, const struct oci_process *oci, struct spec_process *ret,
		       struct err *e);

/* --- everything that is wrong, at once --------------------------------------------------- */

enum spec_severity {
	SPEC_ERROR,   /* create refuses it */
	SPEC_WARNING, /* create logs it */
	SPEC_REMARK,  /* create says nothing: unknown, twice, without effect */
};

struct spec_finding {
	enum spec_severity severity;
	int code; /* positive errno */
	struct ocispec_place place;
	const char *path;    /* "linux.devices[3].path"; "": the whole text */
	const char *text;    /* begins with the path */
	const char *nearest; /* the known name that was meant perhaps, or NULL */
	bool decoded;	     /* the decoder's, which speaks of the form of one value */
};

struct spec_report {
	const struct spec *spec; /* its config is NULL when the text is no JSON */
	const char *name;	 /* of the file */
	struct spec_finding *v;	 /* in the order of the text */
	size_t n, cap;
	size_t n_left_out;	     /* what was found when there were SPEC_MAX_FINDINGS */
	enum spec_severity left_out; /* the gravest of them */
};
/* More than anybody reads; each is compared with all before it, and looked for in the text. */
#define SPEC_MAX_FINDINGS 1000

/*
 * spec_examine() - read a configuration and find all that is wrong with it
 *
 * Arguments as for spec_load(). What cannot be decoded is left out of report->spec, so
 * with errors among the findings it is for looking at only. Logs nothing. Returns 0, with
 * whatever number of findings, or -errno when the file cannot be read.
 */
int spec_examine(struct arena *a, const char *bundle, const char *config, struct spec_report *ret,
		 struct err *e);

/* A finding of another room; its path is what @text begins with. */
struct spec_finding spec_finding_make(struct arena *a, enum spec_severity severity,
				      const char *text);
/*
 * Find its place and add it, unless the same has been said; beyond SPEC_MAX_FINDINGS it is
 * counted only. Sort when all are in: what was counted becomes the last finding.
 */
void spec_report_add(struct arena *a, struct spec_report *r, struct spec_finding f);
void spec_report_sort(struct arena *a, struct spec_report *r);
size_t spec_report_count(const struct spec_report *r, enum spec_severity severity);

/*
 * spec_locate() - where the value of @path is in a text that could be decoded
 *
 * False when it is not there: *ret is then the place of what is nearest around it.
 */
bool spec_locate(const char *text, size_t length, const char *path, struct ocispec_place *ret);

/* Is @path that of @above, or of something in it? "linux.devices[3].path" is in "linux.devices". */
bool spec_path_is_below(const char *path, const char *above);

/* What the specification says about a path: "config.md, Process: ...", or NULL. */
const char *spec_rule(const char *path);

/* Check spec->config->mounts on their own (mounts add). */
int spec_check_mounts(struct arena *a, const struct spec *spec, struct err *e);

/* Annotations that change what is done; docs/annotations.md. The first two carry, as JSON,
   what the next specification may bring. */
#define SPEC_ANNOTATION_LANDLOCK	 "run.cleat.landlock"
#define SPEC_ANNOTATION_CORE_SCHEDULING	 "run.cleat.coreScheduling"
#define SPEC_ANNOTATION_KEEP_GROUPS	 "run.oci.keep_original_groups"
#define SPEC_ANNOTATION_MOUNT_CONTEXT	 "run.oci.mount_context_type"
#define SPEC_ANNOTATION_HOOKS_STDOUT	 "run.oci.hooks.stdout"
#define SPEC_ANNOTATION_HOOKS_STDERR	 "run.oci.hooks.stderr"
#define SPEC_ANNOTATION_PIDFD_RECEIVER	 "run.oci.pidfd_receiver"
#define SPEC_ANNOTATION_CGROUP_V1	 "run.oci.systemd.force_cgroup_v1"
#define SPEC_ANNOTATION_SUBGROUP	 "run.oci.systemd.subgroup"
#define SPEC_ANNOTATION_DELEGATE	 "run.oci.delegate-cgroup"
#define SPEC_ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"
#define SPEC_ANNOTATION_SECCOMP_UNKNOWN	 "run.oci.seccomp_fail_unknown_syscall"
#define SPEC_ANNOTATION_SECCOMP_BPF	 "run.oci.seccomp_bpf_data"
#define SPEC_ANNOTATION_SECCOMP_PLUGINS	 "run.oci.seccomp.plugins"
#define SPEC_ANNOTATION_HANDLER		 "run.oci.handler"

/* The value of an annotation of config.json; NULL: it is not there. */
const char *spec_annotation(const struct oci_config *config, const char *key);
/* The same of annotations that are elsewhere; NULL: there are none. */
const char *spec_annotation_in(const struct oci_string_map *annotations, const char *key);
/* The same, and NULL where it is empty, which asks for nothing. */
const char *spec_annotation_text(const struct oci_config *config, const char *key);
/* One that is a switch: it has a value, and that is not "0" or "false". */
bool spec_annotation_is_set(const struct oci_config *config, const char *key);

/* --- single checks, also used by the command line -------------------------------------- */
int spec_ns_from_name(const char *name);     /* CLONE_NEW* or -EINVAL */
const char *spec_ns_name(int type);	     /* "network" ... */
const char *spec_ns_proc_name(int type);     /* "net": the name below /proc/PID/ns */
int spec_rlimit_from_name(const char *name); /* RLIMIT_* or -EINVAL */
int spec_cap_from_name(const char *name);    /* number or -EINVAL */
const char *spec_cap_name(int cap);	     /* "CAP_CHOWN" or NULL */
const char *spec_rlimit_name(int resource);  /* "RLIMIT_NOFILE" or NULL */
int spec_signal_from_name(const char *name); /* 9, KILL, SIGKILL, sigkill, RTMIN+1; -EINVAL */

/* The default config.json of `cleat spec` as text (pretty), into the arena. */
const char *spec_template(struct arena *a, bool rootless, uid_t uid, gid_t gid);

#endif
