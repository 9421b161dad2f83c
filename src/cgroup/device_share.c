/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_share - one program for all containers with equal rules
 *
 * What a program costs is its loading, by the kernel's verifier and compiler: 75 us for
 * the default rules, 0.65 ms for sixty. One that is loaded already is found in 5 us,
 * and does for any number of cgroups. A file of the state root notes which there are, in a
 * table by the hash of the instructions.
 *
 * The file is a hint and no more. A program is taken only when the kernel gives back the
 * very instructions that are wanted, so whatever the file says, half written, from before
 * the last boot or by somebody else, it can cost a load and never give other rules. So it
 * needs no lock and no rename.
 */
#include <fcntl.h>
#include <string.h>

#include "cgroup/devices.h"
#include "sys/bpf.h"
#include "sys/sys.h"

#define HINTS_NAME ".device-programs"
#define HINTS_MODE 0600
#define SLOTS	   64

struct hint {
	uint64_t hash;
	uint32_t id, n; /* of the program; how many instructions it has */
};

/* FNV-1a: it spreads over the slots, nothing depends on more */
static uint64_t hash_of(const struct bpf_insn *insns, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)insns;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n * sizeof(*insns); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t slot_of(const struct hint *h)
{
	return h->hash % SLOTS * sizeof(*h);
}

/* Where the kernel rewrites what it was given, or hides it, no program is ever the same. */
static bool is_same(struct arena *a, int prog, const struct bpf_insn *insns, size_t n)
{
	struct bpf_insn *loaded = arena_new_n(a, n, struct bpf_insn);
	struct bpf_prog_info info = {
		.xlated_prog_insns = (uint64_t)(uintptr_t)loaded,
		.xlated_prog_len = (uint32_t)(n * sizeof(*insns)),
	};

	return sys_bpf_prog_info(prog, &info) == 0 && info.type == BPF_PROG_TYPE_CGROUP_DEVICE &&
	       info.xlated_prog_insns && info.xlated_prog_len == n * sizeof(*insns) &&
	       memcmp(loaded, insns, n * sizeof(*insns)) == 0;
}

static int find(struct arena *a, int file, const struct bpf_insn *insns, struct hint *h)
{
	struct hint found;
	int prog;

	if (sys_pread(file, &found, sizeof(found), slot_of(h)) != sizeof(found) ||
	    found.hash != h->hash || found.n != h->n)
		return -ENOENT;
	prog = sys_bpf_prog_by_id(found.id);
	if (prog >= 0 && !is_same(a, prog, insns, h->n))
		fd_close(&prog);
	h->id = found.id;
	return prog < 0 ? -ENOENT : prog;
}

int device_share_get(struct arena *a, int hints, const struct bpf_insn *insns, size_t n,
		     uint32_t *ret_id)
{
	auto_fd file = hints < 0 ? -ENOENT
				 : sys_openat(hints, HINTS_NAME, O_RDWR | O_CREAT | O_NOFOLLOW,
					      HINTS_MODE);
	struct hint h = { .hash = hash_of(insns, n), .n = (uint32_t)n };
	struct bpf_prog_info info = { 0 };
	int prog = file < 0 ? -ENOENT : find(a, file, insns, &h);

	*ret_id = prog < 0 ? 0 : h.id;
	if (prog >= 0)
		return prog;
	prog = sys_bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, DEVICE_PROG_NAME, insns, n);
	if (prog < 0 || sys_bpf_prog_info(prog, &info) < 0)
		return prog;
	*ret_id = h.id = info.id;
	/* without the note the next one loads its own */
	if (file >= 0)
		sys_pwrite(file, &h, sizeof(h), slot_of(&h));
	return prog;
}
