/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor - what the two forms of the floor share: the work list
 *
 * The lists are what `cleat spec` writes into a bundle.
 */
#ifndef CLEAT_TESTS_FLOOR_H
#define CLEAT_TESTS_FLOOR_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FLOOR_HIERARCHIES_MAX 16

#define CHECK(x)                                                                 \
	do {                                                                     \
		if ((long)(x) < 0) {                                             \
			fprintf(stderr, "floor: %s: %s\n", #x, strerror(errno)); \
			_exit(99);                                               \
		}                                                                \
	} while (0)

struct floor_options {
	const char *rootfs;
	const char *cgroup_parent; /* in the v2 tree */
	char **argv;
	int by_descriptor;
	int no_program;
	unsigned program_id; /* 0: load one */
	const char *filter;
	const char *v1[FLOOR_HIERARCHIES_MAX];
	size_t n_v1;
};

struct floor_device {
	const char *name;
	int major, minor;
};

struct floor_link {
	const char *target, *name;
};

/* All end with a NULL. */
extern const char *const floor_masked_dirs[];
extern const char *const floor_masked_files[];
extern const char *const floor_readonly[];
extern const struct floor_device floor_devices[];
extern const struct floor_link floor_links[];

/* In the child: from its fresh namespaces to "/" being the container's read-only root. */
void floor_mounts_classic(const struct floor_options *options);
void floor_mounts_fds(const struct floor_options *options);

#endif
