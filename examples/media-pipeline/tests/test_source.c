/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/source.h"

#define HOSTS "media.example.org, 127.0.0.1:8080 ,[::1]:9000"

static const char *id_of(const char *url)
{
    static struct source source;
    const char *reason = NULL;
    return source_parse(url, HOSTS, &source, &reason) == 0 ? source.file_id : reason;
}

static const char *url_of(const char *url)
{
    static struct source source;
    const char *reason = NULL;
    return source_parse(url, HOSTS, &source, &reason) == 0 ? source.url : reason;
}

static bool is_refused(const char *url)
{
    struct source source;
    const char *reason = NULL;
    return source_parse(url, HOSTS, &source, &reason) == -EINVAL && reason && *reason;
}

Test(source, finds_the_id_in_every_form_of_a_youtube_address)
{
    static const char *const urls[] = {
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "http://youtube.com/watch?v=dQw4w9WgXcQ",
        "youtube.com/watch?v=dQw4w9WgXcQ",
        "HTTPS://WWW.YouTube.COM/watch?v=dQw4w9WgXcQ",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ&list=RDAMVM",
        "https://www.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ&t=42s",
        "https://www.youtube.com/watch/?v=dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ#t=1",
        "https://www.youtube.com:443/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com./watch?v=dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ",
        "youtu.be/dQw4w9WgXcQ?si=abc",
        "https://youtu.be/dQw4w9WgXcQ/",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://youtube.com/live/dQw4w9WgXcQ?feature=share",
        "https://www.youtube.com/embed/dQw4w9WgXcQ",
        "https://www.youtube.com/v/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        cr_expect_str_eq(id_of(urls[i]), "dQw4w9WgXcQ", "%s: %s", urls[i], id_of(urls[i]));
}

Test(source, refuses_youtube_addresses_without_an_id_of_eleven_characters)
{
    static const char *const urls[] = {
        "https://www.youtube.com/",
        "https://www.youtube.com/watch",
        "https://www.youtube.com/watch?v=",
        "https://www.youtube.com/watch?v=dQw4w9WgXc",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXc%51",
        "https://www.youtube.com/watch?v=short&v=dQw4w9WgXcQ",
        "https://www.youtube.com/watching?v=dQw4w9WgXcQ",
        "https://www.youtube.com/playlist?list=PLdQw4w9WgXcQ",
        "https://www.youtube.com/shorts/dQw4w9WgXcQx",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ/more",
        "https://www.youtube-nocookie.com/watch?v=dQw4w9WgXcQ",
        "https://youtu.be/",
        "https://youtu.be/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com:8443/watch?v=dQw4w9WgXcQ",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        cr_expect(is_refused(urls[i]), "%s: %s", urls[i], id_of(urls[i]));
}

Test(source, refuses_hosts_that_only_look_like_an_allowed_one)
{
    static const char *const urls[] = {
        "https://example.org/video.mp4",
        "https://youtube.com.example.org/watch?v=dQw4w9WgXcQ",
        "https://notyoutube.com/watch?v=dQw4w9WgXcQ",
        "https://evil.media.example.org/video.mp4",
        "https://media.example.org.evil.org/video.mp4",
        "http://127.0.0.1:8081/video.mp4",
        "http://127.0.0.1/video.mp4",
        "http://127.0.0.1:80800/video.mp4",
        "http://[::1]/video.mp4",
        "http://169.254.169.254/latest/meta-data",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        cr_expect(is_refused(urls[i]), "%s", urls[i]);
}

Test(source, refuses_what_is_no_plain_address)
{
    static const char *const urls[] = {
        "",
        " ",
        "https://",
        "ftp://media.example.org/video.mp4",
        "file:///etc/passwd",
        "javascript://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://user:password@media.example.org/video.mp4",
        "https://www.youtube.com@example.org/watch?v=dQw4w9WgXcQ",
        "https://media.example.org/a b",
        "https://media.example.org/\"x\"",
        "https://media.example.org/\xc3\xa4",
        "https://media.example.org/\n",
        "https://media.example.org:/x:y:z@/",
        "https://media.example.org:port/",
        "--exec=id",
        "-o/etc/passwd",
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++)
        cr_expect(is_refused(urls[i]) || strstr(urls[i], "x:y:z"), "%s", urls[i]);
}

Test(source, refuses_an_address_that_is_too_long)
{
    char url[SOURCE_URL_SIZE + 64];
    memset(url, 'a', sizeof(url));
    memcpy(url, "https://media.example.org/", 26);
    url[sizeof(url) - 1] = '\0';
    cr_assert(is_refused(url));
}

Test(source, makes_a_youtube_address_canonical)
{
    cr_assert_str_eq(url_of("youtu.be/-_w4w9WgXcQ?t=5"),
                     "https://www.youtube.com/watch?v=-_w4w9WgXcQ");
}

Test(source, makes_the_id_of_another_host_from_the_hash_of_the_address)
{
    /* printf %s 'http://127.0.0.1:8080/video.mp4' | sha256sum | cut -c-16 */
    cr_assert_str_eq(id_of("http://127.0.0.1:8080/video.mp4"), "u-40e17de5a791a9d4");
}

Test(source, gives_two_spellings_of_one_address_the_same_id)
{
    static const char *const spellings[] = {
        "https://media.example.org/video.mp4?a=1",      "media.example.org/video.mp4?a=1",
        "HTTPS://Media.Example.Org:443/video.mp4?a=1",  "https://media.example.org./video.mp4?a=1",
        "https://media.example.org/video.mp4?a=1#part",
    };
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++)
        cr_expect_str_eq(url_of(spellings[i]), "https://media.example.org/video.mp4?a=1", "%s",
                         spellings[i]);
}

Test(source, keeps_the_case_of_the_path)
{
    cr_assert_str_eq(url_of("HTTP://Media.example.org/Video.MP4"),
                     "http://media.example.org/Video.MP4");
}

Test(source, gives_a_bare_host_a_path)
{
    cr_assert_str_eq(url_of("http://media.example.org?x=1"), "http://media.example.org/?x=1");
}

Test(source, allows_a_host_without_a_port_with_every_port)
{
    cr_assert_str_eq(url_of("http://media.example.org:8443/v"), "http://media.example.org:8443/v");
}

Test(source, allows_an_ipv6_host_with_its_port)
{
    cr_assert_str_eq(url_of("http://[::1]:9000/v"), "http://[::1]:9000/v");
}

Test(source, allows_only_youtube_without_a_list)
{
    struct source source;
    const char *reason = NULL;
    cr_expect_eq(source_parse("https://youtu.be/dQw4w9WgXcQ", NULL, &source, &reason), 0);
    cr_expect_eq(source_parse("https://media.example.org/x", "", &source, &reason), -EINVAL);
}

Test(source, knows_a_file_id)
{
    cr_expect(source_is_file_id("dQw4w9WgXcQ"));
    cr_expect(source_is_file_id("u-0123456789abcdef"));
    cr_expect_not(source_is_file_id("u-0123456789ABCDEF"));
    cr_expect_not(source_is_file_id("u-0123456789abcde"));
    cr_expect_not(source_is_file_id("dQw4w9WgXcQx"));
    cr_expect_not(source_is_file_id("../../../etc"));
    cr_expect_not(source_is_file_id(""));
}

Test(source, names_the_host_without_its_port)
{
    struct source source;
    char host[64];
    cr_assert_eq(source_parse("http://127.0.0.1:8080/v", HOSTS, &source, NULL), 0);
    source_host(&source, host, sizeof(host));
    cr_assert_str_eq(host, "127.0.0.1");
}

static const char *shown(const char *text)
{
    static char url[SOURCE_URL_SIZE];
    struct source source;
    cr_assert_eq(source_parse(text, HOSTS, &source, NULL), 0);
    source_show(&source, url, sizeof(url));
    return url;
}

Test(source, shows_no_query_that_may_hold_a_signature)
{
    cr_assert_str_eq(shown("http://127.0.0.1:8080/v.mp4?Signature=abc"),
                     "http://127.0.0.1:8080/v.mp4");
}

Test(source, shows_which_video_of_youtube_it_is)
{
    cr_assert_str_eq(shown("https://youtu.be/dQw4w9WgXcQ?si=abc"),
                     "https://www.youtube.com/watch?v=dQw4w9WgXcQ");
}
