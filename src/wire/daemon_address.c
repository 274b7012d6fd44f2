/* SPDX-License-Identifier: Apache-2.0 */
/* Every word of the text is one endpoint; which one, its prefix says. */
#include "wire/daemon_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define INPUT_MAX  1024
#define SEPARATORS " \t,"

enum kind {
    KIND_BOTH,
    KIND_UDP,
    KIND_TCP,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool all_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_digit(text[i]))
            return false;
    return true;
}

static bool parse_port(const char *text, size_t length, uint16_t *ret)
{
    unsigned value = 0;

    if (length == 0 || length > 5 || !all_digits(text, length))
        return false;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value == 0 || value > UINT16_MAX)
        return false;
    *ret = (uint16_t)value;
    return true;
}

/* A name or an IPv4 address. A number alone is more likely a port without its host. */
static bool is_host(const char *text, size_t length)
{
    if (length == 0 || all_digits(text, length))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr("-._", text[i]))
            return false;
    return true;
}

/* With or without a zone: "fe80::1%eth0". */
static bool is_ipv6(const char *text, size_t length)
{
    const char *zone = memchr(text, '%', length);
    size_t address_length = zone ? (size_t)(zone - text) : length;
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (address_length >= sizeof(address))
        return false;
    if (zone && !is_host(zone + 1, length - address_length - 1) &&
        (length == address_length + 1 || !all_digits(zone + 1, length - address_length - 1)))
        return false;
    memcpy(address, text, address_length);
    address[address_length] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* "host", "host:port", "[address]" or "[address]:port". */
static bool parse_endpoint(struct xr_daemon_endpoint *ret, const char *text, size_t length)
{
    struct xr_daemon_endpoint endpoint = { .port = XR_DAEMON_PORT_DEFAULT };
    const char *host = text, *host_end, *rest;

    if (length > 0 && text[0] == '[') {
        host++;
        host_end = memchr(text, ']', length);
        if (!host_end || !is_ipv6(host, (size_t)(host_end - host)))
            return false;
        rest = host_end + 1;
    } else {
        host_end = memchr(text, ':', length);
        if (!host_end)
            host_end = text + length;
        if (!is_host(host, (size_t)(host_end - host)))
            return false;
        rest = host_end;
    }
    if ((size_t)(host_end - host) >= sizeof(endpoint.host))
        return false;

    if (rest < text + length &&
        (*rest != ':' || !parse_port(rest + 1, (size_t)(text + length - rest) - 1, &endpoint.port)))
        return false;
    memcpy(endpoint.host, host, (size_t)(host_end - host));
    *ret = endpoint;
    return true;
}

static bool has_prefix(const char *text, size_t length, const char *prefix)
{
    /* "udp:2000" is port 2000 of a host with that name, as Compose files have it. */
    if (length <= 4 || all_digits(text + 4, length - 4))
        return false;
    for (size_t i = 0; i < 3; i++)
        if ((text[i] | 0x20) != prefix[i])
            return false;
    return text[3] == ':';
}

static bool parse_word(struct xr_daemon_endpoint *ret, enum kind *ret_kind, const char *text,
                       size_t length)
{
    *ret_kind = has_prefix(text, length, "udp")   ? KIND_UDP
                : has_prefix(text, length, "tcp") ? KIND_TCP
                                                  : KIND_BOTH;
    if (*ret_kind != KIND_BOTH) {
        text += 4;
        length -= 4;
    }
    return parse_endpoint(ret, text, length);
}

int xr_daemon_address_parse(struct xr_daemon_address *ret, const char *text)
{
    struct xr_daemon_endpoint endpoints[3]; /* by kind */
    bool have[3] = { false };

    if (!ret || !text || strnlen(text, INPUT_MAX + 1) > INPUT_MAX)
        return -EINVAL;

    for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
        struct xr_daemon_endpoint endpoint;
        size_t length = strcspn(text, SEPARATORS);
        enum kind kind;

        if (!parse_word(&endpoint, &kind, text, length) || have[kind])
            return -EINVAL;
        endpoints[kind] = endpoint;
        have[kind] = true;
        text += length;
    }

    if (have[KIND_BOTH] == (have[KIND_UDP] || have[KIND_TCP]))
        return -EINVAL; /* nothing, or two that contradict each other */
    ret->udp = endpoints[have[KIND_UDP] ? KIND_UDP : have[KIND_BOTH] ? KIND_BOTH : KIND_TCP];
    ret->tcp = endpoints[have[KIND_TCP] ? KIND_TCP : have[KIND_BOTH] ? KIND_BOTH : KIND_UDP];
    return 0;
}
