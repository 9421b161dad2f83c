/* SPDX-License-Identifier: Apache-2.0 */
/* main - global options, command row, exit status; the only printer of errors */
#include <stdio.h>

#include "config.h"

int main(void)
{
	return printf("%s version %s\n", PACKAGE_NAME, PACKAGE_VERSION) < 0;
}
