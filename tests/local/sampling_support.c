/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling_support.h"

#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asked ask_with(const struct sampling_settings *settings)
{
    struct asked asked = { .now_ns = 1700000000 * NS };
    cr_assert_eq(sampling_service_new(&asked.service, settings, asked.now_ns), 0);
    return asked;
}

struct asked ask_new(void)
{
    return ask_with(&SAMPLING_SETTINGS_CLOUD);
}

void ask_free(struct asked *asked)
{
    sampling_service_free(asked->service);
    free(asked->body);
}

void ask(struct asked *asked, const char *path, const char *request)
{
    char *text = quoted(request);
    free(asked->body);
    asked->status = sampling_service_post(asked->service, path, text, strlen(text), asked->now_ns,
                                          &asked->body);
    cr_assert(asked->body);
    free(text);
}

void expect_reply(const struct asked *asked, unsigned status, const char *body)
{
    char *wanted = quoted(body);
    cr_expect_eq(asked->status, status);
    cr_expect_str_eq(asked->body, wanted);
    free(wanted);
}

void expect_error(const struct asked *asked, const char *message)
{
    cJSON *body = cJSON_Parse(asked->body);
    cr_expect_eq(asked->status, 400, "%s", asked->body);
    cr_expect_str_eq(cJSON_GetObjectItem(body, "Message")->valuestring, message);
    cJSON_Delete(body);
}

void create(struct asked *asked, const char *name, const char *priority)
{
    char request[1024];
    snprintf(request, sizeof request, "{'SamplingRule':{" RULE("%s", "%s") "," ANY "}}", name,
             priority);
    ask(asked, "/CreateSamplingRule", request);
}

void report(struct asked *asked, const char *statistics, const char *boosts)
{
    char request[8192];
    snprintf(request, sizeof request, "{'SamplingStatisticsDocuments':[%s]%s%s%s}", statistics,
             boosts ? ",'SamplingBoostStatisticsDocuments':[" : "", boosts ? boosts : "",
             boosts ? "]" : "");
    ask(asked, "/SamplingTargets", request);
    cr_assert_eq(asked->status, 200, "%s", asked->body);
}
