/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BLAKE2b-256 against values made with Python's hashlib.blake2b(digest_size=32). The
 * lengths are those at which the last block changes its shape.
 */
#include <stdio.h>
#include <string.h>

#include "base/blake2b.h"
#include "unit/unit.h"

static const struct {
	size_t n; /* bytes 0, 7, 14, ... modulo 256 */
	const char *want;
} rows[] = {
	{ 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8" },
	{ 1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314" },
	{ 3, "b316f3683ac87007461037a8ff6547de35618800044bb3a4e98b3560c92c3794" },
	{ 127, "4ff62e7c4c43fe101a078479c48836be4907d9d498dcc577ca89d694b2c11f9b" },
	{ 128, "14696d2a98d9f8a280da8b132b1045b345e1033759c6b02fcc4ee885c8ae7c37" },
	{ 129, "3934215260b1039be9d9d2b073b059bcd50120c327a22af93eb4d98cf821c14c" },
	{ 256, "3d0cb2693dfbac42af5a6cc960953fea8714aa39c4bcd054ef61d6b5e98ade4a" },
	{ 1000, "6ac4bea923678eb024090384d6e767b5870f849057dc19b172d8d9f2df30bf8e" },
};

static void hex(const uint8_t *digest, char *ret)
{
	for (size_t i = 0; i < BLAKE2B_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void digest_in_steps(size_t row, size_t step, char *ret)
{
	uint8_t bytes[1000], digest[BLAKE2B_SIZE];
	struct blake2b b;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	blake2b_start(&b);
	for (size_t i = 0; i < rows[row].n; i += step)
		blake2b_add(&b, bytes + i, step < rows[row].n - i ? step : rows[row].n - i);
	blake2b_finish(&b, digest);
	hex(digest, ret);
}

static void digest_of(const char *a, const char *b, char *ret)
{
	uint8_t digest[BLAKE2B_SIZE];
	struct blake2b state;

	blake2b_start(&state);
	blake2b_add_str(&state, a);
	blake2b_add_str(&state, b);
	blake2b_finish(&state, digest);
	hex(digest, ret);
}

TEST(digests)
{
	static const size_t steps[] = { 1, 3, 64, 127, 128, 129, 1000 };

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < COUNT(steps); k++) {
			char is[2 * BLAKE2B_SIZE + 1];

			unit_row("%zu bytes by %zu", rows[i].n, steps[k]);
			digest_in_steps(i, steps[k], is);
			CHECK_STR(is, rows[i].want);
		}
}

TEST(strings_do_not_flow)
{
	char x[2 * BLAKE2B_SIZE + 1], y[2 * BLAKE2B_SIZE + 1];

	digest_of("ab", "c", x);
	digest_of("a", "bc", y);
	CHECK(!str_eq(x, y));
	digest_of("", NULL, x);
	digest_of(NULL, "", y);
	CHECK(!str_eq(x, y));
}
