/* SPDX-License-Identifier: Apache-2.0 */
/* plan_doubt - inside the floor: words that are taken and that nobody understands */
#ifndef CLEAT_PLAN_PLAN_DOUBT_H
#define CLEAT_PLAN_PLAN_DOUBT_H

#include "plan/plan.h"

/*
 * Options of mounts and names of system calls that look like slips. Of a configuration as
 * it was decoded, wrong values being empty in it.
 */
void plan_doubt(struct arena *a, struct spec_report *report);

#endif
