/* SPDX-License-Identifier: Apache-2.0 */
/* How a static bootstrap looks names up. */
#include <nss.h>

/* Whatever /etc/nsswitch.conf lists would be loaded from shared objects, which fit no other libc
 * than their own. These two are in the program. */
static __attribute__((constructor)) void look_up_by_ourselves(void)
{
    __nss_configure_lookup("hosts", "files dns");
}
