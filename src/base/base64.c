/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* -1: no letter of the alphabet. */
static int value_of(char c)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

int base64_decode(struct arena *a, const char *text, void **ret, size_t *ret_n)
{
	size_t len = strlen(text), pad = 0, n = 0;
	unsigned char *bytes = arena_alloc(a, len / 4 * 3 + 1);
	uint32_t bits = 0;

	if (len % 4 != 0)
		return -EINVAL;
	while (pad < 2 && pad < len && text[len - pad - 1] == '=')
		pad++;
	for (size_t i = 0; i < len; i++) {
		int value = i < len - pad ? value_of(text[i]) : 0;

		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		bytes[n++] = bits >> 16 & 0xff;
		bytes[n++] = bits >> 8 & 0xff;
		bytes[n++] = bits & 0xff;
	}
	/* what is left over of the last letter is a byte that the padding takes back */
	for (size_t i = 0; i < pad; i++)
		if (bytes[--n])
			return -EINVAL;
	*ret = bytes;
	*ret_n = n;
	return 0;
}
