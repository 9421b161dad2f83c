/* SPDX-License-Identifier: Apache-2.0 */
/* version - what --version prints; engines look for the words in front of the values */
#include "cli/cli.h"
#include "cli/commit.h" /* generated: the commit that was built, or "unknown" */
#include "config.h"
#include "sec/sec.h"

const char *cli_version(struct arena *a)
{
	return arena_printf(a,
			    PACKAGE_NAME " version " PACKAGE_VERSION "\n"
					 "commit: " CLEAT_COMMIT "\n"
					 "spec: " SPEC_OCI_VERSION "\n"
					 "libseccomp: %s\n",
			    seccomp_library_version(a));
}
