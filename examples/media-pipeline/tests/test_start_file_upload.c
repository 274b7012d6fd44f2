/* SPDX-License-Identifier: Apache-2.0 */
/* StartFileUpload, with small programs in the place of yt-dlp that end in different ways. */
#include <sys/stat.h>

#include "support.h"

#define EVENT "{\"fileId\":\"" ID "\",\"correlationId\":\"c-1\"}"

static void write_program(const char *script)
{
    FILE *stream = fopen(program, "w");
    cr_assert(stream);
    fprintf(stream, "#!/bin/sh\ncase \"$*\" in *-J*) echo '{\"title\":\"T\"}'; exit 0;; esac\n%s\n",
            script);
    fclose(stream);
    cr_assert_eq(chmod(program, 0700), 0);
}

#define CLAIMED     UPDATED("PendingMetadata", LEASED)
#define DESCRIBED   UPDATED("PendingDownload", LEASED)
#define DOWNLOADING UPDATED("Downloading", LEASED)
#define GIVEN_UP    UPDATED("Failed", "")

#define EXPIRED ",\"leaseUntil\":{\"N\":\"1\"}"
#define STORED  ",\"key\":{\"S\":\"k\"},\"url\":{\"S\":\"u\"},\"publishDate\":{\"S\":\"d\"}"
#define ASKED_FOR                                                                           \
    { .body = "{\"Items\":[{\"userId\":{\"S\":\"u1\"}}]}" },                                \
        { .body = "{\"Responses\":{\"UserDevices\":[{\"deviceIds\":{\"SS\":[\"1\"]}}]}}" }, \
    {                                                                                       \
        .body = "{\"Responses\":{\"Devices\":[{\"endpointArn\":{\"S\":\"arn:1\"}}]}}"       \
    }

TestSuite(upload_function, .init = support_begin, .fini = support_end, .timeout = 90);

Test(upload_function, gets_stores_and_announces_a_video)
{
    write_program("echo data > media.mp4; echo \"file $(pwd)/media.mp4\"");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                  { .body = "<UploadId>up</UploadId>" }, { .headers = "ETag: \"e\"\r\n" },
                  { .body = "<R/>" }, { .body = "data\n" }, UPDATED("Downloaded", STORED),
                  ASKED_FOR, { .body = "<R/>" }, UPDATED("Downloaded", "")));
    cr_expect_str_eq(call(start_file_upload, EVENT),
                     "{\"fileId\":\"" ID "\",\"status\":\"Downloaded\",\"outcome\":\"done\"}");
    cr_expect(has(2, "{\"S\":\"PendingDownload\"}"));
    cr_expect(has(3, "{\"S\":\"Downloading\"}"));
    cr_expect(has(4, "POST /media/" ID ".mp4?uploads"));
    cr_expect(has(8, "{\"S\":\"https://files/" ID ".mp4\"}"));
    cr_expect_eq(count_of("Action=Publish"), 1);
    cr_expect(has(13, "REMOVE #"), "the lease ends with the messages");
    cr_expect_not(has(13, "attribute_not_exists"), "and is held until then");
}

Test(upload_function, announces_what_somebody_who_died_had_stored)
{
    start(REPLIES(FOUND("Downloaded", STORED EXPIRED), UPDATED("Downloaded", STORED LEASED),
                  ASKED_FOR, { .body = "<R/>" }, UPDATED("Downloaded", "")));
    cr_expect_str_eq(call(start_file_upload, EVENT),
                     "{\"fileId\":\"" ID "\",\"status\":\"Downloaded\",\"outcome\":\"announced\"}");
    cr_expect_eq(count_of("Action=Publish"), 1);
    cr_expect_eq(count_of("/media/"), 0, "it is not uploaded again");
}

Test(upload_function, announces_again_what_it_could_not_say)
{
    start(REPLIES(FOUND("Downloaded", STORED EXPIRED), UPDATED("Downloaded", STORED LEASED),
                  { .status = 400, .body = "{\"__type\":\"AccessDeniedException\"}" }));
    call(start_file_upload, EVENT);
    cr_expect_eq(peer_request_count(peer), 3, "the lease is kept: the schedule comes back");
}

Test(upload_function, does_not_announce_for_ever)
{
    start(REPLIES(FOUND("Downloaded", STORED EXPIRED ",\"retryCount\":{\"N\":\"5\"}"),
                  UPDATED("Downloaded", STORED)));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"status\":\"Downloaded\""), "%s", answer);
    cr_expect(has(1, "REMOVE #"));
    cr_expect_eq(peer_request_count(peer), 2);
}

#define OPEN_UPLOAD(key)                                                               \
    {                                                                                  \
        .body = "<R><Upload><Key>" key "</Key><UploadId>old/1</UploadId></Upload></R>" \
    }
#define NO_UPLOAD                                 \
    {                                             \
        .body = "<R><Prefix>" ID ".</Prefix></R>" \
    }

Test(upload_function, ends_the_uploads_of_somebody_who_died)
{
    write_program("echo 'ERROR: Connection reset by peer' >&2; exit 1");
    start(REPLIES(FOUND("Downloading", EXPIRED), CLAIMED, OPEN_UPLOAD(ID ".webm"),
                  { .status = 204 }, NO_UPLOAD, DESCRIBED, DOWNLOADING, UPDATED("Scheduled", "")));
    call(start_file_upload, EVENT);
    cr_expect(has(2, "GET /media/?max-uploads=1&prefix=" ID ".&uploads= "));
    cr_expect(has(3, "DELETE /media/" ID ".webm?uploadId=old%2F1"));
    cr_expect_eq(count_of("DELETE "), 1);
}

Test(upload_function, ends_no_upload_of_another_file)
{
    write_program("echo 'ERROR: Connection reset by peer' >&2; exit 1");
    start(REPLIES(FOUND("Downloading", EXPIRED), CLAIMED, OPEN_UPLOAD("another.webm"), DESCRIBED,
                  DOWNLOADING, UPDATED("Scheduled", "")));
    call(start_file_upload, EVENT);
    cr_expect_eq(count_of("DELETE "), 0);
}

Test(upload_function, ends_the_uploads_of_a_file_that_it_gives_up)
{
    start(REPLIES(FOUND("Downloading", EXPIRED ",\"retryCount\":{\"N\":\"5\"}"), GIVEN_UP,
                  OPEN_UPLOAD(ID ".mp4"), { .status = 204 }, NO_UPLOAD));
    call(start_file_upload, EVENT);
    cr_expect(has(3, "DELETE /media/" ID ".mp4?uploadId=old%2F1"));
}

Test(upload_function, leaves_nothing_of_a_yt_dlp_that_was_killed)
{
    write_program("echo data > media.mp4.part; kill -9 $$");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING, GIVEN_UP));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"status\":\"Failed\""), "%s", answer);
    cr_expect_eq(count_of("/media/"), 0, "S3 was never asked");
    cr_expect(has(4, "{\"S\":\"Failed\"}"));
    cr_expect(has(4, "{\"S\":\"yt-dlp was killed: signal 9 (Killed)\"}"));
    cr_expect(has(4, "{\"S\":\"killed\"}"));
}

Test(upload_function, counts_cookies_that_no_longer_do)
{
    static char text[16384];
    write_program("echo \"ERROR: Sign in to confirm you're not a bot\" >&2; exit 1");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING, GIVEN_UP));
    cr_expect(contains(call(start_file_upload, EVENT), "\"errorCategory\":\"bot_check\""));
    FILE *stream = cr_get_redirected_stdout();
    close(STDOUT_FILENO);
    text[fread(text, 1, sizeof(text) - 1, stream)] = '\0';
    cr_expect(contains(text, "\"CookieAuthenticationFailure\":1"), "%s", text);
}

Test(upload_function, fails_the_file_when_its_time_is_up)
{
    write_program("exec sleep 600");
    invocation.deadline_ms = clock_now_ms() + 4000;
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING, GIVEN_UP));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"deadline\""), "%s", answer);
    cr_expect_lt(clock_now_ms(), invocation.deadline_ms, "all is written down in time");
    cr_expect(has(4, "{\"S\":\"Failed\"}"));
}

/* With a description of its own, and nothing that would download. */
static void write_description(const char *json)
{
    FILE *stream = fopen(program, "w");
    cr_assert(stream);
    fprintf(stream, "#!/bin/sh\necho '%s'\n", json);
    fclose(stream);
    cr_assert_eq(chmod(program, 0700), 0);
}

Test(upload_function, does_not_begin_what_there_is_no_room_for)
{
    write_description("{\"title\":\"T\",\"filesize\":8000000000000000}");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, GIVEN_UP));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"no_space\""), "%s", answer);
}

Test(upload_function, does_not_begin_what_is_too_large)
{
    pipeline.config.max_file_bytes = 1024 * 1024;
    write_description("{\"title\":\"T\",\"filesize\":2097152}");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, GIVEN_UP));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"too_large\""), "%s", answer);
}

Test(upload_function, tries_again_when_there_is_no_description)
{
    write_description("null");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, UPDATED("Scheduled", "")));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"transient\""), "%s", answer);
}

Test(upload_function, waits_for_a_premiere)
{
    write_description("{\"title\":\"T\",\"live_status\":\"is_upcoming\","
                      "\"release_timestamp\":4102444800}");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, UPDATED("Scheduled", "")));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"livestream_upcoming\""), "%s", answer);
    cr_expect(has(2, "\"4102445100000\""), "five minutes after it begins");
}

Test(upload_function, schedules_what_may_work_later)
{
    write_program("echo 'ERROR: Connection reset by peer' >&2; exit 1");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                  UPDATED("Scheduled", "")));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"status\":\"Scheduled\""), "%s", answer);
    cr_expect(has(4, "retryAfter"));
}

Test(upload_function, aborts_an_upload_that_s3_refuses)
{
    write_program("echo data > media.mp4; echo \"file $(pwd)/media.mp4\"");
    start(REPLIES(FOUND("PendingMetadata", ""), CLAIMED, DESCRIBED, DOWNLOADING,
                  { .body = "<UploadId>up</UploadId>" },
                  { .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>" },
                  { .status = 204 }, UPDATED("Scheduled", "")));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"upload\""), "%s", answer);
    cr_expect(has(6, "DELETE /media/" ID ".mp4?uploadId=up"));
}

Test(upload_function, does_nothing_about_a_file_that_somebody_has)
{
    start(REPLIES(FOUND("Downloading", LEASED)));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "nothing to do"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 1);
}

Test(upload_function, does_nothing_when_another_one_gets_the_lease)
{
    start(REPLIES(FOUND("PendingMetadata", ""), CONDITION_FAILED));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "nothing to do"), "%s", answer);
    cr_expect_eq(peer_request_count(peer), 2);
}

Test(upload_function, refuses_an_event_without_a_file_id)
{
    cr_expect_str_eq(call(start_file_upload, "{}"), "");
    cr_expect_str_eq(invocation.failure.type, "BadEvent");
    cr_expect_str_eq(call(start_file_upload, "{\"fileId\":\"../../etc\"}"), "");
}

Test(upload_function, does_not_trust_an_address_whose_host_is_no_longer_allowed)
{
    start(
        REPLIES({ .body = "{\"Item\":{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":"
                          "\"PendingMetadata\"},\"sourceUrl\":{\"S\":\"http://old.example.org/v\"}"
                          "}}" },
                { .body = "{\"Attributes\":{\"fileId\":{\"S\":\"" ID "\"},\"status\":{\"S\":"
                          "\"PendingMetadata\"},\"sourceUrl\":{\"S\":\"http://old.example.org/v\"}"
                          "}}" },
                GIVEN_UP));
    const char *answer = call(start_file_upload, EVENT);
    cr_expect(contains(answer, "\"errorCategory\":\"unsupported\""), "%s", answer);
}
