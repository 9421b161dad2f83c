/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template - the configuration that `cleat spec` writes
 *
 * What people know from other runtimes, so that a bundle and a measurement can be
 * carried over. The form for a user without privileges has a user namespace that maps
 * the caller to root, keeps the host's network, has no limits, and shows the host's
 * /sys, because sysfs belongs to whoever owns the network namespace.
 */
#include "base/str.h"
#include "spec/spec.h"

static const char head[] =
	"{\n"
	"\t\"ociVersion\": \"" SPEC_OCI_VERSION "\",\n"
	"\t\"process\": {\n"
	"\t\t\"terminal\": true,\n"
	"\t\t\"user\": {\n"
	"\t\t\t\"uid\": 0,\n"
	"\t\t\t\"gid\": 0\n"
	"\t\t},\n"
	"\t\t\"args\": [\n"
	"\t\t\t\"sh\"\n"
	"\t\t],\n"
	"\t\t\"env\": [\n"
	"\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
	"\t\t\t\"TERM=xterm\"\n"
	"\t\t],\n"
	"\t\t\"cwd\": \"/\",\n"
	"\t\t\"capabilities\": {\n"
	"\t\t\t\"bounding\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t],\n"
	"\t\t\t\"effective\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t],\n"
	"\t\t\t\"permitted\": [\n"
	"\t\t\t\t\"CAP_AUDIT_WRITE\",\n"
	"\t\t\t\t\"CAP_KILL\",\n"
	"\t\t\t\t\"CAP_NET_BIND_SERVICE\"\n"
	"\t\t\t]\n"
	"\t\t},\n"
	"\t\t\"rlimits\": [\n"
	"\t\t\t{\n"
	"\t\t\t\t\"type\": \"RLIMIT_NOFILE\",\n"
	"\t\t\t\t\"hard\": 1024,\n"
	"\t\t\t\t\"soft\": 1024\n"
	"\t\t\t}\n"
	"\t\t],\n"
	"\t\t\"noNewPrivileges\": true\n"
	"\t},\n"
	"\t\"root\": {\n"
	"\t\t\"path\": \"rootfs\",\n"
	"\t\t\"readonly\": true\n"
	"\t},\n"
	"\t\"hostname\": \"cleat\",\n";

struct template_mount {
	const char *destination, *type, *source;
	const char *options[8];
};

static const struct template_mount mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

/* Group 5 (tty) is not mapped for a single user, and sysfs is not to be had. */
static const struct template_mount rootless_mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static const char *const namespaces[] = {
	"pid", "network", "ipc", "uts", "mount", "cgroup", NULL,
};
static const char *const rootless_namespaces[] = {
	"pid", "ipc", "uts", "mount", "cgroup", "user", NULL,
};

static const char resources[] = "\t\t\"resources\": {\n"
				"\t\t\t\"devices\": [\n"
				"\t\t\t\t{\n"
				"\t\t\t\t\t\"allow\": false,\n"
				"\t\t\t\t\t\"access\": \"rwm\"\n"
				"\t\t\t\t}\n"
				"\t\t\t]\n"
				"\t\t},\n";

static const char tail[] = "\t\t\"maskedPaths\": [\n"
			   "\t\t\t\"/proc/acpi\",\n"
			   "\t\t\t\"/proc/asound\",\n"
			   "\t\t\t\"/proc/kcore\",\n"
			   "\t\t\t\"/proc/keys\",\n"
			   "\t\t\t\"/proc/latency_stats\",\n"
			   "\t\t\t\"/proc/timer_list\",\n"
			   "\t\t\t\"/proc/timer_stats\",\n"
			   "\t\t\t\"/proc/sched_debug\",\n"
			   "\t\t\t\"/sys/firmware\",\n"
			   "\t\t\t\"/sys/devices/virtual/powercap\",\n"
			   "\t\t\t\"/proc/scsi\"\n"
			   "\t\t],\n"
			   "\t\t\"readonlyPaths\": [\n"
			   "\t\t\t\"/proc/bus\",\n"
			   "\t\t\t\"/proc/fs\",\n"
			   "\t\t\t\"/proc/irq\",\n"
			   "\t\t\t\"/proc/sys\",\n"
			   "\t\t\t\"/proc/sysrq-trigger\"\n"
			   "\t\t]\n"
			   "\t}\n"
			   "}\n";

static const char *print_options(struct arena *a, const struct template_mount *m)
{
	const char *text = "";

	for (size_t i = 0; m->options[i]; i++)
		text = arena_printf(a, "%s%s\n\t\t\t\t\"%s\"", text, i ? "," : "", m->options[i]);
	return *text ? arena_printf(a, ",\n\t\t\t\"options\": [%s\n\t\t\t]", text) : "";
}

static const char *print_mounts(struct arena *a, const struct template_mount *list, size_t n)
{
	const char *text = "\t\"mounts\": [";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(a,
				    "%s%s\n\t\t{\n"
				    "\t\t\t\"destination\": \"%s\",\n"
				    "\t\t\t\"type\": \"%s\",\n"
				    "\t\t\t\"source\": \"%s\"%s\n"
				    "\t\t}",
				    text, i ? "," : "", list[i].destination, list[i].type,
				    list[i].source, print_options(a, &list[i]));
	return arena_printf(a, "%s\n\t],\n", text);
}

static const char *print_namespaces(struct arena *a, const char *const *list)
{
	const char *text = "\t\t\"namespaces\": [";

	for (size_t i = 0; list[i]; i++)
		text = arena_printf(a, "%s%s\n\t\t\t{\n\t\t\t\t\"type\": \"%s\"\n\t\t\t}", text,
				    i ? "," : "", list[i]);
	return arena_printf(a, "%s\n\t\t],\n", text);
}

static const char *print_mapping(struct arena *a, const char *name, unsigned id)
{
	return arena_printf(a,
			    "\t\t\"%s\": [\n"
			    "\t\t\t{\n"
			    "\t\t\t\t\"containerID\": 0,\n"
			    "\t\t\t\t\"hostID\": %u,\n"
			    "\t\t\t\t\"size\": 1\n"
			    "\t\t\t}\n"
			    "\t\t],\n",
			    name, id);
}

const char *spec_template(struct arena *a, bool rootless, uid_t uid, gid_t gid)
{
	if (rootless)
		return arena_printf(a, "%s%s\t\"linux\": {\n%s%s%s%s", head,
				    print_mounts(a, rootless_mounts, COUNT(rootless_mounts)),
				    print_mapping(a, "uidMappings", uid),
				    print_mapping(a, "gidMappings", gid),
				    print_namespaces(a, rootless_namespaces), tail);
	return arena_printf(a, "%s%s\t\"linux\": {\n%s%s%s", head,
			    print_mounts(a, mounts, COUNT(mounts)), resources,
			    print_namespaces(a, namespaces), tail);
}
