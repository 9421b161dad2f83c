/* SPDX-License-Identifier: Apache-2.0 */
/* blake2b - see the header; the names of the working variables are those of RFC 7693, section 3 */
#include "base/blake2b.h"

#include <stdbool.h>
#include <string.h>

static const uint64_t iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static uint64_t rotate_right(uint64_t v, unsigned n)
{
	return v >> n | v << (64 - n);
}

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static inline void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y)
{
	v[a] += v[b] + x;
	v[d] = rotate_right(v[d] ^ v[a], 32);
	v[c] += v[d];
	v[b] = rotate_right(v[b] ^ v[c], 24);
	v[a] += v[b] + y;
	v[d] = rotate_right(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotate_right(v[b] ^ v[c], 63);
}

static void compress(struct blake2b *b, const uint8_t *block, size_t n, bool last)
{
	uint64_t v[16], m[16];

	b->counted += n;
	memcpy(v, b->h, sizeof(b->h));
	memcpy(v + 8, iv, sizeof(iv));
	v[12] ^= b->counted;
	if (last)
		v[14] = ~v[14];
	for (int i = 0; i < 16; i++)
		m[i] = load_le64(block + 8 * i);
	for (int round = 0; round < 12; round++) {
		const uint8_t *s = sigma[round % 10];

		mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
		mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
		mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
		mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
		mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
		mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
		mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
		mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
	}
	for (int i = 0; i < 8; i++)
		b->h[i] ^= v[i] ^ v[i + 8];
}

void blake2b_start(struct blake2b *b)
{
	memcpy(b->h, iv, sizeof(iv));
	b->h[0] ^= 0x01010000 ^ BLAKE2B_SIZE; /* fanout 1, depth 1, no key */
	b->counted = 0;
	b->used = 0;
}

void blake2b_add(struct blake2b *b, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t part = sizeof(b->block) - b->used;

		/* A full block stays until more comes: the last one is compressed differently. */
		if (part == 0) {
			compress(b, b->block, sizeof(b->block), false);
			b->used = 0;
			continue;
		}
		if (part > n)
			part = n;
		memcpy(b->block + b->used, p, part);
		b->used += part;
		p += part;
		n -= part;
	}
}

void blake2b_finish(struct blake2b *b, uint8_t ret[BLAKE2B_SIZE])
{
	memset(b->block + b->used, 0, sizeof(b->block) - b->used);
	compress(b, b->block, b->used, true);
	for (int i = 0; i < BLAKE2B_SIZE; i++)
		ret[i] = (uint8_t)(b->h[i / 8] >> (8 * (i % 8)));
}

void blake2b_add_u64(struct blake2b *b, uint64_t v)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	blake2b_add(b, bytes, sizeof(bytes));
}

void blake2b_add_str(struct blake2b *b, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	blake2b_add_u64(b, s ? n : UINT64_MAX);
	blake2b_add(b, s ? s : "", n);
}
