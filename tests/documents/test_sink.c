/* SPDX-License-Identifier: Apache-2.0 */
/* The listening daemon of the tests refuses what X-Ray's does, and falls over nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

#define HEADER "{\"format\":\"json\",\"version\":1}\n"
#define DOCUMENT(id)                                                           \
    "{\"id\":\"" id "\",\"trace_id\":\"1-5759e988-bd862e3fe1be46a994272793\"," \
    "\"name\":\"a\",\"start_time\":1,\"end_time\":2}"

static struct sink sink;

static bool takes(const char *datagram)
{
    *sink.wrong = '\0';
    return sink_read(&sink, datagram, strlen(datagram));
}

Test(sink, takes_a_header_and_one_document)
{
    cr_expect(takes(HEADER DOCUMENT("000000000000000a")), "%s", sink.wrong);
    cr_expect(takes("{\"version\":1,\"format\":\"JSON\"}\n" DOCUMENT("000000000000000b")), "%s",
              sink.wrong);
    cr_expect_eq(sink.datagrams, 2);
}

Test(sink, refuses_what_the_daemon_drops)
{
    static const char *const datagrams[] = {
        "",
        "\n",
        HEADER,
        DOCUMENT("000000000000000a"),
        "\n" DOCUMENT("000000000000000a"),
        "{\"format\":\"json\",\"version\":1}" DOCUMENT("000000000000000a"),
        "{\"format\":\"json\",\"version\":2}\n" DOCUMENT("000000000000000a"),
        "{\"format\":\"xml\",\"version\":1}\n" DOCUMENT("000000000000000a"),
        "{\"format\":\"json\"}\n" DOCUMENT("000000000000000a"),
        "{\"format\":\"json\",\"version\":\"1\"}\n" DOCUMENT("000000000000000a"),
        "[1]\n" DOCUMENT("000000000000000a"),
        "json\n" DOCUMENT("000000000000000a"),
    };

    for (size_t i = 0; i < sizeof(datagrams) / sizeof(*datagrams); i++) {
        cr_expect_not(takes(datagrams[i]), "%s", datagrams[i]);
        cr_expect(*sink.wrong);
    }
}

Test(sink, refuses_two_documents_in_one_datagram)
{
    cr_expect_not(takes(HEADER DOCUMENT("000000000000000a") DOCUMENT("000000000000000b")));
    cr_expect_not(takes(HEADER DOCUMENT("000000000000000a") "\n" DOCUMENT("000000000000000b")));
}

Test(sink, refuses_an_id_that_comes_twice)
{
    cr_expect(takes(HEADER DOCUMENT("000000000000000a")));
    cr_expect_not(takes(HEADER DOCUMENT("000000000000000a")));
}

Test(sink, survives_the_largest_datagram)
{
    static char datagram[65507];

    memset(datagram, '{', sizeof(datagram));
    cr_expect_not(sink_read(&sink, datagram, sizeof(datagram)));
    memcpy(datagram, HEADER, strlen(HEADER));
    *sink.wrong = '\0';
    cr_expect_not(sink_read(&sink, datagram, sizeof(datagram)));
    cr_expect_str_eq(sink.wrong, "the datagram is larger than 63 KiB");
    cr_expect_not(sink_read(&sink, datagram, 60000), "nested without end");
}

Test(sink, survives_damaged_datagrams)
{
    static const char good[] = HEADER DOCUMENT("000000000000000a");
    char damaged[sizeof(good)];
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        size_t length = (size_t)rand_r(&seed) % sizeof(good);

        memcpy(damaged, good, sizeof(good));
        for (int j = rand_r(&seed) % 4; j >= 0; j--)
            damaged[(size_t)rand_r(&seed) % sizeof(good)] = (char)rand_r(&seed);
        sink_read(&sink, damaged, length);
    }
    cr_expect_eq(sink.datagrams, 20000);
}
