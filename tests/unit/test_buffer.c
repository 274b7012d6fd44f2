/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow from memory of the owner's into the pool's. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/buffer.h"
#include "base/pool.h"
#include "recorder/library.h"
#include "recorder/recorder.h"

static char own[64];
static struct xr_buffer buffer;

static void set_up(void)
{
    xr_library_enter();
    xr_buffer_begin(&buffer, own, sizeof(own));
}

TestSuite(buffer, .init = set_up);

static bool append(const char *text, size_t length)
{
    char *p = xr_buffer_reserve(&buffer, length);

    if (!p)
        return false;
    memcpy(p, text, length);
    buffer.length += (uint32_t)length;
    return true;
}

Test(buffer, stays_in_the_owners_memory_while_it_fits)
{
    cr_assert(append("0123456789012345678901234567890123456789012345678901234567890123", 64));
    cr_assert_eq(buffer.data, own);
}

Test(buffer, keeps_its_bytes_when_it_grows)
{
    for (int i = 0; i < 6000; i++)
        cr_assert(append("0123456789", 10));
    cr_assert_neq(buffer.data, own);
    for (uint32_t i = 0; i < buffer.length; i++)
        cr_assert_eq(buffer.data[i], (char)('0' + i % 10));
    xr_buffer_end(&buffer);
}

Test(buffer, grows_to_its_largest_size_and_not_beyond)
{
    static char large[XR_BUFFER_MAX - XR_BUFFER_OVER];

    cr_assert(append(large, sizeof(large)));
    cr_assert_not(append("x", 1));
    cr_assert_eq(buffer.length, sizeof(large));
    xr_buffer_end(&buffer);
}

Test(buffer, refuses_what_could_never_fit)
{
    cr_assert_null(xr_buffer_reserve(&buffer, XR_BUFFER_MAX + 1));
    cr_assert_null(xr_buffer_reserve(&buffer, SIZE_MAX));
    cr_assert_null(xr_buffer_reserve(&buffer, (size_t)UINT32_MAX + 1));
    cr_assert_eq(buffer.data, own, "and is as it was");
}

Test(buffer, may_begin_without_memory)
{
    xr_buffer_begin(&buffer, NULL, 0);
    cr_assert(append("x", 1));
    cr_assert_eq(buffer.data[0], 'x');
    xr_buffer_end(&buffer);
}

Test(buffer, gives_its_block_back_at_its_end)
{
    char *block;

    xr_buffer_begin(&buffer, NULL, 0);
    cr_assert(append("x", 1));
    block = buffer.data;
    xr_buffer_end(&buffer);
    cr_assert_eq(xr_pool_get(XR_POOL_4K), block);
    cr_assert_null(buffer.data);
}

Test(buffer, that_has_ended_can_end_again)
{
    cr_assert(append("x", 1));
    xr_buffer_end(&buffer);
    xr_buffer_end(&buffer);
}
