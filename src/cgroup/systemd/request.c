/* SPDX-License-Identifier: Apache-2.0 */
/* request - from bytes to a request; the sender is of our own build, but nothing is trusted */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/systemd/systemd.h"

struct strings {
	char *at, *end;
};

uint64_t time_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int read_all(int fd, void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = read(fd, (char *)buf + done, n - done);

		if (got == 0)
			return -EPIPE;
		if (got < 0 && errno != EINTR)
			return -errno;
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static char *next(struct strings *s)
{
	char *word = s->at;

	/* the block ends with a NUL */
	if (word >= s->end)
		return NULL;
	s->at += strlen(word) + 1;
	return word;
}

static bool next_number(struct strings *s, uint64_t max, uint64_t *ret)
{
	char *word = next(s);

	return word && str_to_u64(word, ret) == 0 && *ret <= max;
}

static bool read_property(struct strings *s, struct property *p)
{
	uint64_t optional, n;

	p->name = next(s);
	p->signature = next(s);
	if (!p->name || !p->signature || !next_number(s, 1, &optional) ||
	    !next_number(s, UNIT_REQUEST_MAX, &n))
		return false;
	p->optional = optional;
	p->tokens = calloc(n + 1, sizeof(*p->tokens));
	if (!p->tokens)
		return false;
	for (p->n = 0; p->n < n; p->n++) {
		p->tokens[p->n] = next(s);
		if (!p->tokens[p->n])
			return false;
	}
	return true;
}

static bool parse(struct strings *s, struct request *r)
{
	uint64_t ms, n;

	r->verb = next(s);
	r->manager = next(s);
	if (!next_number(s, UINT64_MAX / 1000000, &ms))
		return false;
	r->deadline = time_now() + ms * 1000;
	r->unit = next(s);
	r->invocation = next(s);
	if (!r->invocation || !next_number(s, UNIT_REQUEST_MAX, &n))
		return false;
	r->properties = calloc(n + 1, sizeof(*r->properties));
	if (!r->properties)
		return false;
	for (r->n_properties = 0; r->n_properties < n; r->n_properties++)
		if (!read_property(s, &r->properties[r->n_properties]))
			return false;
	return true;
}

int request_read(int fd, struct request *ret, struct err *e)
{
	struct strings s;
	uint32_t len;
	char *block;
	int r = read_all(fd, &len, sizeof(len));

	if (r < 0)
		return err_sys(e, -r, NULL, "read the request");
	if (!len || len > UNIT_REQUEST_MAX)
		return err_code(e, EPROTO, NULL, "a request of %u bytes", len);
	block = calloc(1, (size_t)len + 1);
	if (!block)
		return err_sys(e, ENOMEM, NULL, "read the request");
	r = read_all(fd, block, len);
	if (r < 0)
		return err_sys(e, -r, NULL, "read the request");
	s = (struct strings){ block, block + len };
	if (!parse(&s, ret))
		return err_code(e, EPROTO, NULL, "a request that cannot be understood");
	return 0;
}
