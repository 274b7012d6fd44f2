/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "media/video.h"

#define NOW ((int64_t)1763626530123)

static struct video video;
static struct problem problem;

static int parse(const char *json)
{
    return video_parse(json, strlen(json), "media.example.org", NOW, &video, &problem);
}

Test(video, is_read_from_the_description)
{
    cr_assert_eq(parse("{\"id\":\"dQw4w9WgXcQ\",\"title\":\"A film\",\"description\":\"About\","
                       "\"uploader\":\"Some One\",\"upload_date\":\"20251120\","
                       "\"filesize\":3000000000,\"duration\":12.5,\"_type\":\"video\","
                       "\"live_status\":\"not_live\",\"is_live\":null}"),
                 0);
    cr_expect_str_eq(video.title, "A film");
    cr_expect_str_eq(video.description, "About");
    cr_expect_str_eq(video.author_name, "Some One");
    cr_expect_str_eq(video.author_user, "some_one");
    cr_expect_str_eq(video.publish_date, "2025-11-20T00:00:00.000Z");
    cr_expect_eq(video.size, 3000000000);
    cr_expect_eq(video.duration, 12.5);
}

Test(video, has_something_for_everything_that_is_missing)
{
    cr_assert_eq(parse("{\"title\":null,\"filesize\":null,\"upload_date\":\"tomorrow\"}"), 0);
    cr_expect_str_eq(video.title, "Untitled");
    cr_expect_str_eq(video.author_name, "media.example.org");
    cr_expect_str_eq(video.publish_date, "2025-11-20T08:15:30.123Z");
    cr_expect_eq(video.size, 0);
}

Test(video, prefers_a_time_to_a_date)
{
    cr_assert_eq(parse("{\"timestamp\":1763626530,\"upload_date\":\"20200101\"}"), 0);
    cr_assert_str_eq(video.publish_date, "2025-11-20T08:15:30.000Z");
}

Test(video, adds_up_the_formats_to_be_merged)
{
    cr_assert_eq(parse("{\"requested_formats\":[{\"filesize\":100},{\"filesize\":20}]}"), 0);
    cr_assert_eq(video.size, 120);
}

Test(video, cuts_long_texts_between_characters)
{
    char json[2048] = "{\"title\":\"";
    for (int i = 0; i < 400; i++)
        strcat(json, "\xc3\xa4");
    strcat(json, "\"}");
    cr_assert_eq(parse(json), 0);
    cr_assert_eq(strlen(video.title), 510);
}

Test(video, waits_for_a_livestream_that_has_not_begun)
{
    cr_assert_lt(parse("{\"live_status\":\"is_upcoming\",\"release_timestamp\":1763630000}"), 0);
    cr_expect_eq(problem.class, PROBLEM_LIVESTREAM_UPCOMING);
    cr_expect_eq(problem.release_ms, 1763630000000);
}

Test(video, waits_for_a_livestream_to_end)
{
    cr_assert_lt(parse("{\"live_status\":\"is_live\"}"), 0);
    cr_assert_eq(problem.class, PROBLEM_LIVESTREAM);
}

Test(video, waits_for_a_premiere)
{
    cr_assert_lt(parse("{\"release_timestamp\":1763630000}"), 0);
    cr_assert_eq(problem.class, PROBLEM_SCHEDULED);
}

Test(video, without_formats_says_why)
{
    static const struct {
        const char *members;
        enum problem_class class;
    } cases[] = {
        { "\"availability\":\"private\"", PROBLEM_PRIVATE },
        { "\"availability\":\"subscriber_only\"", PROBLEM_MEMBERS_ONLY },
        { "\"availability\":\"premium_only\"", PROBLEM_MEMBERS_ONLY },
        { "\"availability\":\"needs_auth\"", PROBLEM_BOT_CHECK },
        { "\"availability\":\"needs_auth\",\"age_limit\":18", PROBLEM_AGE_RESTRICTED },
    };
    char json[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(json, sizeof(json), "{\"formats\":[],%s}", cases[i].members);
        cr_expect_lt(parse(json), 0, "%s", json);
        cr_expect_eq(problem.class, cases[i].class, "%s", json);
    }
}

Test(video, with_formats_may_be_had_whoever_it_is_for)
{
    cr_assert_eq(parse("{\"availability\":\"needs_auth\",\"age_limit\":18,\"formats\":[{}]}"), 0);
}

Test(video, without_formats_and_without_a_reason_is_left_to_the_download)
{
    cr_assert_eq(parse("{\"formats\":[],\"availability\":\"public\"}"), 0);
}

Test(video, is_not_a_playlist)
{
    cr_assert_lt(parse("{\"_type\":\"playlist\",\"entries\":[]}"), 0);
    cr_assert_eq(problem.class, PROBLEM_NOT_SINGLE);
}

Test(video, is_an_object)
{
    static const char *const texts[] = { "", "null", "[]", "{", "5" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cr_expect_lt(parse(texts[i]), 0, "%s", texts[i]);
        cr_expect_eq(problem.class, PROBLEM_TRANSIENT, "%s", texts[i]);
    }
}

Test(video, has_a_content_type_by_its_extension)
{
    cr_expect_str_eq(video_content_type("mp4"), "video/mp4");
    cr_expect_str_eq(video_content_type("WebM"), "video/webm");
    cr_expect_str_eq(video_content_type("xyz"), "application/octet-stream");
}
