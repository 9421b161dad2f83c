/* SPDX-License-Identifier: Apache-2.0 */
/* str - the string helpers that C lacks; none of them depends on the locale */
#ifndef CLEAT_BASE_STR_H
#define CLEAT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix);

/* Copy with termination; returns false when it had to be cut. */
bool str_copy(char *to, size_t size, const char *from);

/* Copy, and when it does not fit leave "..." in the middle. */
void str_shorten(char *to, size_t size, const char *from);

/* Is @word one of those between the commas of @list? */
bool str_has_word(const char *list, const char *word);

/*
 * Replace in place what must not reach a terminal or a line of a log: control
 * characters, separators, changes of the text's direction and broken UTF-8 by '?',
 * line ends and tabs by ' '. What remains is valid UTF-8.
 */
void str_escape_control(char *s);
/* Length of the valid UTF-8 sequence that @text begins with, 0 when it is broken. */
size_t str_utf8_length(const char *text);

/*
 * Undo in place what the kernel does to names in /proc/PID/mountinfo: "\040" is a blank,
 * proc_pid_mountinfo(5). Returns @s.
 */
char *str_unescape_octal(char *s);

/*
 * Strict decimal: digits only (a leading '-' for the signed form), in range, all
 * of the string. Returns 0, -EINVAL (not a number) or -ERANGE.
 */
int str_to_u64(const char *s, uint64_t *ret);
int str_to_i64(const char *s, int64_t *ret);
int str_to_u32(const char *s, uint32_t *ret);
/*
 * Cut the next word off *@text and read it as str_to_u32() does. Words are what is between
 * the characters of @separators, as with strtok(3). Returns 0, -ENODATA at the end, -EINVAL
 * or -ERANGE.
 */
int str_cut_u32(char **text, const char *separators, uint32_t *ret);

/*
 * A size: 512, 10k, 1.5g, 2GiB (units k m g t p, powers of 1024, either case, "b" or
 * "ib" may follow), or -1. Returns 0, -EINVAL or -ERANGE.
 */
int str_to_size(const char *s, int64_t *ret);

/*
 * A duration as Go writes it ("5s", "1m30s", "1.5h", "250ms", "10us") or plain seconds;
 * the result, in milliseconds, is rounded up. Returns 0, -EINVAL or -ERANGE.
 */
int str_to_duration_ms(const char *s, uint64_t *ret_ms);

/* Compare without regard to ASCII case. */
int str_casecmp(const char *a, const char *b);

#endif
