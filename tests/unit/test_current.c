/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of current segments: placeholders, growth, and what others did to its segments. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"
#include "recorder/current.h"
#include "recorder/library.h"

static bool no_memory;

static void *allocate(void *data, size_t bytes)
{
    (void)data;
    return no_memory ? NULL : malloc(bytes);
}

static void release(void *data, void *memory, size_t bytes)
{
    (void)data;
    (void)bytes;
    free(memory);
}

static void set_up(void)
{
    static const struct xr_allocator allocator = { NULL, allocate, release };

    xr_alloc_set(&allocator);
    xr_library_enter();
}

/* All that were made, to be given back: nothing may be lost, not even by a test, nor be left open.
 */
static struct xr_segment *made[10000];
static size_t made_count;

static void put_all(void)
{
    xr_current_clear();
    while (made_count > 0)
        xr_pool_put(XR_POOL_SEGMENT, made[--made_count]);
}

TestSuite(current, .init = set_up, .fini = put_all);

static struct xr_segment *make(void)
{
    struct xr_segment *segment = xr_pool_get(XR_POOL_SEGMENT);

    cr_assert(segment);
    made[made_count++] = segment;
    segment->state = 0;
    atomic_store(&segment->home, xr_thread.id);
    return segment;
}

static void unmake(struct xr_segment *segment)
{
    if (segment->state & XR_STACKED)
        xr_current_remove(segment, true);
    xr_segment_retire(segment);
}

static void end_placeholder(void)
{
    xr_current_remove_slow(xr_placeholder, true);
}

Test(current, is_nothing_at_first)
{
    cr_expect_null(xr_current_segment());
    cr_expect_not(xr_current_is_placeholder());
}

Test(current, is_nothing_inside_a_placeholder)
{
    struct xr_segment *a = make();

    xr_current_push(a);
    cr_expect_eq(xr_current_push(NULL), xr_placeholder);
    cr_expect_null(xr_current_segment());
    cr_expect(xr_current_is_placeholder());
    end_placeholder();
    cr_expect_eq(xr_current_segment(), a);
    cr_expect_not(xr_current_is_placeholder());
    unmake(a);
}

Test(current, is_what_begins_inside_a_placeholder)
{
    struct xr_segment *a = make(), *b = make();

    xr_current_push(a);
    xr_current_push(NULL);
    xr_current_push(b);
    cr_expect_eq(xr_current_segment(), b);
    unmake(b);
    cr_expect_null(xr_current_segment(), "the placeholder is still open");
    end_placeholder();
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
}

Test(current, drops_what_is_inside_a_placeholder_that_ends)
{
    struct xr_segment *a = make(), *b = make();

    xr_current_push(a);
    xr_current_push(NULL);
    xr_current_push(b);
    end_placeholder();
    cr_expect_eq(xr_current_segment(), a);
    unmake(b);
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
}

Test(current, drops_placeholders_inside_a_segment_that_ends)
{
    struct xr_segment *a = make(), *b = make();

    xr_current_push(a);
    xr_current_push(b);
    xr_current_push(NULL);
    xr_current_push(NULL);
    unmake(b);
    cr_expect_eq(xr_current_segment(), a);
    end_placeholder();
    cr_expect_eq(xr_current_segment(), a, "a late end of a placeholder is nothing");
    unmake(a);
}

Test(current, keeps_placeholders_inside_a_segment_that_is_detached)
{
    struct xr_segment *a = make(), *b = make();

    xr_current_push(a);
    xr_current_push(b);
    xr_current_push(NULL);
    xr_current_remove(b, false);
    cr_expect_null(xr_current_segment());
    end_placeholder();
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
    unmake(b);
}

Test(current, passes_over_what_ended_elsewhere)
{
    struct xr_segment *a = make(), *b = make(), *c = make();

    xr_current_push(a);
    xr_current_push(b);
    xr_current_push(c);
    xr_segment_retire(c);
    xr_segment_retire(b);
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
}

Test(current, passes_over_what_another_thread_took)
{
    struct xr_segment *a = make(), *b = make();

    xr_current_push(a);
    xr_current_push(b);
    atomic_store(&b->home, xr_thread.id + 1);
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
}

Test(current, is_nothing_to_a_hook)
{
    struct xr_segment *a = make();

    xr_current_push(a);
    xr_thread.hooks_running++;
    cr_expect_null(xr_current_segment());
    cr_expect_not(xr_current_is_placeholder());
    xr_thread.hooks_running--;
    cr_expect_eq(xr_current_segment(), a);
    unmake(a);
}

#define DEEP 9000

Test(current, nests_deeper_than_it_can_list)
{
    static struct xr_segment *chain[DEEP];
    int listed = 0;

    for (int i = 0; i < DEEP; i++) {
        chain[i] = make();
        xr_current_push(chain[i]);
        listed += xr_current_segment() == chain[i];
        cr_assert(xr_current_segment() == chain[i] || !xr_current_segment());
    }
    cr_expect_gt(listed, 8000);
    cr_expect_lt(listed, DEEP);
    for (int i = DEEP; i-- > 0;) {
        unmake(chain[i]);
        cr_assert(!xr_current_segment() || xr_current_segment() == chain[i - 1], "at %d", i);
    }
    cr_expect_null(xr_current_segment());
    cr_expect_not(xr_current_is_placeholder());
}

Test(current, of_which_a_part_is_not_listed_ends_at_any_depth)
{
    for (int end = 0; end < 60; end++) {
        struct xr_segment *chain[60];

        /* Without memory the list stays as short as it is at first. */
        no_memory = false;
        for (int i = 0; i < 60; i++)
            chain[i] = make();
        no_memory = true;
        for (int i = 0; i < 60; i++)
            xr_current_push(chain[i]);
        unmake(chain[end]);
        cr_assert(!xr_current_segment() || (end > 0 && xr_current_segment() == chain[end - 1]),
                  "at %d", end);
        for (int i = 60; i-- > 0;)
            if (i != end)
                unmake(chain[i]);
        cr_assert_null(xr_current_segment(), "at %d", end);
        cr_assert_not(xr_current_is_placeholder(), "at %d", end);
        put_all();
    }
}

/* Does anything in any order, and compares with a plain list. */
Test(current, is_what_a_plain_list_says)
{
    struct xr_segment *list[256];
    unsigned seed = 1;
    int depth = 0;

    for (int step = 0; step < 200000; step++) {
        int what = rand_r(&seed) % 8;
        int at = depth > 0 ? rand_r(&seed) % depth : 0;
        bool is_segment = depth > 0 && list[at] != NULL;

        if (what < 3 && depth < 200) {
            list[depth] = make();
            made_count--;
            xr_current_push(list[depth++]);
        } else if (what == 3 && depth < 200) {
            xr_current_push(NULL);
            list[depth++] = NULL;
        } else if (what == 4 && is_segment) {
            /* An end drops what is inside; that is open, but on no list. */
            xr_current_remove(list[at], true);
            for (int i = at; i < depth; i++)
                if (list[i]) {
                    xr_segment_retire(list[i]);
                    xr_pool_put(XR_POOL_SEGMENT, list[i]);
                }
            depth = at;
        } else if (what == 5 && is_segment) {
            xr_current_remove(list[at], false);
            xr_segment_retire(list[at]);
            xr_pool_put(XR_POOL_SEGMENT, list[at]);
            memmove(list + at, list + at + 1, (size_t)(depth - at - 1) * sizeof(*list));
            depth--;
        } else if (what == 6) {
            for (at = depth - 1; at >= 0 && list[at]; at--)
                ;
            if (at < 0)
                continue;
            end_placeholder();
            for (int i = at + 1; i < depth; i++) {
                xr_segment_retire(list[i]);
                xr_pool_put(XR_POOL_SEGMENT, list[i]);
            }
            depth = at;
        }
        cr_assert_eq(xr_current_segment(), depth > 0 ? list[depth - 1] : NULL, "step %d", step);
        cr_assert_eq(xr_current_is_placeholder(), depth > 0 && !list[depth - 1]);
    }
    for (int i = depth; i-- > 0;)
        if (list[i])
            made[made_count++] = list[i];
}
