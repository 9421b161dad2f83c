/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - memory with one end
 *
 * The decoded configuration, the checked spec and the plan live in one arena and
 * go with it: no generated free functions and no half-freed trees. Memory is
 * zeroed. Running out of memory ends the process with one message, because no
 * caller could do better.
 */
#ifndef CLEAT_BASE_ARENA_H
#define CLEAT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used; /* bytes of the newest block that are taken */
};

#define arena_make() ((struct arena){ 0 })

/*
 * arena_lend() - let an empty arena begin with memory of the caller
 * @block: zeroed, aligned to 16 bytes, @size bytes long; it must outlive the arena
 *
 * Spares a small program its first mapping. What does not fit is mapped as ever.
 */
void arena_lend(struct arena *a, void *block, size_t size);

/* Free everything at once. The arena may be used again. */
void arena_drop(struct arena *a);
#define auto_arena __attribute__((cleanup(arena_drop))) struct arena

/* Zeroed memory aligned for any type; never NULL. size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));

/* n zeroed elements; overflow of n * size ends the process as out of memory does. */
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));

#define arena_new(a, type)	((type *)arena_alloc((a), sizeof(type)))
#define arena_new_n(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* The allocator that libocispec wants; user is the struct arena. */
void *arena_ocispec_alloc(void *user, size_t size);

/*
 * A vector that grows in an arena: declare `struct { T *v; size_t n, cap; } x = { 0 };`
 * and push with vec_push(arena, &x) which gives a pointer to a zeroed new element.
 */
#define vec_push(a, x)                                                                             \
	((x)->n == (x)->cap ? (void)((x)->v = arena_grow((a), (x)->v, &(x)->cap, sizeof(*(x)->v))) \
			    : (void)0,                                                             \
	 &(x)->v[(x)->n++])
void *arena_grow(struct arena *a, void *old, size_t *cap, size_t size);

#endif
