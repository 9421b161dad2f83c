/* SPDX-License-Identifier: Apache-2.0 */
/* values: which are taken, what becomes of them, presence */
#include <stdio.h>
#include <string.h>

#include "tap.h"

#define CONFIG(rest) "{\"ociVersion\":\"1.3.0\"," rest "}"

/* What is decoded and encoded again comes out as `want`; NULL: as it was. */
static const struct {
	const struct ocispec_type *type;
	const char *text, *want;
} good_rows[] = {
	{ &oci_config_type, "{\"ociVersion\":\"1.3.0\"}", NULL },
	{ &oci_config_type, " {\n\t\"ociVersion\" : \"1.3.0\" }\r\n",
	  "{\"ociVersion\":\"1.3.0\"}" },
	{ &oci_config_type, CONFIG("\"mounts\":[]"), NULL },
	{ &oci_config_type, CONFIG("\"annotations\":{}"), NULL },
	{ &oci_config_type, CONFIG("\"annotations\":{\"\":\"\",\"b\":\"1\",\"a\":\"2\"}"), NULL },
	{ &oci_config_type,
	  CONFIG("\"hooks\":{\"prestart\":[],\"poststop\":[{\"path\":\"/x\",\"timeout\":1}]}"),
	  NULL },
	/* null is absent */
	{ &oci_config_type,
	  CONFIG("\"process\":null,\"root\":null,\"hostname\":null,\"mounts\":null,"
		 "\"annotations\":null,\"linux\":null,\"vm\":null"),
	  "{\"ociVersion\":\"1.3.0\"}" },
	{ &oci_linux_resources_type,
	  "{\"pids\":{\"limit\":null},\"memory\":{\"limit\":null,\"useHierarchy\":null}}",
	  "{\"memory\":{},\"pids\":{}}" },
	/* what is not known, and what is for others, is passed over */
	{ &oci_config_type,
	  "{\"x\":[{\"y\":[1,2,{}]}],\"ociVersion\":\"1.3.0\",\"ociversion\":{\"a\":{\"b\":[[]]}},"
	  "\"windows\":{\"a\":[{}]},\"solaris\":{},\"vm\":{\"x\":1},\"zos\":{},\"freebsd\":{\"jail\":{}}}",
	  "{\"ociVersion\":\"1.3.0\"}" },
	{ &oci_config_type, "{\"x\":1,\"x\":2,\"ociVersion\":\"1.3.0\"}",
	  "{\"ociVersion\":\"1.3.0\"}" },
	/* what callers send is taken, although no list has it */
	{ &oci_config_type, CONFIG("\"linux\":{\"rootfsPropagation\":\"rslave\"}"), NULL },
	{ &oci_config_type,
	  CONFIG("\"linux\":{\"devices\":[{\"path\":\"x\",\"type\":\"a\",\"fileMode\":8630}]}"),
	  NULL },
	{ &oci_process_type, "{\"cwd\":\"relative\"}", NULL },
	{ &oci_linux_resources_type, "{\"pids\":{}}", NULL },
	/* numbers of every width at both ends */
	{ &oci_linux_resources_type,
	  "{\"memory\":{\"limit\":-9223372036854775808,\"swap\":9223372036854775807,"
	  "\"swappiness\":18446744073709551615},\"blockIO\":{\"weight\":0,\"leafWeight\":65535}}",
	  NULL },
	{ &oci_process_type,
	  "{\"user\":{\"uid\":4294967295,\"gid\":0,\"additionalGids\":[0,4294967295,5]},\"cwd\":\"/\","
	  "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}],"
	  "\"scheduler\":{\"policy\":\"SCHED_RR\",\"nice\":-2147483648,\"priority\":2147483647}}",
	  NULL },
	{ &oci_process_type,
	  "{\"cwd\":\"/\",\"user\":{\"uid\":1e3,\"gid\":10.0,\"umask\":180e-1,\"additionalGids\":[]}}",
	  "{\"user\":{\"uid\":1000,\"gid\":10,\"umask\":18,\"additionalGids\":[]},\"cwd\":\"/\"}" },
	/* files that are one array */
	{ &oci_mounts_type, "[]", NULL },
	{ &oci_mounts_type,
	  "[{\"destination\":\"/a\",\"options\":[\"ro\",\"\"]},{\"destination\":\"/b\"}]", NULL },
	{ &oci_states_type,
	  "[{\"ociVersion\":\"1.3.0\",\"id\":\"a\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b\"}]",
	  NULL },
	{ &cleat_exit_type,
	  "{\"status\":137,\"signal\":9,\"oom\":true,\"ended\":\"2026-01-01T00:00:00Z\"}", NULL },
	{ &cleat_state_version_type, "{\"phase\":[7],\"version\":9,\"id\":{\"new\":\"form\"}}",
	  "{\"version\":9}" },
};

/* `path` and `text` are what the error must have; text may be a part. */
static const struct {
	const struct ocispec_type *type;
	const char *json, *path, *text;
} bad_rows[] = {
	{ &oci_config_type, "[]", "", "expected an object, found an array" },
	{ &oci_config_type, "null", "", "expected an object, found null" },
	{ &oci_config_type, "3", "", "expected an object, found 3" },
	{ &oci_config_type, "\"x\"", "", "expected an object, found \"x\"" },
	{ &oci_mounts_type, "{}", "", "expected an array, found an object" },
	{ &oci_mounts_type, "null", "", "expected an array, found null" },
	{ &oci_mounts_type, "[3]", "[0]", "expected an object, found 3" },
	{ &oci_mounts_type, "[{\"destination\":\"/a\"},{}]", "[1].destination",
	  "required but missing" },
	{ &oci_config_type, "{}", "ociVersion", "required but missing" },
	{ &oci_config_type, "{\"ociVersion\":null}", "ociVersion",
	  "expected a string, found null" },
	{ &oci_config_type, "{\"ociVersion\":1}", "ociVersion", "expected a string, found 1" },
	{ &oci_config_type, "{\"ociVersion\":true}", "ociVersion",
	  "expected a string, found true" },
	{ &oci_config_type, CONFIG("\"ociVersion\":\"1.3.0\""), "ociVersion",
	  "the same name twice" },
	{ &oci_config_type, CONFIG("\"hostname\":null,\"hostname\":\"x\""), "hostname",
	  "the same name twice" },
	{ &oci_config_type, CONFIG("\"oci\\u0056ersion\":\"1\""), "ociVersion",
	  "the same name twice" },
	{ &oci_config_type, CONFIG("\"annotations\":{\"a\":\"1\",\"b\":\"\",\"\\u0061\":\"2\"}"),
	  "annotations.a", "the same name twice" },
	{ &oci_config_type, CONFIG("\"annotations\":{\"a.b\":null}"), "annotations[\"a.b\"]",
	  "expected a string, found null" },
	{ &oci_config_type, CONFIG("\"annotations\":[]"), "annotations",
	  "expected an object, found an array" },
	{ &oci_config_type, CONFIG("\"windows\":[]"), "windows",
	  "expected an object, found an array" },
	{ &oci_config_type, CONFIG("\"root\":{\"readonly\":true}"), "root.path",
	  "required but missing" },
	{ &oci_config_type, CONFIG("\"root\":{\"path\":\"x\",\"readonly\":1}"), "root.readonly",
	  "expected true or false, found 1" },
	{ &oci_config_type, CONFIG("\"mounts\":[{\"destination\":\"/\",\"options\":[\"a\",null]}]"),
	  "mounts[0].options[1]", "expected a string, found null" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"args\":\"sh\"}", "args",
	  "expected an array, found \"sh\"" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"uid\":-1}}", "user.uid",
	  "expected an integer from 0 to 4294967295, found -1" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"uid\":4294967296}}", "user.uid",
	  "expected an integer from 0 to 4294967295, found 4294967296" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"uid\":1.5}}", "user.uid",
	  "found 1.5 with a fraction" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"uid\":1e-1}}", "user.uid",
	  "found 1e-1 with a fraction" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"uid\":\"0\"}}", "user.uid",
	  "expected an integer, found \"0\"" },
	{ &oci_process_type, "{\"cwd\":\"/\",\"user\":{\"additionalGids\":[1,2,-3]}}",
	  "user.additionalGids[2]", "found -3" },
	{ &oci_linux_resources_type, "{\"pids\":{\"limit\":9223372036854775808}}", "pids.limit",
	  "expected an integer from -9223372036854775808 to 9223372036854775807, found 9223372036854775808" },
	{ &oci_linux_resources_type, "{\"memory\":{\"swappiness\":18446744073709551616}}",
	  "memory.swappiness", "from 0 to 18446744073709551615" },
	{ &oci_linux_resources_type, "{\"blockIO\":{\"weight\":65536}}", "blockIO.weight",
	  "from 0 to 65535" },
	{ &oci_linux_resources_type, "{\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":1}]}",
	  "hugepageLimits[0].pageSize", "expected a page size" },
	{ &oci_linux_resources_type, "{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":-1}}}",
	  "rdma.mlx5_1.hcaHandles", "found -1" },
	{ &oci_linux_seccomp_type,
	  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"x\"}]}",
	  "syscalls[0].names", "expected at least 1, found 0" },
	{ &oci_config_type, CONFIG("\"hooks\":{\"poststart\":[{\"path\":\"/x\",\"timeout\":0}]}"),
	  "hooks.poststart[0].timeout", "from 1 to 9223372036854775807" },
	{ &oci_config_type,
	  CONFIG("\"linux\":{\"devices\":[{\"path\":\"/x\",\"type\":\"c\",\"fileMode\":4294967296}]}"),
	  "linux.devices[0].fileMode", "found 4294967296" },
	{ &cleat_state_file_type,
	  "{\"version\":1,\"phase\":\"Created\",\"id\":\"a\",\"bundle\":\"/\"}", "phase",
	  "expected one of intent, identity, created, found \"Created\"" },
};

static void test_presence(void)
{
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	const struct oci_process *p;
	const struct oci_config *c;

	p = tap_decode(&m, &oci_process_type,
		       "{\"cwd\":\"/\",\"args\":[],\"oomScoreAdj\":0,\"terminal\":false,"
		       "\"env\":[\"A=1\",\"B=2\"],\"user\":{\"additionalGids\":[7]}}",
		       NULL, &e);
	tap_ok(p && p->args && p->n_args == 0 && !p->args[0], "an empty array is not absent");
	tap_ok(p && p->has_oom_score_adj && p->oom_score_adj == 0, "0 is present");
	tap_ok(p && p->has_terminal && !p->terminal, "false is present");
	tap_ok(p && !p->has_no_new_privileges && !p->no_new_privileges, "an absent bool");
	tap_ok(p && !p->user->has_uid && !p->user->has_umask, "absent numbers");
	tap_ok(p && !p->rlimits && p->n_rlimits == 0, "an absent array");
	tap_ok(p && !p->capabilities && !p->apparmor_profile, "an absent object, an absent string");
	tap_ok(p && p->n_env == 2 && !p->env[2], "strings end with NULL");
	tap_ok(p && p->user->n_additional_gids == 1 && p->user->additional_gids[0] == 7, "numbers");
	tap_ok(p && p->place.line == 1 && p->place.column == 1, "place of the whole");
	tap_free(&m);

	c = tap_decode(&m, &oci_config_type,
		       "{\"ociVersion\":\"1\",\n \"linux\": {\n  \"netDevices\": {\"e\":{},\n"
		       "  \"f\":{\"name\":\"g\"}}, \"sysctl\": {\"a\":\"b\"}}}",
		       NULL, &e);
	tap_ok(c && c->linux->place.line == 2 && c->linux->place.column == 11,
	       "place of an object");
	tap_ok(c && c->linux->net_devices->n == 2 &&
		       !c->linux->net_devices->entries[0].value->name &&
		       strcmp(c->linux->net_devices->entries[1].key, "f") == 0 &&
		       strcmp(c->linux->net_devices->entries[1].value->name, "g") == 0,
	       "a map to objects");
	tap_ok(c && c->linux->net_devices->entries[1].value->place.line == 4, "place in a map");
	tap_ok(c && c->linux->sysctl->n == 1 &&
		       strcmp(c->linux->sysctl->entries[0].value, "b") == 0,
	       "a map to strings");
	tap_free(&m);
}

/* More than the decoder has slots for at first, in arrays within arrays. */
static void test_large(void)
{
	static char text[400000];
	struct tap_memory m = { 0 };
	struct ocispec_error e;
	const struct oci_linux_seccomp *s;
	size_t n = 0;
	bool good;

	n += (size_t)snprintf(text, sizeof(text), "{\"defaultAction\":\"a\",\"syscalls\":[");
	for (int i = 0; i < 700; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s{\"action\":\"x\",\"names\":[",
				      i ? "," : "");
		for (int k = 0; k <= i % 40; k++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"n%d_%d\"",
					      k ? "," : "", i, k);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]}");
	}
	snprintf(text + n, sizeof(text) - n, "]}");
	s = tap_decode(&m, &oci_linux_seccomp_type, text, NULL, &e);
	good = s && s->n_syscalls == 700;
	for (int i = 0; good && i < 700; i++) {
		char last[24];

		snprintf(last, sizeof(last), "n%d_%d", i, i % 40);
		good = s->syscalls[i]->n_names == (size_t)i % 40 + 1 &&
		       strcmp(s->syscalls[i]->names[i % 40], last) == 0;
	}
	tap_ok(good, "700 rules with up to 40 names each");
	tap_free(&m);
}

void test_values(void)
{
	struct tap_memory m = { 0 };
	struct ocispec_error e;

	for (size_t i = 0; i < COUNT(good_rows); i++) {
		const char *text = good_rows[i].text;
		void *o = tap_decode(&m, good_rows[i].type, text, NULL, &e);

		tap_same(o ? tap_encode(&m, good_rows[i].type, o, 0, &e) : e.text,
			 good_rows[i].want ? good_rows[i].want : text, "good row %zu", i);
		tap_free(&m);
	}
	for (size_t i = 0; i < COUNT(bad_rows); i++) {
		void *o = tap_decode(&m, bad_rows[i].type, bad_rows[i].json, NULL, &e);

		if (!tap_ok(!o && strcmp(e.path, bad_rows[i].path) == 0 &&
				    strstr(e.text, bad_rows[i].text),
			    "bad row %zu: %s: %s", i, bad_rows[i].path, bad_rows[i].text))
			tap_say("%s: %s", e.path, o ? "accepted" : e.text);
		tap_free(&m);
	}
	test_presence();
	test_large();
}
