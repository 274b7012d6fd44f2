/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of the daemon: what is read can be written, and read again as the same. */
#include "fuzz.h"

#include <errno.h>

#include "wire/daemon_address.h"

const struct fuzz_large fuzz_large[] = {
    { "a long name", "", "a", 1 << 20, ":2000" },
    { "many blanks", "", " ", 1 << 20, "127.0.0.1:2000" },
    { "many colons", "[", ":", 1000, "]:2000" },
    { "a long zone", "[fe80::1%", "e", 1000, "]:2000" },
    { 0 },
};

static void write_endpoint(char *ret, size_t size, const struct xr_daemon_endpoint *endpoint)
{
    CHECK(endpoint->port > 0);
    CHECK(memchr(endpoint->host, '\0', sizeof(endpoint->host)) && endpoint->host[0] != '\0');
    for (const char *p = endpoint->host; *p; p++)
        CHECK(*p > 0x20 && *p < 0x7f);
    if (strchr(endpoint->host, ':'))
        snprintf(ret, size, "[%s]:%u", endpoint->host, endpoint->port);
    else
        snprintf(ret, size, "%s:%u", endpoint->host, endpoint->port);
}

static void check_same(const struct xr_daemon_endpoint *a, const struct xr_daemon_endpoint *b)
{
    CHECK(strcmp(a->host, b->host) == 0 && a->port == b->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), udp[300], tcp[300], written[700];
    struct xr_daemon_address address, again, untouched;
    int r;

    memset(&untouched, 0x5a, sizeof(untouched));
    address = untouched;
    r = xr_daemon_address_parse(&address, text);
    free(text);
    CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        CHECK(memcmp(&address, &untouched, sizeof(address)) == 0);
        return 0;
    }

    write_endpoint(udp, sizeof(udp), &address.udp);
    write_endpoint(tcp, sizeof(tcp), &address.tcp);
    snprintf(written, sizeof(written), "tcp:%s udp:%s", tcp, udp);
    CHECK(xr_daemon_address_parse(&again, written) == 0);
    check_same(&address.udp, &again.udp);
    check_same(&address.tcp, &again.tcp);
    return 0;
}
