/* SPDX-License-Identifier: Apache-2.0 */
/* Shows the page in the user's browser. */
#ifndef LOCAL_OPEN_H
#define LOCAL_OPEN_H

#include "local/cli/collector.h"

/* Says on stderr if there is no way to do it: the collector runs all the same. */
void open_browser(const struct collector *collector);

#endif
