/* SPDX-License-Identifier: Apache-2.0 */
/* update - other limits for a container, from options or from a JSON object */
#include <fcntl.h>
#include <stdint.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "ocispec/decode.h"

#define RESOURCES_MAX (1 << 20)

enum {
	BLKIO_WEIGHT,
	CPU_PERIOD,
	CPU_QUOTA,
	CPU_BURST,
	CPU_SHARE,
	CPU_RT_PERIOD,
	CPU_RT_RUNTIME,
	CPU_IDLE,
	CPUSET_CPUS,
	CPUSET_MEMS,
	KERNEL_MEMORY,
	KERNEL_MEMORY_TCP,
	MEMORY,
	MEMORY_RESERVATION,
	MEMORY_SWAP,
	PIDS_LIMIT,
	L3_CACHE_SCHEMA,
	MEM_BW_SCHEMA,
	N_VALUES,
};

struct update_args {
	const char *file;
	const char *values[N_VALUES];
};

#define VALUE(name, i, word, help)                                                          \
	{                                                                                   \
		name, 0, OPTION_STRING, offsetof(struct update_args, values[i]), word, help \
	}

static const struct option_row rows[] = {
	{ "resources", 'r', OPTION_STRING, offsetof(struct update_args, file), "FILE",
	  "linux.resources as JSON, '-' for standard input; no other option then" },
	VALUE("blkio-weight", BLKIO_WEIGHT, "N", "weight of block IO, 10 to 1000"),
	VALUE("cpu-period", CPU_PERIOD, "US", "period of the CPU quota"),
	VALUE("cpu-quota", CPU_QUOTA, "US", "CPU time in a period, -1 for no limit"),
	VALUE("cpu-burst", CPU_BURST, "US", "what may be saved up beyond the quota"),
	VALUE("cpu-share", CPU_SHARE, "N", "share of CPU time, 2 to 262144"),
	VALUE("cpu-rt-period", CPU_RT_PERIOD, "US", "period of the realtime limit"),
	VALUE("cpu-rt-runtime", CPU_RT_RUNTIME, "US", "realtime CPU time in a period"),
	VALUE("cpu-idle", CPU_IDLE, "N", "1: run when nobody else wants to, 0: as usual"),
	VALUE("cpuset-cpus", CPUSET_CPUS, "LIST", "CPUs to run on: 0-3,7"),
	VALUE("cpuset-mems", CPUSET_MEMS, "LIST", "memory nodes to use"),
	VALUE("kernel-memory", KERNEL_MEMORY, "SIZE", NULL),
	VALUE("kernel-memory-tcp", KERNEL_MEMORY_TCP, "SIZE", "memory of TCP buffers (cgroup v1)"),
	VALUE("memory", MEMORY, "SIZE", "limit of memory: 512m, -1 for none"),
	VALUE("memory-reservation", MEMORY_RESERVATION, "SIZE", "memory to leave when it is short"),
	VALUE("memory-swap", MEMORY_SWAP, "SIZE", "limit of memory and swap together"),
	VALUE("pids-limit", PIDS_LIMIT, "N", "number of processes and threads, -1 for any"),
	VALUE("l3-cache-schema", L3_CACHE_SCHEMA, "LINE", "intelRdt.l3CacheSchema"),
	VALUE("mem-bw-schema", MEM_BW_SCHEMA, "LINE", "intelRdt.memBwSchema"),
};

/* --- numbers ---------------------------------------------------------------------------------- */

struct numbers {
	const char *const *values;
	bool any; /* one of the numbers asked for was given */
	struct err *err;
};

static const char *name_of_value(size_t i)
{
	for (size_t k = 0; k < COUNT(rows); k++)
		if (rows[k].offset == offsetof(struct update_args, values) + i * sizeof(char *))
			return rows[k].name;
	return "";
}

/* 0 when it is not given; the first that is wrong ends up in n->err. */
static int64_t number(struct numbers *n, size_t i, int64_t min, int64_t max, bool is_size,
		      bool *ret_has)
{
	const char *text = n->values[i];
	int64_t v = 0;

	*ret_has = text != NULL;
	if (!text)
		return 0;
	n->any = true;
	if (n->err->code)
		return 0;
	if ((is_size ? str_to_size(text, &v) : str_to_i64(text, &v)) < 0)
		cli_usage(n->err, text, "option '--%s' needs a %s, not '%s'", name_of_value(i),
			  is_size ? "size" : "number", text);
	else if (v < min || v > max)
		cli_usage(n->err, text, "option '--%s': %s is out of range", name_of_value(i),
			  text);
	return v;
}

static struct oci_linux_memory *make_memory(struct arena *a, const struct update_args *args,
					    struct err *e)
{
	struct oci_linux_memory *m = arena_new(a, struct oci_linux_memory);
	struct numbers n = { .values = args->values, .err = e };

	m->limit = number(&n, MEMORY, -1, INT64_MAX, true, &m->has_limit);
	m->reservation = number(&n, MEMORY_RESERVATION, -1, INT64_MAX, true, &m->has_reservation);
	m->swap = number(&n, MEMORY_SWAP, -1, INT64_MAX, true, &m->has_swap);
	m->kernel = number(&n, KERNEL_MEMORY, -1, INT64_MAX, true, &m->has_kernel);
	m->kernel_tcp = number(&n, KERNEL_MEMORY_TCP, -1, INT64_MAX, true, &m->has_kernel_tcp);
	return n.any ? m : NULL;
}

static struct oci_linux_cpu *make_cpu(struct arena *a, const struct update_args *args,
				      struct err *e)
{
	struct oci_linux_cpu *c = arena_new(a, struct oci_linux_cpu);
	struct numbers n = { .values = args->values, .err = e };

	c->shares = (uint64_t)number(&n, CPU_SHARE, 0, INT64_MAX, false, &c->has_shares);
	c->quota = number(&n, CPU_QUOTA, -1, INT64_MAX, false, &c->has_quota);
	c->burst = (uint64_t)number(&n, CPU_BURST, 0, INT64_MAX, false, &c->has_burst);
	c->period = (uint64_t)number(&n, CPU_PERIOD, 0, INT64_MAX, false, &c->has_period);
	c->realtime_runtime =
		number(&n, CPU_RT_RUNTIME, -1, INT64_MAX, false, &c->has_realtime_runtime);
	c->realtime_period =
		(uint64_t)number(&n, CPU_RT_PERIOD, 0, INT64_MAX, false, &c->has_realtime_period);
	c->idle = number(&n, CPU_IDLE, 0, 1, false, &c->has_idle);
	c->cpus = args->values[CPUSET_CPUS];
	c->mems = args->values[CPUSET_MEMS];
	return n.any || c->cpus || c->mems ? c : NULL;
}

static int from_options(struct arena *a, const struct update_args *args,
			struct oci_linux_resources *r, struct err *e)
{
	struct oci_linux_block_io *io = arena_new(a, struct oci_linux_block_io);
	struct oci_linux_pids *pids = arena_new(a, struct oci_linux_pids);
	struct numbers n = { .values = args->values, .err = e };

	r->memory = make_memory(a, args, e);
	r->cpu = make_cpu(a, args, e);
	io->weight = (uint16_t)number(&n, BLKIO_WEIGHT, 0, 1000, false, &io->has_weight);
	r->block_io = io->has_weight ? io : NULL;
	pids->limit = number(&n, PIDS_LIMIT, -1, INT64_MAX, false, &pids->has_limit);
	r->pids = pids->has_limit ? pids : NULL;
	return -e->code;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static int from_file(struct arena *a, const char *name, struct oci_linux_resources **ret,
		     struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	bool standard = str_eq(name, "-");
	struct ocispec_error oe = { 0 };
	void *object;
	char *text;
	ssize_t len;

	len = file_read_named(AT_FDCWD, name, a, RESOURCES_MAX, &text, e);
	if (len < 0)
		return -e->code;
	if (ocispec_decode(&oci_linux_resources_type, text, (size_t)len, &alloc, NULL, &object,
			   &oe) < 0)
		return err_user(e, name, "%s:%u:%u: %s%s%s", standard ? "standard input" : name,
				oe.line, oe.column, oe.path, *oe.path ? ": " : "", oe.text);
	*ret = object;
	return 0;
}

/* --- the command ------------------------------------------------------------------------------ */

static bool any_value(const struct update_args *args)
{
	for (size_t i = 0; i < N_VALUES; i++)
		if (args->values[i])
			return true;
	return false;
}

static int update_run(struct invocation *inv, struct err *e)
{
	const struct update_args *args = inv->args;
	struct oci_linux_resources *r = arena_new(inv->arena, struct oci_linux_resources);
	struct update_options o = {
		.l3_cache_schema = args->values[L3_CACHE_SCHEMA],
		.mem_bw_schema = args->values[MEM_BW_SCHEMA],
	};

	if (args->file && any_value(args))
		return cli_usage(e, "resources", "option '--resources' goes with no other option");
	if (args->file ? from_file(inv->arena, args->file, &r, e) < 0
		       : from_options(inv->arena, args, r, e) < 0)
		return -e->code;
	o.resources = r;
	return container_update(&inv->globals.context, inv->operands[0], &o, e);
}

const struct command command_update = {
	.name = "update",
	.operands = "ID",
	.summary = "change the limits of a container",
	.min_operands = 1,
	.max_operands = 1,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct update_args),
	.run = update_run,
};
