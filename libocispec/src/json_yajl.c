/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_yajl - the only file that knows yajl
 *
 * yajl 2.1 does not look at what its allocator returns, so running out of memory leaves
 * it by longjmp(); nothing is lost, for all it had came from the caller's allocator. It
 * tells how far it has read and hands out strings without escapes as pointers into the
 * text: from both follows where each token began.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "json.h"

struct parser {
	const struct ocispec_allocator *alloc;
	jmp_buf out_of_memory;
	yajl_handle yajl;
	const char *text;
	size_t length;
	bool at_end; /* yajl reads a blank of its own now, its count means nothing */
	size_t depth;
	int (*handle)(void *user, const struct json_token *t);
	void *user;
	int result; /* of the handler, or -EINVAL with a fault */
	struct json_fault *fault;
};

/* --- memory ----------------------------------------------------------------------------------- */

/* The allocator cannot tell how large a piece is, and realloc() must know. */
union header {
	size_t size;
	max_align_t align;
};

static void *memory_alloc(void *ctx, size_t size)
{
	struct parser *p = ctx;
	union header *h = p->alloc->alloc(p->alloc->user, sizeof(*h) + size);

	if (!h)
		longjmp(p->out_of_memory, 1);
	h->size = size;
	return h + 1;
}

static void *memory_realloc(void *ctx, void *old, size_t size)
{
	size_t had = old ? ((union header *)old - 1)->size : 0;
	void *new;

	if (size <= had)
		return old;
	new = memory_alloc(ctx, size);
	if (had)
		memcpy(new, old, had);
	return new;
}

static void memory_free(void *ctx, void *ptr)
{
	(void)ctx;
	(void)ptr;
}

/* --- places ----------------------------------------------------------------------------------- */

static size_t consumed(const struct parser *p)
{
	return p->at_end ? p->length : yajl_get_bytes_consumed(p->yajl);
}

/* Does yajl point into the text, or into a buffer of its own, for it has removed escapes? */
static bool is_in_text(const struct parser *p, const char *s)
{
	return s >= p->text && s < p->text + p->length;
}

/*
 * Offset of the opening quote of a string that ends just before @end. Quotes inside have
 * an odd number of backslashes before them; the opening one has none, for outside of
 * strings there are none.
 */
static size_t opening_quote(const struct parser *p, size_t end)
{
	for (size_t i = end - 1; i-- > 0;)
		if (p->text[i] == '"' && (i == 0 || p->text[i - 1] != '\\'))
			return i;
	return 0;
}

/* --- checks that yajl leaves out ---------------------------------------------------------- */

/* "\ud800" must be followed by "\udc00" to "\udfff"; yajl takes a '?' for it silently. */
static bool pairs_are_whole(const char *raw, size_t length)
{
	for (size_t i = 0; i + 1 < length; i++) {
		const char *low;

		if (raw[i] != '\\')
			continue;
		i++;
		/* the other half alone becomes bytes that are not UTF-8 */
		if (raw[i] != 'u' || (raw[i + 1] | 0x20) != 'd' || !strchr("89abAB", raw[i + 2]))
			continue;
		low = raw + i + 5;
		if (i + 11 > length || low[0] != '\\' || low[1] != 'u' || (low[2] | 0x20) != 'd' ||
		    !strchr("cdefCDEF", low[3]))
			return false;
		i += 10;
	}
	return true;
}

static int refuse(struct parser *p, size_t offset, const char *why)
{
	p->fault->offset = offset;
	snprintf(p->fault->text, sizeof(p->fault->text), "%s", why);
	p->result = -EINVAL;
	return 0;
}

/* --- yajl's callbacks: 1 goes on, 0 ends ---------------------------------------------------- */

static int emit(struct parser *p, const struct json_token *t)
{
	p->result = p->handle(p->user, t);
	return p->result >= 0;
}

/*
 * After the whole text only blanks may come. yajl sees to that, but for a string that
 * does not end.
 */
static int emit_end(struct parser *p, enum json_event event)
{
	size_t i = consumed(p);
	const struct json_token t = { .event = event, .offset = i - 1 };

	if (!emit(p, &t))
		return 0;
	if (--p->depth > 0)
		return 1;
	while (i < p->length && p->text[i] && strchr(" \t\r\n", p->text[i]))
		i++;
	return i == p->length || refuse(p, i, "not JSON: something follows the end");
}

static int emit_begin(struct parser *p, enum json_event event)
{
	const struct json_token t = { .event = event, .offset = consumed(p) - 1 };

	p->depth++;
	return emit(p, &t);
}

static int emit_plain(struct parser *p, enum json_event event, bool truth, size_t width)
{
	const struct json_token t = { .event = event,
				      .truth = truth,
				      .offset = consumed(p) - width };

	return emit(p, &t);
}

static int emit_string(struct parser *p, enum json_event event, const char *text, size_t length)
{
	struct json_token t = { .event = event, .text = text, .length = length };

	if (is_in_text(p, text)) {
		t.offset = (size_t)(text - p->text) - 1;
	} else {
		size_t end = consumed(p);

		t.offset = opening_quote(p, end);
		if (length > 0 && memchr(text, '\0', length))
			return refuse(p, t.offset, "a NUL byte cannot be in a string");
		if (!pairs_are_whole(p->text + t.offset, end - t.offset))
			return refuse(p, t.offset, "half of a surrogate pair in a string");
	}
	if (!utf8_is_valid(text, length))
		return refuse(p, t.offset, "a string that is not UTF-8");
	return emit(p, &t);
}

static int on_null(void *ctx)
{
	return emit_plain(ctx, JSON_NULL, false, strlen("null"));
}

static int on_boolean(void *ctx, int truth)
{
	return emit_plain(ctx, JSON_BOOL, truth, strlen(truth ? "true" : "false"));
}

static int on_number(void *ctx, const char *text, size_t length)
{
	struct parser *p = ctx;
	const struct json_token t = {
		.event = JSON_NUMBER,
		.text = text,
		.length = length,
		.offset = consumed(p) - length,
	};

	return emit(p, &t);
}

static int on_string(void *ctx, const unsigned char *text, size_t length)
{
	return emit_string(ctx, JSON_STRING, (const char *)text, length);
}

static int on_key(void *ctx, const unsigned char *text, size_t length)
{
	return emit_string(ctx, JSON_KEY, (const char *)text, length);
}

static int on_object(void *ctx)
{
	return emit_begin(ctx, JSON_OBJECT);
}

static int on_object_end(void *ctx)
{
	return emit_end(ctx, JSON_OBJECT_END);
}

static int on_array(void *ctx)
{
	return emit_begin(ctx, JSON_ARRAY);
}

static int on_array_end(void *ctx)
{
	return emit_end(ctx, JSON_ARRAY_END);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_object_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_array_end,
};

/* --- the whole -------------------------------------------------------------------------------- */

/* "lexical error: invalid char in json text.\n" -> "not JSON: invalid char in json text" */
static void take_fault(struct parser *p)
{
	const char *message = (const char *)yajl_get_error(p->yajl, 0, NULL, 0);
	const char *colon = strstr(message, ": ");
	size_t n;

	if (colon)
		message = colon + 2;
	n = strcspn(message, "\n");
	while (n > 0 && message[n - 1] == '.')
		n--;
	p->fault->offset = consumed(p);
	snprintf(p->fault->text, sizeof(p->fault->text), "not JSON: %.*s", (int)n, message);
	p->result = -EINVAL;
}

/* Its own function, so that no variable of it is lost by longjmp(). */
static void run(struct parser *p, yajl_alloc_funcs *memory)
{
	yajl_status status;

	if (setjmp(p->out_of_memory)) {
		p->result = -ENOMEM;
		return;
	}
	p->yajl = yajl_alloc(&callbacks, memory, p);
	status = yajl_parse(p->yajl, (const unsigned char *)p->text, p->length);
	if (status == yajl_status_ok) {
		p->at_end = true;
		status = yajl_complete_parse(p->yajl);
	}
	if (status == yajl_status_error)
		take_fault(p);
}

int json_parse(const char *text, size_t length, const struct ocispec_allocator *alloc,
	       int (*handle)(void *user, const struct json_token *t), void *user,
	       struct json_fault *ret_fault)
{
	struct parser p = {
		.alloc = alloc,
		.text = text,
		.length = length,
		.handle = handle,
		.user = user,
		.fault = ret_fault,
	};
	yajl_alloc_funcs memory = { memory_alloc, memory_realloc, memory_free, &p };

	ret_fault->text[0] = '\0';
	run(&p, &memory);
	return p.result < 0 ? p.result : 0;
}
