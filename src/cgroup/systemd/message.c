/* SPDX-License-Identifier: Apache-2.0 */
/* message - values as text into a D-Bus message, led by their signature */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/systemd/systemd.h"

struct walk {
	sd_bus_message *m;
	char **token; /* the next one */
	size_t left;
};

static const char *take(struct walk *w)
{
	if (!w->left)
		return NULL;
	w->left--;
	return *w->token++;
}

/* Length of the first complete type; 0: none. */
static size_t type_length(const char *s)
{
	size_t n = 1, part;

	if (*s == 'a') {
		part = type_length(s + 1);
		return part ? part + 1 : 0;
	}
	if (*s != '(')
		return *s && strchr("bynqiuxtdsog", *s) ? 1 : 0;
	while (s[n] && s[n] != ')') {
		part = type_length(s + n);
		if (!part)
			return 0;
		n += part;
	}
	return s[n] == ')' ? n + 1 : 0;
}

static int append_number(struct walk *w, char type, const char *text)
{
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int b;
		int64_t x;
		uint64_t t;
		double d;
	} v = { 0 };
	uint64_t t = strtoull(text, NULL, 10);
	int64_t x = strtoll(text, NULL, 10);

	switch (type) {
	case 'y':
		v.y = (uint8_t)t;
		break;
	case 'n':
		v.n = (int16_t)x;
		break;
	case 'q':
		v.q = (uint16_t)t;
		break;
	case 'i':
		v.i = (int32_t)x;
		break;
	case 'u':
		v.u = (uint32_t)t;
		break;
	case 'b':
		v.b = t != 0;
		break;
	case 'x':
		v.x = x;
		break;
	case 't':
		v.t = t;
		break;
	case 'd':
		v.d = strtod(text, NULL);
		break;
	default:
		return -EINVAL;
	}
	return sd_bus_message_append_basic(w->m, type, &v);
}

static int append_value(struct walk *w, const char *type, size_t len);

static int append_list(struct walk *w, const char *type, size_t len)
{
	const char *count = take(w);
	char item[64];
	uint64_t n;
	int r;

	if (!count || str_to_u64(count, &n) < 0 || len > sizeof(item) - 1)
		return -EINVAL;
	memcpy(item, type + 1, len - 1);
	item[len - 1] = '\0';
	r = sd_bus_message_open_container(w->m, 'a', item);
	for (; r >= 0 && n > 0; n--)
		r = append_value(w, item, len - 1);
	return r < 0 ? r : sd_bus_message_close_container(w->m);
}

static int append_tuple(struct walk *w, const char *type, size_t len)
{
	char inner[64];
	int r;

	if (len < 3 || len - 2 > sizeof(inner) - 1)
		return -EINVAL;
	memcpy(inner, type + 1, len - 2);
	inner[len - 2] = '\0';
	r = sd_bus_message_open_container(w->m, 'r', inner);
	for (const char *at = inner; r >= 0 && *at;) {
		size_t n = type_length(at);

		r = n ? append_value(w, at, n) : -EINVAL;
		at += n;
	}
	return r < 0 ? r : sd_bus_message_close_container(w->m);
}

static int append_value(struct walk *w, const char *type, size_t len)
{
	const char *text;

	if (*type == 'a')
		return append_list(w, type, len);
	if (*type == '(')
		return append_tuple(w, type, len);
	text = take(w);
	if (!text)
		return -EINVAL;
	if (strchr("sog", *type))
		return sd_bus_message_append_basic(w->m, *type, text);
	return append_number(w, *type, text);
}

int message_append(sd_bus_message *m, const struct property *p)
{
	struct walk w = { m, p->tokens, p->n };
	size_t len = type_length(p->signature);
	int r;

	if (!len || p->signature[len])
		return -EINVAL;
	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", p->name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', p->signature);
	if (r >= 0)
		r = append_value(&w, p->signature, len);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r >= 0 && w.left ? -EINVAL : r;
}
