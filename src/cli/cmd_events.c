/* SPDX-License-Identifier: Apache-2.0 */
/* events - what a container uses, as JSON: once, or at intervals until it ends */
#include <unistd.h>

#include "base/str.h"
#include "cli/stats_json.h"

#define INTERVAL_DEFAULT_MS 5000

struct events_args {
	const char *interval;
	bool stats;
};

static const struct option_row rows[] = {
	{ "interval", 0, OPTION_STRING, offsetof(struct events_args, interval), "TIME",
	  "time between two figures: 500ms, 5s, 1m (default: 5s)" },
	{ "stats", 0, OPTION_BOOL, offsetof(struct events_args, stats), NULL,
	  "print the figures of now and end" },
};

/* One object, one write: a reader never sees half of one. */
static int emit(void *arg, const char *id, const struct cgroup_stats *stats, struct err *e)
{
	auto_arena a = arena_make();
	struct output o = { .arena = &a };

	(void)arg;
	if (stats) {
		stats_json(&o, id, stats);
	} else {
		output_add(&o, "{\"type\":\"oom\",\"id\":");
		output_json_string(&o, id);
		output_add(&o, "}\n");
	}
	return output_flush(&o, e);
}

static int events_run(struct invocation *inv, struct err *e)
{
	const struct events_args *args = inv->args;
	const struct context *ctx = &inv->globals.context;
	const char *id = inv->operands[0];
	uint64_t interval = INTERVAL_DEFAULT_MS;
	struct cgroup_stats stats;
	int r;

	if (args->interval && str_to_duration_ms(args->interval, &interval) < 0)
		return cli_usage(e, args->interval,
				 "option '--interval' needs a time such as 5s, not '%s'",
				 args->interval);
	if (!interval || interval > INT32_MAX)
		return cli_usage(e, args->interval, "option '--interval': %s is out of range",
				 args->interval);
	if (!args->stats) {
		const struct event_sink sink = { .interval_ms = (int64_t)interval,
						 .output = STDOUT_FILENO,
						 .emit = emit };

		return container_events(ctx, id, &sink, e);
	}
	r = container_stats(inv->arena, ctx, id, &stats, e);
	return r < 0 ? r : emit(NULL, id, &stats, e);
}

const struct command command_events = {
	.name = "events",
	.operands = "ID",
	.summary = "print figures and out-of-memory events of a container as JSON",
	.min_operands = 1,
	.max_operands = 1,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct events_args),
	.run = events_run,
};
