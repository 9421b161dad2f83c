/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/spec/bundle.h"

#include <fcntl.h>
#include <unistd.h>

#include "unit/unit.h"

int bundle_load_text(struct arena *a, const char *text, struct spec **ret, struct err *e)
{
	int fd = open(arena_printf(a, "%s/config.json", unit_dir()),
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	*ret = NULL;
	return spec_load(a, unit_dir(), NULL, ret, e);
}

static const char *more(struct arena *a, const char *members)
{
	return members ? arena_printf(a, ", %s", members) : "";
}

int bundle_load(struct arena *a, const struct bundle_parts *parts, struct spec **ret, struct err *e)
{
	const char *text =
		arena_printf(a,
			     "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"rootfs\" },\n"
			     "  \"process\": { \"args\": [ \"sh\" ], \"cwd\": \"/\"%s },\n"
			     "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" } ]%s }%s\n"
			     "}\n",
			     more(a, parts->process), more(a, parts->linux), more(a, parts->top));

	return bundle_load_text(a, text, ret, e);
}
