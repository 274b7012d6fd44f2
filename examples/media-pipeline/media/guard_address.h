/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses belong to the Internet, and which to this machine, its network or nobody. */
#ifndef PIPELINE_MEDIA_GUARD_ADDRESS_H
#define PIPELINE_MEDIA_GUARD_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

/* NULL for a global unicast address, else what it is: "a private address". */
const char *guard_address_kind(const struct sockaddr *address);

/* As people write it, without a port. */
void guard_address_format(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN]);

#endif /* PIPELINE_MEDIA_GUARD_ADDRESS_H */
