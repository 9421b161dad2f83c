/* SPDX-License-Identifier: Apache-2.0 */
/* Two objects of linux.resources become one. */
#include <string.h>

#include "base/arena.h"
#include "container/resources.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "unit/unit.h"

static struct oci_linux_resources *decode(struct arena *a, const char *json)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	char *text = arena_strdup(a, json);
	struct ocispec_error e = { 0 };
	void *r = NULL;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	CHECK_INT(
		ocispec_decode(&oci_linux_resources_type, text, strlen(text), &alloc, NULL, &r, &e),
		0);
	CHECK_STR(e.text, "");
	return r;
}

static const char *encode(struct arena *a, const struct oci_linux_resources *r)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error e = { 0 };
	char *text = NULL;
	size_t len;

	CHECK_INT(ocispec_encode(&oci_linux_resources_type, r, 0, &alloc, &text, &len, &e), 0);
	for (char *c = text; c && *c; c++)
		if (*c == '"')
			*c = '\'';
	return text;
}

TEST(merge)
{
	static const struct {
		const char *old, *now, *want;
	} rows[] = {
		{ "{}", "{}", "{}" },
		{ "{'memory':{'limit':5,'swap':7}}", "{'memory':{'limit':6}}",
		  "{'memory':{'limit':6,'swap':7}}" },
		{ "{'memory':{'limit':5}}", "{'memory':{'limit':0,'reservation':2}}",
		  "{'memory':{'limit':5,'reservation':2}}" },
		/* no limit and no word about swap is none of either, and is remembered as that */
		{ "{'memory':{'limit':5,'swap':7}}", "{'memory':{'limit':-1}}",
		  "{'memory':{'limit':-1,'swap':-1}}" },
		{ "{'memory':{'limit':5,'swap':7}}", "{'memory':{'limit':-1,'swap':8}}",
		  "{'memory':{'limit':-1,'swap':8}}" },
		{ "{'cpu':{'shares':5,'cpus':'0'}}", "{'cpu':{'burst':0,'cpus':''}}",
		  "{'cpu':{'shares':5,'burst':0,'cpus':'0'}}" },
		{ "{'pids':{'limit':5}}", "{'pids':{'limit':0}}", "{'pids':{'limit':5}}" },
		{ "{'pids':{'limit':5}}", "{'pids':{'limit':-1}}", "{'pids':{'limit':-1}}" },
		{ "{'unified':{'a':'1','b':'2'}}", "{'unified':{'b':'3','c':'4'}}",
		  "{'unified':{'a':'1','b':'3','c':'4'}}" },
		{ "{'hugepageLimits':[{'pageSize':'2MB','limit':1},{'pageSize':'1GB','limit':2}]}",
		  "{'hugepageLimits':[{'pageSize':'2MB','limit':9}]}",
		  "{'hugepageLimits':[{'pageSize':'1GB','limit':2},{'pageSize':'2MB','limit':9}]}" },
		{ "{'blockIO':{'weight':10,'throttleReadBpsDevice':"
		  "[{'major':8,'minor':0,'rate':1},{'major':8,'minor':1,'rate':1}]}}",
		  "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':2}]}}",
		  "{'blockIO':{'weight':10,'throttleReadBpsDevice':"
		  "[{'major':8,'minor':0,'rate':1},{'major':8,'minor':1,'rate':2}]}}" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s + %s", rows[i].old, rows[i].now);
		CHECK_STR(encode(&a, resources_merge(&a, decode(&a, rows[i].old),
						     decode(&a, rows[i].now))),
			  rows[i].want);
	}
	CHECK_STR(encode(&a, resources_merge(&a, NULL, decode(&a, "{'pids':{'limit':5}}"))),
		  "{'pids':{'limit':5}}");
}

TEST(complete)
{
	static const struct {
		const char *old, *now, *want;
	} rows[] = {
		{ "{}", "{'memory':{'limit':6}}", "{'memory':{'limit':6}}" },
		{ "{'memory':{'limit':5,'swap':7}}", "{'pids':{'limit':6}}",
		  "{'pids':{'limit':6}}" },
	};
	static const struct {
		const char *old, *now;
		int shares, idle; /* -1: not set */
	} idle[] = {
		{ "{'cpu':{'shares':512,'idle':1}}", "{'cpu':{'idle':0}}", 512, 0 },
		{ "{'cpu':{'shares':512,'idle':1}}", "{'cpu':{'idle':0,'shares':7}}", 7, 0 },
		{ "{'cpu':{'shares':512,'idle':1}}", "{'cpu':{'shares':7}}", 7, 1 },
		{ "{'cpu':{'shares':512,'idle':1}}", "{'cpu':{'quota':7}}", 0, -1 },
		{ "{'cpu':{'idle':1}}", "{'cpu':{'idle':0}}", 1024, 0 },
		{ "{'cpu':{'shares':512}}", "{'cpu':{'idle':0}}", 0, 0 },
		{ "{'cpu':{'shares':512}}", "{'cpu':{'idle':1}}", 0, 1 },
		{ "{}", "{'cpu':{'idle':0}}", 0, 0 },
	};
	auto_arena a = arena_make();
	struct oci_linux_resources *old = decode(&a, "{'memory':{'limit':5,'swap':7}}"), *r;

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s + %s", rows[i].old, rows[i].now);
		CHECK_STR(encode(&a, resources_complete(&a, decode(&a, rows[i].old),
							decode(&a, rows[i].now))),
			  rows[i].want);
	}
	for (size_t i = 0; i < COUNT(idle); i++) {
		unit_row("%s + %s", idle[i].old, idle[i].now);
		r = resources_complete(&a, decode(&a, idle[i].old), decode(&a, idle[i].now));
		CHECK_INT(r->cpu->shares, idle[i].shares);
		CHECK_INT(r->cpu->has_idle ? r->cpu->idle : -1, idle[i].idle);
	}
	r = resources_complete(&a, old, decode(&a, "{'memory':{'limit':6}}"));
	CHECK_INT(r->memory->swap, 7);
	r = resources_complete(&a, old, decode(&a, "{'memory':{'limit':-1}}"));
	CHECK_INT(r->memory->swap, 0);
	r = resources_complete(&a, old, decode(&a, "{'memory':{'swap':9}}"));
	CHECK_INT(r->memory->limit, 5);
}
