/* SPDX-License-Identifier: Apache-2.0 */
/* Being told to stop (SIGTERM, SIGINT): at once while idle, else as soon as the work allows. */
#ifndef PIPELINE_RUNTIME_STOP_H
#define PIPELINE_RUNTIME_STOP_H

#include <stdbool.h>

/* Takes the two signals over, and ignores SIGPIPE. 0 or -errno. */
int stop_install(void);

/* While idle there is nothing to clean up: a signal ends the process. */
void stop_set_idle(bool idle);

bool stop_requested(void);

/* Readable once a stop was requested: for poll(). -1 before stop_install(). */
int stop_descriptor(void);

#endif /* PIPELINE_RUNTIME_STOP_H */
