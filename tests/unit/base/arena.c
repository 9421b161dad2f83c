/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "unit/unit.h"

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Pieces of many sizes: aligned, zeroed, apart from each other, and kept until the end. */
TEST(pieces)
{
	enum { PIECES = 3000 };
	static struct {
		char *p;
		size_t n;
	} v[PIECES];
	auto_arena a = arena_make();
	unsigned seed = 1;

	for (size_t i = 0; i < PIECES; i++) {
		seed = seed * 1103515245 + 12345;
		v[i].n = seed >> 16 & (i % 50 ? 127 : 65535);
		v[i].p = arena_alloc(&a, v[i].n);
		unit_row("piece %zu of %zu bytes", i, v[i].n);
		CHECK_INT((intmax_t)((uintptr_t)v[i].p % 16), 0);
		CHECK(is_zero(v[i].p, v[i].n));
		memset(v[i].p, (int)(i % 251), v[i].n);
	}
	for (size_t i = 0; i < PIECES; i++) {
		bool same = true;

		for (size_t k = 0; k < v[i].n; k++)
			same = same && v[i].p[k] == (char)(i % 251);
		unit_row("piece %zu of %zu bytes", i, v[i].n);
		CHECK(same);
	}
}

TEST(empty_pieces_are_unique)
{
	auto_arena a = arena_make();
	void *p = arena_alloc(&a, 0), *q = arena_alloc(&a, 0);

	CHECK(p && q && p != q);
}

TEST(use_after_drop_is_a_new_arena)
{
	auto_arena a = arena_make();
	char *p = arena_alloc(&a, 100000);

	memset(p, 1, 100000);
	arena_drop(&a);
	CHECK(!a.head);
	p = arena_alloc(&a, 100000);
	CHECK(is_zero(p, 100000));
}

/* A large piece must not waste what is left of the block that small ones come from. */
TEST(lent_memory_comes_first)
{
	static _Alignas(16) char block[4096];
	auto_arena a = arena_make();
	char *p, *q;

	arena_lend(&a, block, sizeof(block));
	p = arena_alloc(&a, 100);
	q = arena_alloc(&a, sizeof(block));
	CHECK(p > block && p + 100 <= block + sizeof(block));
	CHECK(q + sizeof(block) <= block || q >= block + sizeof(block));
	CHECK(is_zero(p, 100) && is_zero(q, sizeof(block)));
	memset(p, 1, 100);
	memset(q, 2, sizeof(block));
	arena_drop(&a);
	q = arena_alloc(&a, 1);
	CHECK(q < block || q >= block + sizeof(block));
	CHECK_INT(p[99], 1);
}

TEST(large_pieces_stand_alone)
{
	auto_arena a = arena_make();
	char *small = arena_alloc(&a, 16), *next;

	memset(arena_alloc(&a, 10 << 20), 1, 10 << 20);
	next = arena_alloc(&a, 16);
	CHECK(next > small && next - small <= 64);
}

TEST(strings)
{
	auto_arena a = arena_make();
	char big[5000];

	memset(big, 'b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	CHECK_STR(arena_strdup(&a, "abc"), "abc");
	CHECK_STR(arena_strdup(&a, ""), "");
	CHECK_STR(arena_strndup(&a, "abcdef", 3), "abc");
	CHECK_STR(arena_strndup(&a, "abc", 100), "abc");
	CHECK_STR(arena_printf(&a, "%s/%d", "x", 7), "x/7");
	CHECK_STR(arena_printf(&a, "%s", big), big);
	CHECK_INT(is_zero(arena_ocispec_alloc(&a, 10), 10), true);
}

TEST(vector)
{
	auto_arena a = arena_make();
	struct {
		int *v;
		size_t n, cap;
	} x = { 0 }, y = { 0 };

	for (int i = 0; i < 100000; i++) {
		int *p = vec_push(&a, &x);

		if (*p != 0)
			CHECK_INT(*p, 0);
		*p = i;
		/* a second one keeps the first from growing in place */
		if (i % 7 == 0)
			*vec_push(&a, &y) = -i;
	}
	CHECK_INT((intmax_t)x.n, 100000);
	CHECK(x.cap >= x.n);
	for (int i = 0; i < 100000; i++)
		if (x.v[i] != i || (i % 7 == 0 && y.v[i / 7] != -i)) {
			unit_row("%d", i);
			CHECK(x.v[i] == i);
			break;
		}
}

/* Alone in its arena a vector grows where it is. */
TEST(vector_grows_in_place)
{
	auto_arena a = arena_make();
	struct {
		int *v;
		size_t n, cap;
	} x = { 0 };
	int *first = vec_push(&a, &x);

	for (int i = 0; i < 1000; i++)
		vec_push(&a, &x);
	CHECK(x.v == first);
}

static void exhaust(int how)
{
	auto_arena a = arena_make();
	size_t cap = SIZE_MAX / 2 + 1;

	if (how == 0)
		arena_alloc(&a, SIZE_MAX);
	else if (how == 1)
		arena_array(&a, SIZE_MAX / 2, 4);
	else if (how == 2)
		arena_alloc(&a, SIZE_MAX / 8 * 7); /* 32 bits have room for the half */
	else
		arena_grow(&a, NULL, &cap, 8);
}

TEST(out_of_memory_ends_the_process)
{
	for (int how = 0; how < 4; how++) {
		char text[128] = "";
		int status = 0, p[2];
		pid_t pid;

		unit_row("%d", how);
		REQUIRE(pipe2(p, O_CLOEXEC) == 0);
		pid = fork();
		if (pid == 0) {
			dup2(p[1], STDERR_FILENO);
			exhaust(how);
			_exit(0);
		}
		close(p[1]);
		CHECK(read(p[0], text, sizeof(text) - 1) > 0);
		close(p[0]);
		waitpid(pid, &status, 0);
		CHECK_STR(text, "cleat: out of memory\n");
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}
