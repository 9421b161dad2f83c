/* SPDX-License-Identifier: Apache-2.0 */
/* stats_json - the figures of a container as the readers of events --stats decode them */
#ifndef CLEAT_CLI_STATS_JSON_H
#define CLEAT_CLI_STATS_JSON_H

#include "cgroup/cgroup.h"
#include "cli/cli.h"

/* {"type":"stats","id":@id,"data":{...}} and a line end. */
void stats_json(struct output *o, const char *id, const struct cgroup_stats *s);

#endif
