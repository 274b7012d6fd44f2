/* SPDX-License-Identifier: Apache-2.0 */
/* Without memory a conversion says so, and gives back what it had. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "support.h"

static size_t left, taken;

static void *take_some(void *data, size_t bytes)
{
    (void)data;
    if (left == 0)
        return NULL;
    left--;
    taken += bytes;
    return malloc(bytes);
}

static void give_back(void *data, void *memory, size_t bytes)
{
    (void)data;
    taken -= bytes;
    free(memory);
}

static const struct xr_allocator allocator = { NULL, take_some, give_back };

static int ignore(void *data, const char *text, size_t length)
{
    (void)data;
    (void)text;
    (void)length;
    return 0;
}

static int read_with(size_t allocations, enum xr_otlp_format format, const char *body,
                     size_t length)
{
    const struct xr_otlp_read_params params = { .format = format, .document = ignore };
    struct xr_otlp_error error;
    uint64_t rejected;
    int r;

    left = allocations;
    r = xr_otlp_read(&params, body, length, &rejected, &error);
    cr_assert_eq(taken, 0, "%zu bytes with %zu allocations", taken, allocations);
    return r;
}

static int write_with(size_t allocations, const char *document, char **ret, size_t *ret_length)
{
    const struct xr_otlp_write_params params = { XR_OTLP_PROTOBUF, "1", false };
    struct xr_otlp_writer *writer;
    int r;

    left = allocations;
    r = xr_otlp_writer_new(&writer, &params);
    if (r < 0)
        return r;
    r = xr_otlp_write(writer, document, strlen(document), NULL);
    if (r == 0)
        r = xr_otlp_finish(writer, ret, ret_length);
    xr_otlp_writer_free(writer);
    return r;
}

#define RICH                                                                                   \
    DOCUMENT(",\"annotations\":{\"a\":\"\\u00e9\"},\"metadata\":{\"m\":{}},\"cause\":"         \
             "{\"exceptions\":[{\"id\":\"00000000000000ab\",\"stack\":[{\"label\":\"l\"}]}]}," \
             "\"http\":{\"request\":{\"url\":\"http://h/\"}},\"aws\":{\"other\":1}")

Test(otlp_memory, every_allocation_that_fails_is_told_and_nothing_is_lost)
{
    char *body;
    size_t length, count = 0;
    int r;

    cr_assert(xr_alloc_set(&allocator));
    for (; (r = write_with(count, RICH, &body, &length)) != 0; count++) {
        cr_assert_eq(r, -ENOMEM, "%d", r);
        cr_assert_eq(taken, 0, "%zu bytes with %zu allocations", taken, count);
        cr_assert_lt(count, 1000);
    }
    cr_expect_gt(count, 5);
    cr_expect_eq(taken, length + 1, "the caller has the request alone");
    taken = 0;
    for (count = 0; (r = read_with(count, XR_OTLP_PROTOBUF, body, length)) != 0; count++) {
        cr_assert_eq(r, -ENOMEM, "%d", r);
        cr_assert_lt(count, 1000);
    }
    cr_expect_gt(count, 1);
    free(body);
}

Test(otlp_memory, reading_json_says_so_too)
{
    static const char body[] = REQUEST(TEXT("a\\n", "b"),
                                       SPAN(SERVER "," ATTRIBUTES(TEXT("a", "b"))));
    size_t count = 0;
    int r;

    cr_assert(xr_alloc_set(&allocator));
    for (; (r = read_with(count, XR_OTLP_JSON, body, strlen(body))) != 0; count++) {
        cr_assert_eq(r, -ENOMEM, "%d", r);
        cr_assert_lt(count, 1000);
    }
    cr_expect_gt(count, 1);
}
