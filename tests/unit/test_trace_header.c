/* SPDX-License-Identifier: Apache-2.0 */
/* X-Amzn-Trace-Id: what others send, and what must never be sent on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace_headers.h"
#include "wire/ids.h"

/* ---- Reading ----------------------------------------------------------------- */

Test(trace_header, reads_all_parts)
{
    xray_trace_header header = parse(USUAL ";Lineage=a87bd80c:1|68fd508a:5");
    static const uint8_t id[16] = { 0x57, 0x59, 0xe9, 0x88, 0xbd, 0x86, 0x2e, 0x3f,
                                    0xe1, 0xbe, 0x46, 0xa9, 0x94, 0x27, 0x27, 0x93 };

    cr_assert_arr_eq(header.trace_id.bytes, id, sizeof(id));
    cr_assert_eq(header.parent_id, UINT64_C(0x53995c3f42cd8ad8));
    cr_assert_eq(header.sampled, XRAY_SAMPLED_YES);
    cr_assert_eq(header.flags, 0);
    cr_assert_str_eq(header.extra, "Lineage=a87bd80c:1|68fd508a:5");
}

Test(trace_header, reads_every_decision)
{
    cr_assert_eq(parse("Sampled=0").sampled, XRAY_SAMPLED_NO);
    cr_assert_eq(parse("Sampled=1").sampled, XRAY_SAMPLED_YES);
    cr_assert_eq(parse("Sampled=?").sampled, XRAY_SAMPLED_REQUESTED);
    cr_assert_eq(parse(ROOT).sampled, XRAY_SAMPLED_UNKNOWN);
}

Test(trace_header, takes_no_decision_from_any_other_value)
{
    static const char *const values[] = { "Sampled=",  "Sampled=2",  "Sampled=01", "Sampled=true",
                                          "Sampled",   "Sampled=1x", "Sampled=;",  "Sampled=-1",
                                          "Sampled=!", "Sampled=11" };

    for (size_t i = 0; i < LENGTH_OF(values); i++)
        cr_expect_eq(parse(values[i]).sampled, XRAY_SAMPLED_UNKNOWN, "%s", values[i]);
}

Test(trace_header, takes_fields_in_any_order)
{
    static const struct pair pairs[] = {
        { "Sampled=1;" PARENT ";" ROOT, USUAL },
        { PARENT ";Sampled=1;" ROOT, USUAL },
        { "Lineage=1:a87bd80c:0;Sampled=1;" ROOT ";" PARENT, USUAL ";Lineage=1:a87bd80c:0" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, ignores_the_case_of_the_four_known_keys)
{
    static const struct pair pairs[] = {
        { "root=1-5759e988-bd862e3fe1be46a994272793;parent=53995c3f42cd8ad8;sampled=1", USUAL },
        { "ROOT=1-5759e988-bd862e3fe1be46a994272793;PARENT=53995c3f42cd8ad8;SAMPLED=1", USUAL },
        { "rOOt=1-5759e988-bd862e3fe1be46a994272793;pARENt=53995c3f42cd8ad8;sAMPLEd=1", USUAL },
        { "SELF=1-67891234-12456789abcdef0123456780;" USUAL, USUAL },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, skips_blanks_empty_fields_and_trailing_semicolons)
{
    static const struct pair pairs[] = {
        { ROOT "; " PARENT "; Sampled=1", USUAL },
        { "  " ROOT " ; " PARENT "  ;  Sampled=1  ", USUAL },
        { USUAL ";", USUAL },
        { USUAL "; ", USUAL },
        { ";;" ROOT ";;;" PARENT "; ;Sampled=1;;", USUAL },
        { "Root = 1-5759e988-bd862e3fe1be46a994272793 ;Parent= 53995c3f42cd8ad8;Sampled =1",
          USUAL },
        { USUAL "; Lineage=1:a87bd80c:0 ;", USUAL ";Lineage=1:a87bd80c:0" },
        { ";", "" },
        { "   ", "" },
        { "", "" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, loses_only_the_field_that_is_bad)
{
    static const struct pair pairs[] = {
        { USUAL ";bare", USUAL },
        { "bare;" USUAL, USUAL },
        { USUAL ";=value", USUAL },
        { USUAL "; =value", USUAL },
        { ROOT ";Parent=;Sampled=1", ROOT ";Sampled=1" },
        { ROOT ";Parent=53995c3f42cd8ad;Sampled=1", ROOT ";Sampled=1" },
        { ROOT ";Parent=53995c3f42cd8ad80;Sampled=1", ROOT ";Sampled=1" },
        { ROOT ";Parent=53995c3f42cd8adg;Sampled=1", ROOT ";Sampled=1" },
        { ROOT ";" PARENT ";Sampled=yes", ROOT ";" PARENT },
        { "Root=;" PARENT ";Sampled=1", PARENT ";Sampled=1" },
        { "Root=undefined;" PARENT ";Sampled=1;Foo=bar", PARENT ";Sampled=1;Foo=bar" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, reads_no_trace_from_a_bad_root)
{
    static const char *const roots[] = {
        "Root=2-5759e988-bd862e3fe1be46a994272793",  "Root=1-5759e988-bd862e3fe1be46a99427279",
        "Root=1-5759e988-bd862e3fe1be46a9942727933", "Root=15759e988-bd862e3fe1be46a9942727933",
        "Root=1-5759e98-8bd862e3fe1be46a994272793",  "Root=1-5759e988-bd862e3fe1be46a99427279x",
        "Root=1-5759e988-bd862e3fe1be46a99427279G",  "Root=1-5759e988 bd862e3fe1be46a994272793",
        "Root=5759e988bd862e3fe1be46a994272793",     "Root=1-+759e988-bd862e3fe1be46a994272793",
        "Root=1-5759e988-bd862e3f-1be46a994272793",  "Root=abc",
    };

    for (size_t i = 0; i < LENGTH_OF(roots); i++) {
        xray_trace_header header = parse(roots[i]);

        cr_expect(xr_trace_id_is_zero(&header.trace_id), "%s", roots[i]);
    }
}

Test(trace_header, keeps_what_stands_beside_a_bad_root)
{
    xray_trace_header header = parse("Root=abc;" PARENT ";Sampled=0;Foo=bar");

    cr_assert_eq(header.parent_id, UINT64_C(0x53995c3f42cd8ad8));
    cr_assert_eq(header.sampled, XRAY_SAMPLED_NO);
    cr_assert_str_eq(header.extra, "Foo=bar");
}

Test(trace_header, continues_an_upper_case_root_in_lower_case)
{
    static const struct pair pairs[] = {
        { "Root=1-5759E988-BD862E3FE1BE46A994272793;Parent=53995C3F42CD8AD8;Sampled=1", USUAL },
        { "Root=1-5759e988-BD862e3fe1be46a994272793;" PARENT ";Sampled=1", USUAL },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, takes_ids_of_zeros_as_none)
{
    static const struct pair pairs[] = {
        { "Root=1-00000000-000000000000000000000000;" PARENT ";Sampled=1", PARENT ";Sampled=1" },
        { ROOT ";Parent=0000000000000000;Sampled=1", ROOT ";Sampled=1" },
        { ROOT ";" PARENT ";Parent=0000000000000000", ROOT ";" PARENT },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, keeps_leading_zeros)
{
    static const struct pair pairs[] = {
        { "Root=1-0fffffff-bd862e3fe1be46a994272793", "Root=1-0fffffff-bd862e3fe1be46a994272793" },
        { "Root=1-00000001-000000000000000000000001", "Root=1-00000001-000000000000000000000001" },
        { "Root=1-00000000-000000000000000000000001", "Root=1-00000000-000000000000000000000001" },
        { "Parent=0000000000000001", "Parent=0000000000000001" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, reads_a_root_alone)
{
    xray_trace_header header = parse(ROOT);

    cr_assert_not(xr_trace_id_is_zero(&header.trace_id));
    cr_assert_eq(header.parent_id, 0);
    cr_assert_str_eq(format(&header), ROOT);
}

Test(trace_header, takes_the_last_of_a_field_that_comes_twice)
{
    static const struct pair pairs[] = {
        { "Root=1-11111111-222222222222222222222222;" USUAL, USUAL },
        { "Parent=1111111111111111;" USUAL, USUAL },
        { "Sampled=0;" USUAL, USUAL },
        { USUAL ";Sampled=0", ROOT ";" PARENT ";Sampled=0" },
        { USUAL ";sampled=?", ROOT ";" PARENT ";Sampled=?" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, falls_back_to_the_good_one_when_the_last_is_bad)
{
    static const struct pair pairs[] = {
        { USUAL ";Sampled=maybe", USUAL },
        { USUAL ";Root=abc", USUAL },
        { USUAL ";Root=1-00000000-000000000000000000000000", USUAL },
        { USUAL ";Parent=", USUAL },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, drops_self)
{
    static const struct pair pairs[] = {
        { "Self=1-67891234-12456789abcdef0123456780;" USUAL, USUAL },
        { USUAL ";self=1-67891234-12456789abcdef0123456780", USUAL },
    };

    check(pairs, LENGTH_OF(pairs));
}

/* ---- Fields that are passed on ----------------------------------------------- */

Test(trace_header, keeps_unknown_fields_in_order)
{
    static const struct pair pairs[] = {
        { USUAL ";Zeta=1;Alpha=2;Lineage=1:a87bd80c:0;Beta=3",
          USUAL ";Zeta=1;Alpha=2;Lineage=1:a87bd80c:0;Beta=3" },
        { "Zeta=1;" ROOT ";Alpha=2;" PARENT ";Beta=3;Sampled=1", USUAL ";Zeta=1;Alpha=2;Beta=3" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, keeps_their_text_unchanged)
{
    static const struct pair pairs[] = {
        { USUAL ";Foo=a=b", USUAL ";Foo=a=b" },
        { USUAL ";Foo==", USUAL ";Foo==" },
        { USUAL ";Foo=", USUAL ";Foo=" },
        { USUAL ";Foo=a b, c|d:e\"f", USUAL ";Foo=a b, c|d:e\"f" },
        { USUAL ";rooT2=1;Roo=2;Samples=3", USUAL ";rooT2=1;Roo=2;Samples=3" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, passes_on_the_last_of_an_unknown_field_that_comes_twice)
{
    static const struct pair pairs[] = {
        { "A=1;B=2;A=3", "B=2;A=3" },         { "A=1;A=2", "A=2" },
        { "A=1;B=2;C=3;B=4", "A=1;C=3;B=4" }, { "A=1;a=2;AA=3", "A=1;a=2;AA=3" },
        { "A=1;B=2;A=", "B=2;A=" },
    };

    check(pairs, LENGTH_OF(pairs));
}

Test(trace_header, drops_a_field_that_is_not_ascii)
{
    static const struct pair pairs[] = {
        { USUAL ";Foo=caf\xc3\xa9;Bar=1", USUAL ";Bar=1" },
        { "Foo\xff=1;" USUAL, USUAL },
        { ROOT ";" PARENT ";Sampled=\xb1", ROOT ";" PARENT },
        { "\xc2\xa0" ROOT ";" PARENT, PARENT },
    };

    check(pairs, LENGTH_OF(pairs));
    cr_assert_str_eq(parse(USUAL ";Foo=caf\xc3\xa9;Bar=1").extra, "Bar=1");
}

Test(trace_header, drops_whole_fields_that_do_not_fit)
{
    char text[400], expected[400];

    snprintf(text, sizeof(text), "A=1;B=%0220d;C=2", 0);
    cr_assert_str_eq(parse(text).extra, "A=1;C=2");

    snprintf(text, sizeof(text), "A=1;B=%0217d", 0); /* 3 + 1 + 219 bytes: just fits */
    cr_assert_str_eq(parse(text).extra, text);

    snprintf(text, sizeof(text), "A=1;B=%0218d", 0);
    cr_assert_str_eq(parse(text).extra, "A=1");

    snprintf(expected, sizeof(expected), "A=%0221d", 0);
    cr_assert_str_eq(parse(expected).extra, expected);
}

Test(trace_header, makes_room_for_the_lineage)
{
    char text[400], expected[400];

    snprintf(text, sizeof(text), "A=1;B=%0150d;C=%050d;Lineage=1:a87bd80c:0", 0, 0);
    snprintf(expected, sizeof(expected), "A=1;B=%0150d;Lineage=1:a87bd80c:0", 0);
    cr_assert_str_eq(parse(text).extra, expected);

    snprintf(text, sizeof(text), "Lineage=1:a87bd80c:0;B=%0210d", 0);
    cr_assert_str_eq(parse(text).extra, "Lineage=1:a87bd80c:0");
}

Test(trace_header, passes_on_no_stale_lineage)
{
    char text[400];

    snprintf(text, sizeof(text), "Lineage=1:a87bd80c:0;A=1;Lineage=%0300d", 0);
    cr_assert_str_eq(parse(text).extra, "A=1");
}

/* ---- What is refused --------------------------------------------------------- */

Test(trace_header, refuses_every_control_character)
{
    for (int c = 1; c < 0x80; c++) {
        char text[] = USUAL ";Foo=a_b;Bar=12345678";
        bool control = c < 0x20 || c == 0x7f;
        xray_trace_header header;

        text[sizeof(USUAL ";Foo=a") - 1] = (char)c;
        cr_expect_eq(xr_trace_header_parse(&header, text), control ? -EINVAL : 0, "byte %d", c);
    }
}

Test(trace_header, refuses_a_control_character_wherever_it_is)
{
    static const char usual[] = USUAL ";Lineage=a87bd80c:1|68fd508a:5; Foo=1";

    for (size_t i = 0; i < sizeof(usual) - 1; i++) {
        char text[sizeof(usual)];
        xray_trace_header header;

        memcpy(text, usual, sizeof(usual));
        text[i] = '\n';
        cr_expect_eq(xr_trace_header_parse(&header, text), -EINVAL, "at %zu", i);
    }
}

Test(trace_header, leaves_the_result_alone_when_it_refuses)
{
    xray_trace_header header, before;

    memset(&header, 0x5a, sizeof(header));
    before = header;
    (void)xr_trace_header_parse(&header, USUAL ";Foo=1\r\nX-Evil: 1");
    cr_assert_eq(memcmp(&header, &before, sizeof(header)), 0);
}

Test(trace_header, refuses_null)
{
    xray_trace_header header;

    cr_assert_eq(xr_trace_header_parse(&header, NULL), -EINVAL);
    cr_assert_eq(xr_trace_header_parse(NULL, USUAL), -EINVAL);
}

/* ---- The limit --------------------------------------------------------------- */

/* text so placed that the byte behind its first length ones can't be read. */
static char *at_the_edge(const char *text, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(memory, MAP_FAILED);
    cr_assert_eq(mprotect(memory + page, page, PROT_NONE), 0);
    return memcpy(memory + page - length, text, length);
}

Test(trace_header, reads_nothing_behind_1024_bytes)
{
    char text[1024];
    xray_trace_header header;

    memset(text, 'x', sizeof(text));
    memcpy(text, USUAL ";Foo=", sizeof(USUAL ";Foo=") - 1);
    header = parse(at_the_edge(text, sizeof(text)));
    cr_assert_str_eq(format(&header), USUAL);
}

Test(trace_header, reads_nothing_behind_the_nul)
{
    static const char text[] = USUAL ";Lineage=a87bd80c:1|68fd508a:5; Foo=1";
    char copy[sizeof(text)];

    for (size_t length = 0; length < sizeof(text); length++) {
        memcpy(copy, text, length);
        copy[length] = '\0';
        (void)parse(at_the_edge(copy, length + 1));
    }
}

Test(trace_header, reads_up_to_1024_bytes)
{
    char text[1200];
    xray_trace_header header;

    memset(text, ' ', sizeof(text));
    strcpy(text + 1024 - strlen(ROOT), ROOT);
    header = parse(text);
    cr_assert_str_eq(format(&header), ROOT);

    memset(text, ' ', sizeof(text));
    strcpy(text + 1025 - strlen(ROOT), ROOT);
    header = parse(text);
    cr_assert_str_eq(format(&header), "");
}

Test(trace_header, passes_on_no_part_of_a_field)
{
    char text[1200];

    memset(text, ' ', sizeof(text));
    strcpy(text + 1010, "A=1;Lineage=1:a87bd80c:0"); /* "Lineage=1:" is read */
    cr_assert_str_eq(parse(text).extra, "A=1");
}
