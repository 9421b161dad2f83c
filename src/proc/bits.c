/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits - lists of CPUs and memory nodes as the kernel writes and reads them: "0-3,7"
 *
 * It reads blanks and further commas between elements as well, config-schema.json allows
 * them, and cpuset files take them.
 */
#include "base/str.h"
#include "proc/parts.h"

#define BITS_MAX   65536U /* more than any kernel has of either */
#define SEPARATORS ", "

static const char *parse_number(const char *s, uint32_t *ret)
{
	uint32_t value = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	while (*s >= '0' && *s <= '9') {
		value = value * 10 + (uint32_t)(*s++ - '0');
		if (value >= BITS_MAX)
			return NULL;
	}
	*ret = value;
	return s;
}

/* One element, "3" or "3-5", from @s on; returns what follows it, or NULL. */
static const char *parse_range(const char *s, uint32_t *ret_first, uint32_t *ret_last)
{
	s = parse_number(s, ret_first);
	if (!s)
		return NULL;
	*ret_last = *ret_first;
	if (*s == '-')
		s = parse_number(s + 1, ret_last);
	return s && *ret_last >= *ret_first ? s : NULL;
}

int parse_bits(struct arena *a, const char *text, const char *what, struct proc_bits *ret,
	       struct err *e)
{
	unsigned long *words = arena_new_n(a, BITS_MAX / WORD_BITS, unsigned long);
	uint32_t first, last;
	size_t n_words = 0;

	for (const char *s = text + strspn(text, SEPARATORS); *s; s += strspn(s, SEPARATORS)) {
		s = parse_range(s, &first, &last);
		if (!s || (*s && !strchr(SEPARATORS, *s)))
			return err_user(e, what, "%s: '%s' is not a list of numbers", what, text);
		for (uint32_t i = first; i <= last; i++)
			words[i / WORD_BITS] |= 1UL << i % WORD_BITS;
		if (last / WORD_BITS + 1 > n_words)
			n_words = last / WORD_BITS + 1;
	}
	*ret = (struct proc_bits){ words, n_words };
	return 0;
}
