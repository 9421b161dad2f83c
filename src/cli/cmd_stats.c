/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats - what containers use, for people and for collectors
 *
 * All containers that run, or those that are named, in one process. The share of the CPU
 * needs two looks, so --watch alone shows it.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/stats_rows.h"
#include "cli/stats_json.h"
#include "sys/sys.h"

#define INTERVAL_DEFAULT_MS 2000
#define CLEAR_SCREEN	    "\033[H\033[J"

enum stats_format { STATS_TABLE, STATS_JSON, STATS_PROMETHEUS };

struct stats_args {
	int format;
	bool watch;
	const char *interval;
};

static const struct name_row formats[] = {
	{ "table", STATS_TABLE },
	{ "json", STATS_JSON },
	{ "prometheus", STATS_PROMETHEUS },
};

static const struct option_row options[] = {
	{ "format", 'f', OPTION_NAME, offsetof(struct stats_args, format), "FORMAT",
	  "table, json or prometheus (default: table)", formats, COUNT(formats) },
	{ "watch", 'w', OPTION_BOOL, offsetof(struct stats_args, watch), NULL,
	  "again and again, with the share of the CPU" },
	{ "interval", 0, OPTION_STRING, offsetof(struct stats_args, interval), "TIME",
	  "with --watch: time between two looks (default: 2s)" },
};

/* --- looking ---------------------------------------------------------------------------------- */

static const struct stats_row *find_row(const struct stats_rows *rows, const char *id)
{
	for (size_t i = 0; i < rows->n; i++)
		if (str_eq(rows->v[i].id, id))
			return &rows->v[i];
	return NULL;
}

static void add_row(struct arena *a, struct stats_rows *rows, const char *id,
		    const struct cgroup_stats *stats, const struct stats_rows *before)
{
	const struct stats_row *old = before ? find_row(before, id) : NULL;
	struct stats_row *row = vec_push(a, rows);

	row->id = arena_strdup(a, id);
	row->stats = *stats;
	row->at = clock_now_ms();
	if (old && row->at > old->at && stats->cpu.total >= old->stats.cpu.total) {
		/* ns in ms: 1e6 of them are one CPU */
		row->cpu_permille = (stats->cpu.total - old->stats.cpu.total) /
				    (uint64_t)(row->at - old->at) / 1000;
		row->has_cpu_permille = true;
	}
}

/* One that ends while we look, or that has no cgroup, is left out. */
static int look_at_all(struct arena *a, const struct context *ctx, struct stats_rows *ret,
		       const struct stats_rows *before, struct err *e)
{
	struct oci_state **states = NULL;
	struct cgroup_stats stats;
	size_t n = 0;

	if (container_list(a, ctx, &states, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		struct err ignored = { 0 };

		if (states[i]->pid && container_stats(a, ctx, states[i]->id, &stats, &ignored) == 0)
			add_row(a, ret, states[i]->id, &stats, before);
	}
	return 0;
}

static int look(struct arena *a, struct invocation *inv, struct stats_rows *ret,
		const struct stats_rows *before, struct err *e)
{
	const struct context *ctx = &inv->globals.context;
	struct cgroup_stats stats;

	if (!inv->n_operands)
		return look_at_all(a, ctx, ret, before, e);
	for (size_t i = 0; i < inv->n_operands; i++) {
		if (container_stats(a, ctx, inv->operands[i], &stats, e) < 0)
			return -e->code;
		add_row(a, ret, inv->operands[i], &stats, before);
	}
	return 0;
}

/* --- printing --------------------------------------------------------------------------------- */

static int print(struct arena *a, const struct stats_args *args, const struct stats_rows *rows,
		 struct err *e)
{
	struct output o = { .arena = a };

	if (args->watch && args->format == STATS_TABLE && isatty(STDOUT_FILENO))
		output_add(&o, CLEAR_SCREEN);
	if (args->format == STATS_TABLE)
		stats_rows_table(&o, rows);
	else if (args->format == STATS_PROMETHEUS)
		stats_rows_prometheus(&o, rows);
	else
		for (size_t i = 0; i < rows->n; i++)
			stats_json(&o, rows->v[i].id, &rows->v[i].stats);
	return output_flush(&o, e);
}

/* True when the reader of our output has gone. */
static bool wait_for_next(uint64_t interval_ms)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return sys_ppoll(&output, 1, (int64_t)interval_ms) > 0;
}

/* Two arenas by turns: one look needs the figures of the one before. */
static int watch(struct invocation *inv, uint64_t interval_ms, struct err *e)
{
	struct arena arenas[2] = { arena_make(), arena_make() };
	struct stats_rows looks[2] = { { 0 }, { 0 } };
	int r;

	for (unsigned turn = 0;; turn = !turn) {
		arena_drop(&arenas[turn]);
		looks[turn] = (struct stats_rows){ 0 };
		r = look(&arenas[turn], inv, &looks[turn], &looks[!turn], e);
		if (r == 0)
			r = print(&arenas[turn], inv->args, &looks[turn], e);
		if (r < 0 || wait_for_next(interval_ms))
			break;
	}
	arena_drop(&arenas[0]);
	arena_drop(&arenas[1]);
	return r;
}

static int stats_run(struct invocation *inv, struct err *e)
{
	const struct stats_args *args = inv->args;
	uint64_t interval = INTERVAL_DEFAULT_MS;
	struct stats_rows rows = { 0 };

	if (args->interval && (str_to_duration_ms(args->interval, &interval) < 0 || !interval))
		return cli_usage(e, args->interval,
				 "option '--interval' needs a time such as 5s, not '%s'",
				 args->interval);
	if (args->watch)
		return watch(inv, interval, e);
	if (look(inv->arena, inv, &rows, NULL, e) < 0)
		return -e->code;
	return print(inv->arena, args, &rows, e);
}

const struct command command_stats = {
	.name = "stats",
	.operands = "[ID...]",
	.summary = "show what containers use: CPU, memory, IO, processes, pressure",
	.max_operands = SIZE_MAX,
	.options = { options, COUNT(options) },
	.args_size = sizeof(struct stats_args),
	.run = stats_run,
};
