/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling service as the command line wants it. */
#ifndef LOCAL_SAMPLING_START_H
#define LOCAL_SAMPLING_START_H

#include "local/cli/options.h"
#include "local/sampling/service.h"

/* 0, or an exit code after a message on stderr. */
int sampling_start(struct sampling_service **ret, const struct options *options);

/* The rules as they were when they were last changed, if the store has them. */
void sampling_restore(struct sampling_service *service, struct store *store);

#endif
