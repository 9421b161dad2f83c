/* SPDX-License-Identifier: Apache-2.0 */
/* stats_rows - the figures of several containers as a table or for Prometheus; pure */
#ifndef CLEAT_CLI_STATS_ROWS_H
#define CLEAT_CLI_STATS_ROWS_H

#include "cgroup/cgroup.h"
#include "cli/cli.h"

struct stats_row {
	const char *id;
	struct cgroup_stats stats;
	int64_t at;	       /* when it was read; CLOCK_MONOTONIC, ms */
	uint64_t cpu_permille; /* of one CPU, since the look before */
	bool has_cpu_permille;
};

struct stats_rows {
	struct stats_row *v;
	size_t n, cap;
};

void stats_rows_table(struct output *o, const struct stats_rows *rows);
/* The text format of Prometheus, version 0.0.4. */
void stats_rows_prometheus(struct output *o, const struct stats_rows *rows);

#endif
