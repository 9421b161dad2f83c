/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_raw - where a filter comes from, and one that comes as its instructions
 *
 * The kernel has the last word on those (seccomp_check_filter() and bpf_check_classic() in
 * it), but all that it says is EINVAL. What one instruction alone shows is told here, before
 * anything is made, with its number. What is left is memory that is read before it is written.
 */
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/base64.h"
#include "base/str.h"
#include "sec/sec.h"

#define BPF_DATA "annotations[\"" SPEC_ANNOTATION_SECCOMP_BPF "\"]"

/* --- who gets the listener ---------------------------------------------------------------- */

const char *seccomp_receiver(const struct oci_config *config, const char *variable)
{
	const struct oci_linux_seccomp *s = config->linux ? config->linux->seccomp : NULL;
	const char *annotation = spec_annotation(config, SPEC_ANNOTATION_SECCOMP_RECEIVER);

	if (s && s->listener_path && *s->listener_path)
		return s->listener_path;
	return annotation ? annotation : variable;
}

static bool raw_notifies(const struct seccomp_source *s)
{
	for (size_t i = 0; i < s->n_raw; i++) {
		const struct sock_filter *insn = &s->raw[i];

		if (insn->code == (BPF_RET | BPF_K) &&
		    (insn->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
		if (insn->code == (BPF_RET | BPF_A) && s->receiver)
			return true;
	}
	return false;
}

bool seccomp_notifies(const struct seccomp_source *s)
{
	if (s->raw)
		return raw_notifies(s);
	for (size_t i = 0; s->profile && i < s->profile->n_syscalls; i++)
		if (str_eq(s->profile->syscalls[i]->action, "SCMP_ACT_NOTIFY"))
			return true;
	return false;
}

/* --- instructions ------------------------------------------------------------------------- */

#define K_AND_X(code) (code) | BPF_K, (code) | BPF_X

/* All that seccomp(2) takes of what a socket would. */
static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS,
	BPF_LD | BPF_W | BPF_LEN,
	BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM,
	BPF_LDX | BPF_IMM,
	BPF_LD | BPF_MEM,
	BPF_LDX | BPF_MEM,
	BPF_ST,
	BPF_STX,
	K_AND_X(BPF_ALU | BPF_ADD),
	K_AND_X(BPF_ALU | BPF_SUB),
	K_AND_X(BPF_ALU | BPF_MUL),
	K_AND_X(BPF_ALU | BPF_DIV),
	K_AND_X(BPF_ALU | BPF_AND),
	K_AND_X(BPF_ALU | BPF_OR),
	K_AND_X(BPF_ALU | BPF_XOR),
	K_AND_X(BPF_ALU | BPF_LSH),
	K_AND_X(BPF_ALU | BPF_RSH),
	BPF_ALU | BPF_NEG,
	BPF_JMP | BPF_JA,
	K_AND_X(BPF_JMP | BPF_JEQ),
	K_AND_X(BPF_JMP | BPF_JGT),
	K_AND_X(BPF_JMP | BPF_JGE),
	K_AND_X(BPF_JMP | BPF_JSET),
	BPF_MISC | BPF_TAX,
	BPF_MISC | BPF_TXA,
	BPF_RET | BPF_K,
	BPF_RET | BPF_A,
};

static bool is_code(uint16_t code)
{
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* Would the kernel refuse the constant of an instruction whose code it takes? */
static bool is_bad_constant(const struct sock_filter *insn)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return insn->k >= sizeof(struct seccomp_data) || insn->k % 4 != 0;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return insn->k >= BPF_MEMWORDS;
	case BPF_ALU | BPF_DIV | BPF_K:
		return insn->k == 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return insn->k >= 32;
	default:
		return false;
	}
}

/* How far an instruction leads at most, counted from the next one. */
static size_t reach(const struct sock_filter *insn)
{
	if (BPF_CLASS(insn->code) != BPF_JMP)
		return 0;
	if (BPF_OP(insn->code) == BPF_JA)
		return insn->k;
	return insn->jt > insn->jf ? insn->jt : insn->jf;
}

static int check_program(const struct sock_filter *insns, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *insn = &insns[i];

		if (!is_code(insn->code))
			return err_user(e, NULL,
					BPF_DATA ": instruction %zu: the code %#x is none that "
						 "seccomp takes",
					i, insn->code);
		if (is_bad_constant(insn))
			return err_user(e, NULL,
					BPF_DATA ": instruction %zu: the code %#x does not go with "
						 "the constant %#x",
					i, insn->code, insn->k);
		if (BPF_CLASS(insn->code) != BPF_RET && reach(insn) >= n - i - 1)
			return err_user(e, NULL,
					BPF_DATA ": instruction %zu leads out of the filter", i);
	}
	return 0;
}

static int take_raw(struct arena *a, const char *text, struct seccomp_source *s, struct err *e)
{
	size_t size;
	void *bytes;

	if (base64_decode(a, text, &bytes, &size) < 0)
		return err_user(e, NULL,
				BPF_DATA ": is not base64, with padding and without spaces");
	s->raw = bytes;
	s->n_raw = size / sizeof(*s->raw);
	if (size % sizeof(*s->raw) != 0)
		return err_user(e, NULL,
				BPF_DATA ": %zu bytes are no instructions, which have %zu each",
				size, sizeof(*s->raw));
	if (s->n_raw < 1 || s->n_raw > BPF_MAXINSNS)
		return err_user(e, NULL, BPF_DATA ": a filter has 1 to %d instructions, not %zu",
				BPF_MAXINSNS, s->n_raw);
	return check_program(s->raw, s->n_raw, e);
}

int seccomp_source_make(struct arena *a, const struct oci_config *config, const char *variable,
			struct seccomp_source *ret, struct err *e)
{
	const char *raw = spec_annotation(config, SPEC_ANNOTATION_SECCOMP_BPF);
	struct seccomp_source s = {
		.profile = config->linux ? config->linux->seccomp : NULL,
		.known_only = spec_annotation_is_set(config, SPEC_ANNOTATION_SECCOMP_UNKNOWN),
		.receiver = seccomp_receiver(config, variable),
	};

	s.from_environment = s.receiver && s.receiver == variable;
	if (raw && take_raw(a, raw, &s, e) < 0)
		return -e->code;
	*ret = s;
	return 0;
}
