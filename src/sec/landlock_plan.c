/* SPDX-License-Identifier: Apache-2.0 */
/* landlock_plan - names of accesses as the kernel's bits; landlock(7) */
#include "base/str.h"
#include "base/table.h"
#include "sec/sec.h"
#include "sys/missing.h"

/* In the order of the bits, so that the kernel's version tells how many it knows. */
static const struct name_row fs_rights[] = {
	{ "execute", 1 << 0 },	  { "write_file", 1 << 1 }, { "read_file", 1 << 2 },
	{ "read_dir", 1 << 3 },	  { "remove_dir", 1 << 4 }, { "remove_file", 1 << 5 },
	{ "make_char", 1 << 6 },  { "make_dir", 1 << 7 },   { "make_reg", 1 << 8 },
	{ "make_sock", 1 << 9 },  { "make_fifo", 1 << 10 }, { "make_block", 1 << 11 },
	{ "make_sym", 1 << 12 },  { "refer", 1 << 13 },	    { "truncate", 1 << 14 },
	{ "ioctl_dev", 1 << 15 },
};

static const struct name_row network_rights[] = { { "bind", 1 << 0 }, { "connect", 1 << 1 } };

/* The decoder knows the same words. */
static uint64_t bits_of(const struct name_row *rows, size_t n_rows, const char *const *names,
			size_t n)
{
	uint64_t bits = 0;
	int64_t bit;

	for (size_t i = 0; i < n; i++)
		if (name_lookup(rows, n_rows, names[i], &bit) == 0)
			bits |= (uint64_t)bit;
	return bits;
}

static void plan_paths(struct arena *a, const struct oci_landlock_rules *rules,
		       struct landlock_plan *p)
{
	struct landlock_path *paths;
	size_t n = 0;

	for (size_t i = 0; i < rules->n_path_beneath; i++)
		n += rules->path_beneath[i]->n_paths;
	paths = arena_new_n(a, n, struct landlock_path);
	for (size_t i = 0; i < rules->n_path_beneath; i++) {
		const struct oci_landlock_path_beneath *b = rules->path_beneath[i];
		uint64_t bits = bits_of(fs_rights, COUNT(fs_rights), b->allowed_access,
					b->n_allowed_access);

		for (size_t k = 0; k < b->n_paths; k++)
			paths[p->n_paths++] = (struct landlock_path){ b->paths[k], bits };
	}
	p->paths = paths;
}

static void plan_ports(struct arena *a, const struct oci_landlock_rules *rules,
		       struct landlock_plan *p)
{
	struct landlock_port *ports;
	size_t n = 0;

	for (size_t i = 0; i < rules->n_network_port; i++)
		n += rules->network_port[i]->n_ports;
	ports = arena_new_n(a, n, struct landlock_port);
	for (size_t i = 0; i < rules->n_network_port; i++) {
		const struct oci_landlock_network_port *b = rules->network_port[i];
		uint64_t bits = bits_of(network_rights, COUNT(network_rights), b->allowed_access,
					b->n_allowed_access);

		for (size_t k = 0; k < b->n_ports; k++)
			ports[p->n_ports++] = (struct landlock_port){ b->ports[k], bits };
	}
	p->ports = ports;
}

void landlock_plan_make(struct arena *a, const struct oci_landlock *oci, struct landlock_plan *ret)
{
	struct landlock_plan p = { .wanted = oci != NULL };

	if (oci) {
		p.best_effort = !oci->disable_best_effort;
		p.fs = bits_of(fs_rights, COUNT(fs_rights), oci->ruleset->handled_access_fs,
			       oci->ruleset->n_handled_access_fs);
		p.network = bits_of(network_rights, COUNT(network_rights),
				    oci->ruleset->handled_access_network,
				    oci->ruleset->n_handled_access_network);
		if (oci->rules) {
			plan_paths(a, oci->rules, &p);
			plan_ports(a, oci->rules, &p);
		}
	}
	*ret = p;
}

uint64_t landlock_known_fs(int abi)
{
	/* how many of the rows each version of the interface knows, from 1 on */
	static const uint8_t known[] = { 13, 14, 15, 15, 16 };
	size_t version = abi < 1 ? 0 : (size_t)abi;

	if (version > COUNT(known))
		version = COUNT(known);
	return version ? (1ULL << known[version - 1]) - 1 : 0;
}

uint64_t landlock_known_network(int abi)
{
	return abi >= 4 ? (1ULL << COUNT(network_rights)) - 1 : 0;
}

const char *landlock_right_names(struct arena *a, uint64_t fs, uint64_t network)
{
	const char *text = "";

	for (size_t i = 0; i < COUNT(fs_rights); i++)
		if (fs & (uint64_t)fs_rights[i].value)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
					    fs_rights[i].name);
	for (size_t i = 0; i < COUNT(network_rights); i++)
		if (network & (uint64_t)network_rights[i].value)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
					    network_rights[i].name);
	return text;
}
