/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks come from mmap(2): zeroed by the kernel, paid for by the page when touched
 * (so a generous block costs nothing), and given back at once by arena_drop(). Each
 * new block doubles the last one; what would waste a block's rest gets its own.
 *
 * Under AddressSanitizer unused bytes are poisoned and pieces kept apart, since one
 * mapping would otherwise hide every overrun.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#define BLOCK_FIRST ((size_t)128 << 10)
#define BLOCK_MAX   ((size_t)1 << 20)
#define ALIGNMENT   16

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define REDZONE 16
#else
#define REDZONE				     0
#define ASAN_POISON_MEMORY_REGION(p, size)   ((void)(p), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#endif

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	bool lent;
	_Alignas(ALIGNMENT) char data[];
};

static _Noreturn void out_of_memory(void)
{
	struct err e = { 0 };

	err_code(&e, ENOMEM, NULL, "out of memory");
	log_error(&e);
	_exit(EXIT_FAILURE);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b;

	if (__builtin_add_overflow(size, sizeof(*b), &size))
		out_of_memory();
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b == MAP_FAILED)
		out_of_memory();
	b->size = size - sizeof(*b);
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	return b;
}

void arena_lend(struct arena *a, void *block, size_t size)
{
	struct arena_block *b = block;

	*b = (struct arena_block){ .next = a->head, .size = size - sizeof(*b), .lent = true };
	ASAN_POISON_MEMORY_REGION(b->data, b->size);
	a->head = b;
	a->used = 0;
}

void arena_drop(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
		if (!b->lent)
			munmap(b, sizeof(*b) + b->size);
	}
	a->used = 0;
}

/* What a piece of @size bytes takes of its block. */
static size_t taken(size_t size)
{
	size_t need;

	if (__builtin_add_overflow(size ? size : 1, ALIGNMENT - 1 + REDZONE, &need))
		out_of_memory();
	return need & ~(size_t)(ALIGNMENT - 1);
}

/* A block for one large piece goes behind the newest, whose rest stays in use. */
static void *alloc_alone(struct arena *a, size_t size, size_t need)
{
	struct arena_block *b = block_new(need);

	b->next = a->head->next;
	a->head->next = b;
	ASAN_UNPOISON_MEMORY_REGION(b->data, size);
	return b->data;
}

static void add_block(struct arena *a, size_t need)
{
	/* sizes include the block's head, so that they are whole pages */
	size_t size = a->head ? 2 * (a->head->size + sizeof(*a->head)) : BLOCK_FIRST;
	struct arena_block *b;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	size -= sizeof(*b);
	b = block_new(size > need ? size : need);
	b->next = a->head;
	a->head = b;
	a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = taken(size);
	char *p;

	if (!a->head || a->head->size - a->used < need) {
		if (a->head && need > a->head->size / 4)
			return alloc_alone(a, size, need);
		add_block(a, need);
	}
	p = a->head->data + a->used;
	a->used += need;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

/* The newest piece of the newest block grows where it is. */
static bool grow_in_place(struct arena *a, void *old, size_t old_size, size_t new_size)
{
	size_t before = taken(old_size), after = taken(new_size);

	if (!old || !a->head || a->used < before ||
	    (char *)old != a->head->data + a->used - before ||
	    a->head->size - a->used < after - before)
		return false;
	a->used += after - before;
	ASAN_UNPOISON_MEMORY_REGION(old, new_size);
	return true;
}

void *arena_grow(struct arena *a, void *old, size_t *cap, size_t size)
{
	size_t n = *cap ? *cap : 4, total;
	void *p = old;

	if (__builtin_mul_overflow(n, (size_t)2, &n) || __builtin_mul_overflow(n, size, &total))
		out_of_memory();
	if (!grow_in_place(a, old, *cap * size, total)) {
		p = arena_alloc(a, total);
		if (*cap)
			memcpy(p, old, *cap * size);
	}
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
