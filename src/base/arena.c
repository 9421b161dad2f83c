/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define BLOCK_SIZE 16384
#define ALIGNMENT  16

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(ALIGNMENT) char data[];
};

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "cleat: out of memory\n";

	/* Nothing could be done about a failing write either. */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

void arena_drop(struct arena *a)
{
	while (a->head) {
		struct arena_block *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b;
	size_t need = (size + ALIGNMENT) & ~(size_t)(ALIGNMENT - 1);
	size_t room;
	void *p;

	if (need < size)
		out_of_memory();
	if (!a->head || a->head->size - a->used < need) {
		room = need > BLOCK_SIZE ? need : BLOCK_SIZE;
		b = calloc(1, sizeof(*b) + room);
		if (!b)
			out_of_memory();
		b->size = room;
		b->next = a->head;
		a->head = b;
		a->used = 0;
	}
	p = a->head->data + a->used;
	a->used += need;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *old, size_t *cap, size_t size)
{
	size_t n = *cap ? *cap * 2 : 8;
	void *p = arena_array(a, n, size);

	if (*cap)
		memcpy(p, old, *cap * size);
	*cap = n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);

	return memcpy(arena_alloc(a, len + 1), s, len);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		out_of_memory();
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_ocispec_alloc(void *user, size_t size)
{
	return arena_alloc(user, size);
}
