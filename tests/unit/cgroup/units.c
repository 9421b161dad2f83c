/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told: GVariant text, resources and annotations as properties. */
#include "cgroup/unit_client.h"
#include "unit/cgroup/config.h"
#include "unit/unit.h"

static const char *property_text(struct arena *a, const struct unit_property *x)
{
	const char *text = x->signature;

	for (size_t i = 0; i < x->n; i++)
		text = arena_printf(a, "%s %s", text, x->tokens[i]);
	return text;
}

/* All in one line: "Name=t 5; Other=as 1 a". */
static const char *properties_text(struct arena *a, const struct unit_properties *p)
{
	const char *text = "";

	for (size_t i = 0; i < p->n; i++)
		text = arena_printf(a, "%s%s%s=%s", text, i ? "; " : "", p->v[i].name,
				    property_text(a, &p->v[i]));
	return text;
}

static const char *const wrong[] = {
	"",
	"[]",
	"'a",
	"['a'",
	"['a' 'b']",
	"['a', 1]",
	"1 2",
	"byte 256",
	"uint32 -1",
	"nothing",
	"{'a': 1}",
	"<1>",
	"@z 1",
	"@as 'a'",
	"2147483648",
	"(1, 2",
	"()",
	"uint64 'a'",
	"1x",
	"[[[[[[[[[[1]]]]]]]]]]",
	"@aaaaaaaaaaai 1",
	"[1",
};

TEST(variants)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "true", "b 1" },
		{ "false", "b 0" },
		{ "5", "i 5" },
		{ "-5", "i -5" },
		{ "uint64 5000000", "t 5000000" },
		{ "uint64 18446744073709551615", "t 18446744073709551615" },
		{ "int64 -9", "x -9" },
		{ "byte 0x1f", "y 31" },
		{ "1.5", "d 1.5" },
		{ "'a b'", "s a b" },
		{ "\"a'b\\\"c\"", "s a'b\"c" },
		{ "'inactive-or-failed'", "s inactive-or-failed" },
		{ "['crio.service']", "as 1 crio.service" },
		{ "['a', 'b',  'c']", "as 3 a b c" },
		{ "@as []", "as 0" },
		{ "@t 7", "t 7" },
		{ "@at [1, 2]", "at 2 1 2" },
		{ "[byte 1, 2]", "ay 2 1 2" },
		{ "[[1], [2, 3]]", "aai 2 1 1 2 2 3" },
		{ "('a', true, uint32 3)", "(sbu) a 1 3" },
		{ "[('/dev/sda', uint64 5)]", "a(st) 1 /dev/sda 5" },
		{ "@a(st) [('/dev/sda', 5)]", "a(st) 1 /dev/sda 5" },
		{ " 'x' ", "s x" },
		{ "objectpath '/a'", "o /a" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct unit_property x = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].text);
		if (CHECK_OK(unit_variant(&a, rows[i].text, &x, &e), &e))
			CHECK_STR(property_text(&a, &x), rows[i].want);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct unit_property x = { 0 };
		struct err e = { 0 };

		unit_row("%s", wrong[i]);
		CHECK_INT(unit_variant(&a, wrong[i], &x, &e), -EINVAL);
		CHECK(*e.text);
	}
}

TEST(resources_as_properties)
{
	static const struct {
		const char *json, *v2, *v1;
	} rows[] = {
		{ "{}", "", "" },
		{ "{'memory':{'limit':1000,'reservation':500,'swap':1500}}",
		  "MemoryMax=t 1000; MemoryLow=t 500; MemorySwapMax=t 500", "MemoryLimit=t 1000" },
		{ "{'memory':{'limit':-1}}",
		  "MemoryMax=t 18446744073709551615; MemorySwapMax=t 18446744073709551615",
		  "MemoryLimit=t 18446744073709551615" },
		{ "{'cpu':{'shares':1024}}", "CPUWeight=t 100", "CPUShares=t 1024" },
		{ "{'cpu':{'idle':1,'shares':5}}", "CPUWeight=t 0", "CPUShares=t 5" },
		{ "{'cpu':{'quota':50000,'period':100000}}",
		  "CPUQuotaPeriodUSec=t 100000; CPUQuotaPerSecUSec=t 500000",
		  "CPUQuotaPeriodUSec=t 100000; CPUQuotaPerSecUSec=t 500000" },
		{ "{'cpu':{'quota':50001}}", "CPUQuotaPerSecUSec=t 510000",
		  "CPUQuotaPerSecUSec=t 510000" },
		{ "{'cpu':{'quota':-1}}", "CPUQuotaPerSecUSec=t 18446744073709551615",
		  "CPUQuotaPerSecUSec=t 18446744073709551615" },
		{ "{'cpu':{'cpus':'0-2,9','mems':'0'}}",
		  "AllowedCPUs=ay 2 7 2; AllowedMemoryNodes=ay 1 1", "" },
		{ "{'pids':{'limit':7}}", "TasksMax=t 7", "TasksMax=t 7" },
		{ "{'pids':{'limit':-1}}", "TasksMax=t 18446744073709551615",
		  "TasksMax=t 18446744073709551615" },
		{ "{'pids':{'limit':1}}", "TasksMax=t 1", "TasksMax=t 1" },
		{ "{'pids':{'limit':0}}", "TasksMax=t 1", "TasksMax=t 1" },
		{ "{'blockIO':{'weight':10}}", "IOWeight=t 1", "BlockIOWeight=t 10" },
		{ "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':5},"
		  "{'major':8,'minor':16,'rate':0}]}}",
		  "IOReadBandwidthMax=a(st) 2 /dev/block/8:0 5 "
		  "/dev/block/8:16 18446744073709551615",
		  "" },
		{ "{'unified':{'memory.high':'5','cpu.max':'max 50000','memory.min':'x',"
		  "'memory.oom.group':'1','pids.max':'max'}}",
		  "MemoryHigh=t 5; CPUQuotaPeriodUSec=t 50000; "
		  "CPUQuotaPerSecUSec=t 18446744073709551615; OOMPolicy=s kill; "
		  "TasksMax=t 18446744073709551615",
		  "" },
		{ "{'memory':{'limit':1000},'cpu':{'shares':5},"
		  "'unified':{'memory.max':'2000','pids.max':'0'}}",
		  "CPUWeight=t 2; MemoryMax=t 2000; TasksMax=t 1",
		  "CPUShares=t 5; MemoryLimit=t 1000" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int v2 = 0; v2 < 2; v2++) {
			struct unit_properties p = { 0 };
			struct err e = { 0 };

			unit_row("%s on v%d", rows[i].json, v2 + 1);
			CHECK_OK(unit_put_resources(&a, &p, config_resources(&a, rows[i].json), v2,
						    &e),
				 &e);
			CHECK_STR(properties_text(&a, &p), v2 ? rows[i].v2 : rows[i].v1);
		}
}

#define PREFIX "org.systemd.property."

TEST(annotations_as_properties)
{
	static const struct {
		const char *key, *value, *want; /* NULL: refused */
	} rows[] = {
		{ PREFIX "TimeoutStopUSec", "uint64 5", "TimeoutStopUSec=t 5" },
		{ PREFIX "TimeoutStopSec", "5", "TimeoutStopUSec=t 5000000" },
		{ PREFIX "After", "['crio.service']", "After=as 1 crio.service" },
		{ PREFIX "DefaultDependencies", "true", "DefaultDependencies=b 1" },
		{ "org.other", "nonsense", "" },
		{ PREFIX "TimeoutStopSec", "'a'", NULL },
		{ PREFIX "After", "[crio.service]", NULL },
		{ PREFIX, "true", NULL },
		{ PREFIX "After.x", "true", NULL },
		{ PREFIX "after", "true", NULL },
		/* CVE-2024-3154 */
		{ PREFIX "ExecStartPre", "'/x'", NULL },
		{ PREFIX "SuccessAction", "'poweroff-force'", NULL },
		{ PREFIX "FailureAction", "'reboot'", NULL },
		{ PREFIX "JobTimeoutAction", "'exit'", NULL },
		{ PREFIX "OnFailure", "['x.service']", NULL },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct oci_string_entry entry = { .key = rows[i].key, .value = rows[i].value };
		const struct oci_string_map map = { .n = 1, .entries = &entry };
		struct unit_properties p = { 0 };
		struct err e = { 0 };
		int r;

		unit_row("%s %s", rows[i].key, rows[i].value);
		r = unit_put_annotations(&a, &p, &map, &e);
		if (!rows[i].want) {
			CHECK_INT(r, -EINVAL);
			CHECK_HAS(e.text, "annotations: '");
		} else if (CHECK_OK(r, &e)) {
			CHECK_STR(properties_text(&a, &p), rows[i].want);
		}
	}
}

TEST(whole_units)
{
	static const char common[] = "DefaultDependencies=b 0; CollectMode=s inactive-or-failed; "
				     "MemoryAccounting=b 1; CPUAccounting=b 1; IOAccounting=b 1; "
				     "TasksAccounting=b 1";
	auto_arena a = arena_make();
	struct oci_string_entry entry = { .key = PREFIX "Delegate", .value = "false" };
	struct oci_string_map map = { .n = 0, .entries = &entry };
	const struct oci_config config = { .annotations = &map };
	const struct cgroup_unit scope = { .slice = "a-b.slice", .unit = "x-c.scope" };
	const struct cgroup_unit slice = { .slice = "a.slice", .unit = "a-c.slice" };
	struct unit_properties *p;
	struct err e = { 0 };

	REQUIRE_OK(unit_properties_make(&a, &config, "c", &scope, true, &p, &e), &e);
	CHECK_STR(properties_text(&a, p),
		  arena_printf(&a,
			       "Description=s cleat container c; Slice=s a-b.slice; "
			       "Delegate=b 1; %s",
			       common));
	REQUIRE_OK(unit_properties_make(&a, &config, "c", &slice, true, &p, &e), &e);
	CHECK_STR(properties_text(&a, p),
		  arena_printf(&a, "Description=s cleat container c; Wants=as 1 a.slice; %s",
			       common));
	/* an annotation counts more */
	map.n = 1;
	REQUIRE_OK(unit_properties_make(&a, &config, "c", &scope, true, &p, &e), &e);
	CHECK_HAS(properties_text(&a, p), "Delegate=b 0; ");
	CHECK(!strstr(properties_text(&a, p), "Delegate=b 1"));
}

TEST(request_bytes)
{
	auto_arena a = arena_make();
	struct unit_properties p = { 0 };
	const struct unit_request q = {
		.verb = "start", .user = true, .unit = "u.scope", .properties = &p
	};
	static const char want[] = "start\0user\0"
				   "500\0u.scope\0\0"
				   "1\0A\0t\0"
				   "0\0"
				   "1\0"
				   "5";
	size_t len;
	char *bytes;

	unit_put(&a, &p, "A", 't', "5");
	bytes = unit_encode(&a, &q, 500, &len);
	CHECK_INT(len, 4 + sizeof(want));
	CHECK_INT(*(uint32_t *)(void *)bytes, sizeof(want));
	CHECK(memcmp(bytes + 4, want, sizeof(want)) == 0);
}
