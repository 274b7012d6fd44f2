/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace headers. What was read of any text is written as a header that is
 * safe to send, and which, when read and written again, is the same.
 */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>

#include "wire/trace_header.h"
#include "wire/traceparent.h"

const struct fuzz_large fuzz_large[] = {
    { "a long key", "Root=1-5759e988-bd862e3fe1be46a994272793;", "k", 1 << 20, "=v" },
    { "many fields", "", "a=b;", 1 << 18, "Sampled=1" },
    { "many separators", "", ";", 1 << 20, "Sampled=1" },
    { "many lineages", "", "Lineage=1:2;l=3;", 1 << 10, "" },
    { "a long traceparent", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "0",
      1 << 20, "" },
    { 0 },
};

/* Like snprintf(): the whole text's length, and of the text what there is room for. */
static void check_truncated(size_t (*format)(const xray_trace_header *, char *, size_t),
                            const xray_trace_header *header, const char *whole, size_t length)
{
    for (size_t size = 0; size <= length; size += 1 + size / 3) {
        char *buf = fuzz_allocate(size);

        CHECK(format(header, buf, size) == length);
        CHECK(size == 0 || (memcmp(buf, whole, size - 1) == 0 && buf[size - 1] == '\0'));
        free(buf);
    }
}

static void check_safe(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        CHECK(text[i] >= 0x20 && text[i] < 0x7f);
}

/* header may be anything; what is written of it is a header. */
static void check_written(const xray_trace_header *header)
{
    char first[XRAY_TRACE_HEADER_SIZE], second[XRAY_TRACE_HEADER_SIZE];
    size_t length = xr_trace_header_format(header, first, sizeof(first));
    xray_trace_header read;

    CHECK(length < sizeof(first) && strlen(first) == length);
    check_safe(first, length);
    check_truncated(xr_trace_header_format, header, first, length);

    CHECK(xr_trace_header_parse(&read, first) == 0);
    CHECK(memcmp(&read.trace_id, &header->trace_id, sizeof(read.trace_id)) == 0);
    CHECK(read.parent_id == header->parent_id);
    CHECK(xr_trace_header_format(&read, second, sizeof(second)) == length);
    CHECK(strcmp(first, second) == 0);
}

static bool has_control(const char *text)
{
    for (size_t i = 0; i < XR_TRACE_HEADER_INPUT_MAX && text[i]; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

/* Each extra field is one of the text's, without blanks around it, and none has another's key. */
static void check_extra(const char *extra, const char *text)
{
    for (const char *end; *extra; extra = *end ? end + 1 : end) {
        size_t length = strcspn(extra, ";"), key = strcspn(extra, "=") + 1;
        const char *p = text;

        end = extra + length;
        CHECK(key > 1 && key <= length);
        CHECK(extra[0] != ' ' && end[-1] != ' ' && (*end == '\0' || end[1] != '\0'));
        for (const char *next = end; *next; next += 1 + strcspn(next + 1, ";"))
            CHECK(strncmp(next + 1, extra, key) != 0);
        while (strncmp(p + strspn(p, " "), extra, length) != 0 ||
               !strchr(" ;", p[strspn(p, " ") + length])) {
            p += strcspn(p, ";");
            CHECK(*p++ == ';');
        }
    }
}

static void check_trace_header(const char *text)
{
    xray_trace_header header, again, untouched;
    char written[XRAY_TRACE_HEADER_SIZE];
    int r;

    memset(&untouched, 0x5a, sizeof(untouched));
    header = untouched;
    r = xr_trace_header_parse(&header, text);
    CHECK(r == (has_control(text) ? -EINVAL : 0));
    if (r < 0) {
        CHECK(memcmp(&header, &untouched, sizeof(header)) == 0);
        return;
    }
    check_extra(header.extra, text);
    CHECK(memchr(header.extra, '\0', sizeof(header.extra)));
    CHECK(header.sampled >= XRAY_SAMPLED_UNKNOWN && header.sampled <= XRAY_SAMPLED_REQUESTED);
    check_written(&header);
    xr_trace_header_format(&header, written, sizeof(written));
    CHECK(xr_trace_header_parse(&again, written) == 0);
    CHECK(memcmp(&header, &again, sizeof(header)) == 0);
}

static void check_traceparent(const char *text)
{
    xray_trace_header header, again, untouched;
    char written[XRAY_TRACEPARENT_SIZE];
    size_t length;
    int r;

    memset(&untouched, 0x5a, sizeof(untouched));
    header = untouched;
    r = xr_traceparent_parse(&header, text);
    CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        CHECK(memcmp(&header, &untouched, sizeof(header)) == 0);
        return;
    }
    CHECK(header.parent_id != 0 && header.extra[0] == '\0');
    length = xr_traceparent_format(&header, written, sizeof(written));
    CHECK(length == XRAY_TRACEPARENT_SIZE - 1 && strlen(written) == length);
    check_truncated(xr_traceparent_format, &header, written, length);
    CHECK(xr_traceparent_parse(&again, written) == 0);
    CHECK(memcmp(&header, &again, sizeof(header)) == 0);
    check_written(&header);
}

/* As a program may fill it in: neither extra nor sampled is what it should be. */
static void check_filled_in(const uint8_t *data, size_t size)
{
    xray_trace_header header = { 0 };
    char written[XRAY_TRACEPARENT_SIZE];
    size_t length;

    memcpy(&header, data, size < sizeof(header) ? size : sizeof(header));
    check_written(&header);
    length = xr_traceparent_format(&header, written, sizeof(written));
    CHECK(length == 0 || length == XRAY_TRACEPARENT_SIZE - 1);
    check_safe(written, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    check_trace_header(text);
    check_traceparent(text);
    check_filled_in(data, size);
    free(text);
    return 0;
}
