/* SPDX-License-Identifier: Apache-2.0 */
/* URLs as libcurl reads them, so that what is recorded is what was asked. */
#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

/* As curl_easy_perform() is lenient: "example.com/x" is a URL, and so is any scheme's. */
static CURLU *parse(const char *url)
{
    CURLU *parts = url ? curl_url() : NULL;

    if (parts &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_cleanup(parts);
        parts = NULL;
    }
    return parts;
}

bool xr_curl_url_host(const char *url, char *ret, size_t size)
{
    CURLU *parts = parse(url);
    char *host = NULL;
    size_t length, skipped;

    ret[0] = '\0';
    if (!parts || curl_url_get(parts, CURLUPART_HOST, &host, 0))
        host = NULL;
    if (host) {
        skipped = host[0] == '[';
        length = strcspn(host + skipped, "]");
        if (length > size - 1)
            length = size - 1;
        memcpy(ret, host + skipped, length);
        ret[length] = '\0';
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return ret[0];
}

char *xr_curl_url_public(const char *url)
{
    static const CURLUPart SECRET[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                        CURLUPART_QUERY, CURLUPART_FRAGMENT };
    CURLU *parts = parse(url);
    char *text = NULL;
    bool failed = !parts;

    for (size_t i = 0; !failed && i < sizeof(SECRET) / sizeof(*SECRET); i++)
        failed = curl_url_set(parts, SECRET[i], NULL, 0);
    if (!failed && curl_url_get(parts, CURLUPART_URL, &text, 0))
        text = NULL;
    curl_url_cleanup(parts);
    return text;
}

bool xr_curl_host_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}
