/* SPDX-License-Identifier: Apache-2.0 */
#include "media/guard_address.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PRIVATE    "a private address"
#define LOOPBACK   "a loopback address"
#define LINK_LOCAL "a link-local address"
#define SHARED     "an address of a provider's own network"
#define MULTICAST  "a multicast address"
#define RESERVED   "a reserved address"
#define NOBODY     "the address of no host"

struct block {
    uint8_t prefix[16];
    int bits;
    const char *kind;
};

/* IANA's registry of special purposes, as far as it is not globally reachable. */
static const struct block ipv4_blocks[] = {
    { { 0 }, 8, NOBODY },
    { { 10 }, 8, PRIVATE },
    { { 100, 64 }, 10, SHARED },
    { { 127 }, 8, LOOPBACK },
    { { 169, 254 }, 16, LINK_LOCAL },
    { { 172, 16 }, 12, PRIVATE },
    { { 192, 0, 0 }, 24, RESERVED },
    { { 192, 0, 2 }, 24, RESERVED },
    { { 192, 88, 99 }, 24, RESERVED },
    { { 192, 168 }, 16, PRIVATE },
    { { 198, 18 }, 15, RESERVED },
    { { 198, 51, 100 }, 24, RESERVED },
    { { 203, 0, 113 }, 24, RESERVED },
    { { 224 }, 4, MULTICAST },
    { { 240 }, 4, RESERVED },
};

/* Only 2000::/3 is given out; what is special inside of it, and names for what is outside. */
static const struct block ipv6_blocks[] = {
    { { 0x20, 0x01 }, 23, RESERVED }, /* Teredo too, which hides an IPv4 address */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, RESERVED },
    { { 0x20, 0x02 }, 16, "a 6to4 address" },
    { { 0x3f, 0xff }, 20, RESERVED },
    { { 0xfc }, 7, PRIVATE },
    { { 0xfe, 0x80 }, 10, LINK_LOCAL },
    { { 0xfe, 0xc0 }, 10, PRIVATE },
    { { 0xff }, 8, MULTICAST },
    { { [15] = 1 }, 128, LOOPBACK },
    { { 0 }, 128, NOBODY },
};
static const struct block ipv6_global = { { 0x20 }, 3, NULL };

/* An IPv4 address stands in the last four bytes of these: it decides. */
static const struct block ipv6_mapped = { { [10] = 0xff, [11] = 0xff }, 96, NULL };
static const struct block ipv6_translated = { { 0x00, 0x64, 0xff, 0x9b }, 96, NULL };

static bool is_in(const struct block *block, const uint8_t *address)
{
    int bytes = block->bits / 8, bits = block->bits % 8;
    if (memcmp(block->prefix, address, (size_t)bytes) != 0)
        return false;
    return bits == 0 || (block->prefix[bytes] ^ address[bytes]) >> (8 - bits) == 0;
}

static const char *find(const struct block *blocks, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (is_in(&blocks[i], address))
            return blocks[i].kind;
    return NULL;
}

static const char *kind_of_ipv4(const uint8_t *address)
{
    return find(ipv4_blocks, sizeof(ipv4_blocks) / sizeof(*ipv4_blocks), address);
}

static const char *kind_of_ipv6(const uint8_t *address)
{
    if (is_in(&ipv6_mapped, address) || is_in(&ipv6_translated, address))
        return kind_of_ipv4(address + 12);
    const char *kind = find(ipv6_blocks, sizeof(ipv6_blocks) / sizeof(*ipv6_blocks), address);
    return kind || is_in(&ipv6_global, address) ? kind : RESERVED;
}

const char *guard_address_kind(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return kind_of_ipv4((const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    if (address->sa_family == AF_INET6)
        return kind_of_ipv6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return RESERVED;
}

void guard_address_format(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN])
{
    const void *bytes = address->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (!inet_ntop(address->sa_family, bytes, ret, INET6_ADDRSTRLEN))
        snprintf(ret, INET6_ADDRSTRLEN, "?");
}
