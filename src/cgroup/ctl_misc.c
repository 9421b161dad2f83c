/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_misc - controllers that the configuration reaches by "unified" only
 *
 * misc (SEV and TDX key ids, EPC) and dmem (memory of graphics cards, Linux 6.14).
 */
#include "cgroup/ctl.h"

const struct ctl ctl_misc = { .name = "misc", .v1_name = "misc" };
const struct ctl ctl_dmem = { .name = "dmem", .v1_name = "dmem" };
