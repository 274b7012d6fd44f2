/* SPDX-License-Identifier: Apache-2.0 */
/* All of a file arrives in S3, or nothing of it. */
#include <errno.h>

#include "media/upload.h"
#include "support.h"

static char path[64];

static void begin_s3(void)
{
    support_begin();
    snprintf(path, sizeof(path), "/tmp/upload-test.XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(ftruncate(file, 6 * 1024 * 1024), 0);
    close(file);
}

static void end_s3(void)
{
    unlink(path);
    support_end();
}

static struct upload uploaded;

static int upload(int64_t deadline_ms)
{
    struct upload_params params = { .path = path,
                                    .object = { "media", "u-1.mp4" },
                                    .content_type = "video/mp4",
                                    .part_size = UPLOAD_MIN_PART_BYTES,
                                    .deadline_ms = deadline_ms };
    return upload_file(&pipeline.aws, &params, &uploaded, &failure);
}

#define CREATED                                    \
    {                                              \
        .body = "<R><UploadId>up/1</UploadId></R>" \
    }
#define ACCEPTED                      \
    {                                 \
        .headers = "ETag: \"e1\"\r\n" \
    }
#define REFUSED                                                           \
    {                                                                     \
        .status = 403, .body = "<Error><Code>AccessDenied</Code></Error>" \
    }

TestSuite(upload, .init = begin_s3, .fini = end_s3, .timeout = 60);

Test(upload, sends_parts_and_then_completes)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, { .body = "<Done/>" },
                  { .padding = 6 * 1024 * 1024 }));
    cr_assert_eq(upload(clock_now_ms() + 30000), 0, "%s", failure.message);
    cr_expect_eq(uploaded.parts, 2);
    cr_expect_eq(uploaded.bytes, 6 * 1024 * 1024);
    cr_expect(has(0, "POST /media/u-1.mp4?uploads"));
    cr_expect(has(0, "Content-Type: video/mp4\r\n"));
    cr_expect(has(2, "PUT /media/u-1.mp4?partNumber=2&uploadId=up%2F1 "));
    cr_expect(has(3, "<PartNumber>2</PartNumber><ETag>&quot;e1&quot;</ETag></Part>"));
    cr_expect(has(4, "HEAD /media/u-1.mp4 "));
}

Test(upload, is_aborted_when_a_part_fails)
{
    start(REPLIES(CREATED, ACCEPTED, REFUSED, { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "AccessDenied");
    cr_expect_eq(peer_request_count(peer), 4);
    cr_expect(has(3, "DELETE /media/u-1.mp4?uploadId=up%2F1 "));
}

#define LATE_FAILURE                                                            \
    {                                                                           \
        .body = "<Error><Code>InternalError</Code><Message>m</Message></Error>" \
    }

Test(upload, is_aborted_when_completing_fails_after_a_200)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, LATE_FAILURE, LATE_FAILURE, LATE_FAILURE,
                  { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "InternalError");
    cr_expect(has(6, "DELETE /media/u-1.mp4?uploadId="));
}

#define NO_UPLOAD                                                         \
    {                                                                     \
        .status = 404, .body = "<Error><Code>NoSuchUpload</Code></Error>" \
    }

Test(upload, has_worked_when_only_the_answer_got_lost)
{
    start(
        REPLIES(CREATED, ACCEPTED, ACCEPTED, NO_UPLOAD, NO_UPLOAD, { .padding = 6 * 1024 * 1024 }));
    cr_assert_eq(upload(clock_now_ms() + 30000), 0, "%s", failure.message);
    cr_assert_eq(uploaded.parts, 2);
}

Test(upload, leaves_no_object_of_another_size)
{
    start(REPLIES(CREATED, ACCEPTED, ACCEPTED, { .body = "<Done/>" }, { .padding = 5 },
                  { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 30000), 0);
    cr_expect_str_eq(failure.type, "SizeDiffers");
    cr_expect(has(5, "DELETE /media/u-1.mp4 "));
}

Test(upload, begins_nothing_after_the_deadline)
{
    start(REPLIES(CREATED));
    cr_expect_eq(upload(clock_now_ms() - 1), -ETIMEDOUT);
    cr_expect_eq(peer_request_count(peer), 0);
}

#define SILENT      \
    {               \
        .silent = 1 \
    }

Test(upload, does_not_wait_for_s3_beyond_its_time)
{
    start(REPLIES(CREATED, SILENT, SILENT, SILENT, { .status = 204 }));
    cr_assert_lt(upload(clock_now_ms() + 6000), 0);
    cr_expect_str_eq(failure.type, "Timeout");
    cr_expect_geq(count_of("DELETE /media/u-1.mp4?uploadId="), 1);
}

Test(upload, has_all_its_time_again_after_one_that_was_short)
{
    struct aws aws = { 0 };
    aws_limit(&aws, AWS_S3, 1000000);
    int usual_ms = aws.timeouts_ms[AWS_S3];
    aws_limit(&aws, AWS_S3, 60000);
    cr_expect_eq(aws.timeouts_ms[AWS_S3], 10000);
    aws_limit(&aws, AWS_S3, 40000);
    cr_expect_eq(aws.timeouts_ms[AWS_S3], 10000, "it still fits");
    aws_limit(&aws, AWS_S3, 20000);
    cr_expect_eq(aws.timeouts_ms[AWS_S3], 3333);
    aws_limit(&aws, AWS_S3, -5);
    cr_expect_eq(aws.timeouts_ms[AWS_S3], 500);
    aws_limit(&aws, AWS_S3, 1000000);
    cr_expect_gt(aws.timeouts_ms[AWS_S3], 10000);
    cr_expect_eq(usual_ms, 0, "there was nothing to change");
}

Test(upload, makes_parts_larger_when_there_would_be_too_many)
{
    int64_t gib = (int64_t)1024 * 1024 * 1024;
    cr_expect_eq(upload_part_size(gib, UPLOAD_MIN_PART_BYTES), UPLOAD_MIN_PART_BYTES);
    int64_t size = upload_part_size(100 * gib, UPLOAD_MIN_PART_BYTES);
    cr_expect_leq((100 * gib + size - 1) / size, S3_MAX_PARTS);
    cr_expect_eq(upload_part_size(gib, 1), UPLOAD_MIN_PART_BYTES, "S3's smallest part");
}
