/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_io - weights and throttles of block devices; config-linux.md "Block IO"
 *
 * Weights belong to a scheduler: bfq has its own files on either version, and where
 * they are missing io.weight is that of iocost.
 */
#include <inttypes.h>

#include "base/str.h"
#include "cgroup/ctl.h"

/* The files of leaves went with the scheduler that knew them. */
#define NO_LEAVES "no kernel since 5.0 has it"

/* (10..1000) -> (1..10000), linear */
unsigned ctl_weight_of_blkio(unsigned weight)
{
	return weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

static int check_device(struct ctl_out *o, const char *field, size_t i, int64_t major,
			int64_t minor)
{
	if (major >= 0 && major <= UINT32_MAX && minor >= 0 && minor <= UINT32_MAX)
		return 0;
	return err_user(o->err, "linux.resources.blockIO",
			"linux.resources.%s[%zu]: %" PRId64 ":%" PRId64 " is no device", field, i,
			major, minor);
}

struct throttle {
	const char *field, *v1_file, *v2_key;
	struct oci_linux_throttle_device *const *rows;
	size_t n;
};

static int put_throttles(struct ctl_out *o, const struct throttle *t, bool v2)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct oci_linux_throttle_device *d = t->rows[i];

		if (check_device(o, t->field, i, d->major, d->minor) < 0)
			return -o->err->code;
		if (!v2)
			ctl_put(o, t->field, t->v1_file, "%" PRId64 ":%" PRId64 " %" PRIu64,
				d->major, d->minor, d->rate);
		else if (d->rate)
			ctl_put(o, t->field, "io.max", "%" PRId64 ":%" PRId64 " %s=%" PRIu64,
				d->major, d->minor, t->v2_key, d->rate);
		else /* on v1, 0 takes the limit away */
			ctl_put(o, t->field, "io.max", "%" PRId64 ":%" PRId64 " %s=max", d->major,
				d->minor, t->v2_key);
	}
	return 0;
}

static int put_all_throttles(struct ctl_out *o, const struct oci_linux_block_io *b, bool v2)
{
	const struct throttle all[] = {
		{ "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps",
		  b->throttle_read_bps_device, b->n_throttle_read_bps_device },
		{ "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps",
		  b->throttle_write_bps_device, b->n_throttle_write_bps_device },
		{ "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops",
		  b->throttle_read_iops_device, b->n_throttle_read_iops_device },
		{ "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops",
		  b->throttle_write_iops_device, b->n_throttle_write_iops_device },
	};

	for (size_t i = 0; i < COUNT(all); i++)
		if (put_throttles(o, &all[i], v2) < 0)
			return -o->err->code;
	return 0;
}

static const char *device_weight(struct ctl_out *o, const struct oci_linux_weight_device *d,
				 unsigned weight)
{
	return arena_printf(o->arena, "%" PRId64 ":%" PRId64 " %u", d->major, d->minor, weight);
}

static int put_device_weights_v1(struct ctl_out *o, const struct oci_linux_block_io *b)
{
	const char *field = "blockIO.weightDevice";

	for (size_t i = 0; i < b->n_weight_device; i++) {
		const struct oci_linux_weight_device *d = b->weight_device[i];
		const char *text = device_weight(o, d, d->weight);

		if (check_device(o, field, i, d->major, d->minor) < 0)
			return -o->err->code;
		if (d->weight)
			ctl_otherwise(o, ctl_put(o, field, "blkio.weight_device", "%s", text),
				      "blkio.bfq.weight_device", text);
		if (d->leaf_weight)
			ctl_ignored(o, "blockIO.weightDevice.leafWeight", NO_LEAVES);
	}
	return 0;
}

static int io_v1(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_block_io *b = r->block_io;
	const char *text;

	if (!b)
		return 0;
	text = arena_printf(o->arena, "%u", b->weight);
	if (b->weight)
		ctl_otherwise(o, ctl_put(o, "blockIO.weight", "blkio.weight", "%s", text),
			      "blkio.bfq.weight", text);
	if (b->leaf_weight)
		ctl_ignored(o, "blockIO.leafWeight", NO_LEAVES);
	if (put_device_weights_v1(o, b) < 0)
		return -o->err->code;
	return put_all_throttles(o, b, false);
}

static int put_device_weights_v2(struct ctl_out *o, const struct oci_linux_block_io *b)
{
	const char *field = "blockIO.weightDevice";

	for (size_t i = 0; i < b->n_weight_device; i++) {
		const struct oci_linux_weight_device *d = b->weight_device[i];
		unsigned weight = ctl_weight_of_blkio(d->weight);

		if (check_device(o, field, i, d->major, d->minor) < 0)
			return -o->err->code;
		if (d->weight)
			ctl_otherwise(o,
				      ctl_put(o, field, "io.bfq.weight", "%s",
					      device_weight(o, d, d->weight)),
				      "io.weight", device_weight(o, d, weight));
		if (d->leaf_weight)
			ctl_ignored(o, "blockIO.weightDevice.leafWeight", NO_LEAVES);
	}
	return 0;
}

static int io_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_block_io *b = r->block_io;

	if (!b)
		return 0;
	if (b->weight)
		ctl_otherwise(o, ctl_put(o, "blockIO.weight", "io.bfq.weight", "%u", b->weight),
			      "io.weight",
			      arena_printf(o->arena, "%u", ctl_weight_of_blkio(b->weight)));
	if (b->leaf_weight)
		ctl_ignored(o, "blockIO.leafWeight", NO_LEAVES);
	if (put_device_weights_v2(o, b) < 0)
		return -o->err->code;
	return put_all_throttles(o, b, true);
}

const struct ctl ctl_io = { .name = "io", .v1_name = "blkio", .v1 = io_v1, .v2 = io_v2 };
