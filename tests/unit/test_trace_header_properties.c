/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold for every trace header, tried with many: the same ones in every run. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "trace_headers.h"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void random_extra(char *extra, uint64_t *random)
{
    static const char letters[] = "abcXYZ019_-:|=,.";
    unsigned fields = next_random(random) % 5;
    char *p = extra;

    for (unsigned i = 0; i < fields; i++) {
        size_t length = next_random(random) % 40;

        if (p != extra)
            *p++ = ';';
        p += sprintf(p, i == 2 ? "Lineage=" : "K%u=", i);
        for (size_t k = 0; k < length; k++)
            *p++ = letters[next_random(random) % (sizeof(letters) - 1)];
    }
}

Test(trace_header, reads_back_what_it_wrote)
{
    uint64_t random = 42;

    for (int i = 0; i < 100000; i++) {
        xray_trace_header header = { 0 }, again;
        uint64_t words[2] = { next_random(&random), next_random(&random) };

        if (next_random(&random) % 8 != 0)
            memcpy(header.trace_id.bytes, words, sizeof(words));
        if (next_random(&random) % 8 != 0)
            header.parent_id = next_random(&random) >> next_random(&random) % 64;
        header.sampled = (int32_t)(next_random(&random) % 4);
        random_extra(header.extra, &random);

        again = parse(format(&header));
        cr_assert_eq(memcmp(&again, &header, sizeof(header)), 0, "round %d: %s", i,
                     format(&header));
    }
}

Test(trace_header, reads_usual_fields_as_it_reads_any_others)
{
    static const char *const values[] = {
        "1-5759e988-bd862e3fe1be46a994272793",
        "1-5759E988-bd862e3fe1be46a994272793",
        "1-5759e988-bd862e3fe1be46a99427279g",
        "1-00000000-000000000000000000000000",
        "53995c3f42cd8ad8",
        "53995C3F42cd8aD8",
        "53995c3f42cd8ad",
        "0000000000000000",
        "1",
        "0",
        "?",
        "2",
        "",
        "=",
        "53995c3f42cd8ad;",
    };
    static const char *const keys[] = { "Root", "Parent", "Sampled", "Self", "Foo" };
    uint64_t random = 7;

    for (int i = 0; i < 100000; i++) {
        char usual[512] = "", other[512] = "";
        xray_trace_header a, b;

        for (unsigned k = next_random(&random) % 6; k > 0; k--) {
            const char *key = keys[next_random(&random) % LENGTH_OF(keys)];
            const char *value = values[next_random(&random) % LENGTH_OF(values)];

            sprintf(usual + strlen(usual), "%s%s=%s", *usual ? ";" : "", key, value);
            /* No field in its usual shape: none may begin or end without a blank. */
            sprintf(other + strlen(other), "%s%s=%s ", *other ? "; " : "", key, value);
        }
        a = parse(usual);
        b = parse(other);
        cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0, "\"%s\"", usual);
    }
}

/* element *( ";" element ), element = key "=" *visible, known keys once and in order. */
static bool is_well_formed(const char *text)
{
    int last_rank = -1;

    while (*text) {
        static const char *const known[] = { "Root=", "Parent=", "Sampled=" };
        size_t length = strcspn(text, ";");
        int rank = 3;

        if (length == 0 || text[0] == ' ' || text[length - 1] == ' ' || text[0] == '=' ||
            !memchr(text, '=', length))
            return false;
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] > 0x7e)
                return false;
        for (int i = 0; i < 3; i++)
            if (strncmp(text, known[i], strlen(known[i])) == 0)
                rank = i;
        if (rank < last_rank || (rank == last_rank && rank < 3))
            return false;
        last_rank = rank;
        text += length;
        if (*text == ';' && *++text == '\0')
            return false;
    }
    return true;
}

Test(trace_header, sends_on_only_what_matches_the_grammar)
{
    static const char *const pieces[] = {
        ROOT,
        PARENT,
        "Sampled=1",
        "Sampled=?",
        "Sampled=",
        ";",
        ";;",
        " ",
        "=",
        "Lineage=",
        "Lineage=1:a87bd80c:0",
        "root=",
        "Self=1",
        "x",
        "Foo=bar",
        "1-5759e988-",
        "\xc3",
        "\x7e",
        "53995c3f42cd8ad8",
        "0123456789012345678901234567890123456789",
    };
    uint64_t random = 3;

    for (int i = 0; i < 100000; i++) {
        char text[2048] = "";
        xray_trace_header header;

        for (unsigned k = next_random(&random) % 30; k > 0; k--)
            strcat(text, pieces[next_random(&random) % LENGTH_OF(pieces)]);
        header = parse(text);
        cr_assert(is_well_formed(format(&header)), "\"%s\" became \"%s\"", text, format(&header));
    }
}

Test(trace_header, survives_random_bytes)
{
    uint64_t random = 11;

    for (int i = 0; i < 100000; i++) {
        char text[1100];
        size_t length = next_random(&random) % (i % 10 == 0 ? sizeof(text) : 64);
        xray_trace_header header;

        for (size_t k = 0; k < length; k++)
            text[k] = (char)(next_random(&random) % (i % 2 ? 256 : 96) + (i % 2 ? 0 : 32));
        text[length] = '\0';
        if (xr_trace_header_parse(&header, text) == 0)
            cr_assert(is_well_formed(format(&header)), "round %d", i);
        memset(&header, 0, sizeof(header));
        memcpy(header.extra, text, length < sizeof(header.extra) ? length : sizeof(header.extra));
        cr_assert(is_well_formed(format(&header)), "round %d", i);
    }
}
