/* SPDX-License-Identifier: Apache-2.0 */
/* stats_read - what the files of stats share */
#ifndef CLEAT_CGROUP_STATS_READ_H
#define CLEAT_CGROUP_STATS_READ_H

#include "cgroup/internal.h"
#include "cgroup/stats.h"

#define STATS_TEXT_MAX (256 << 10) /* io.stat of a host with a thousand disks */

struct stats_reader {
	struct arena *arena; /* of what is returned */
	const struct cgroup *cg;
	const struct cgroup_dir *dir; /* the one that is read */
	char *text;		      /* of the file that was read last */
};

/* Read a file of r->dir into r->text, which is "" when it is not there. */
bool stats_text(struct stats_reader *r, const char *file);
/* A number; @otherwise when there is none, CGROUP_UNLIMITED for "max". */
uint64_t stats_number(struct stats_reader *r, const char *file, uint64_t otherwise);
/* Take the next line "key value" off *text, which is cut up; false at the end. */
bool stats_pair(char **text, char **ret_key, char **ret_value);
/* "8:0" and what stands behind it; NULL: it is no device. */
char *stats_device(char *text, uint64_t *ret_major, uint64_t *ret_minor);
/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and "full ..." */
void stats_pressure(struct stats_reader *r, const char *file, struct cgroup_pressure *ret);
/* memory.stat: all lines, and the value of one of them. */
void stats_memory_lines(struct stats_reader *r, struct cgroup_memory_stats *m);
uint64_t stats_memory_line(const struct cgroup_memory_stats *m, const char *name);

void stats_cpu_v1(struct stats_reader *r, struct cgroup_cpu_stats *ret);
void stats_cpu_v2(struct stats_reader *r, struct cgroup_cpu_stats *ret);
void stats_throttling(struct stats_reader *r, struct cgroup_cpu_stats *ret);
void stats_memory_v1(struct stats_reader *r, struct cgroup_memory_stats *m);
void stats_memory_v2(struct stats_reader *r, struct cgroup_memory_stats *m);
void stats_io_v1(struct stats_reader *r, struct cgroup_io_stats *io);
void stats_io_v2(struct stats_reader *r, struct cgroup_io_stats *io);

#endif
