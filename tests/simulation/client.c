/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Hooks of the recorder --------------------------------------------------- */

static int64_t now(void *data)
{
    const struct world *world = data;

    return world->now_ns;
}

static int emit(void *data, const xray_document *document)
{
    static const char mark[] = "\"xray_sampled\":false";
    struct world *world = data;
    bool marked = memmem(document->json, document->length, mark, sizeof(mark) - 1);

    world->documents++;
    world->flags = document->flags;
    world->wrongs.document += marked != !!(document->flags & XRAY_DOCUMENT_CAPTURED);
    return 0;
}

static void tally(struct world *world, int rule, enum grant grant, double rate, bool sampled)
{
    struct tally *of = &world->tallies[rule];

    of->requests++;
    of->sampled += sampled;
    of->granted += grant == GRANT_QUOTA;
    of->borrowed += grant == GRANT_BORROWED;
    of->expected += grant != GRANT_NONE ? 1 : rate;
    of->variance += grant != GRANT_NONE ? 0 : rate * (1 - rate);
    world->wrongs.grant += grant != GRANT_NONE && !sampled;
}

static void decide(void *data, const xray_sampling_request *request, xray_sampling_decision *ret)
{
    struct client *client = data;
    struct world *world = client->world;
    struct view *view = &client->view;
    int rule = view_rule(view, world->shape->rule, world->now_ns), decider = RULE_LOCAL;
    enum grant grant = view_grant(view, rule, world->now_ns);

    if (xr_central_decide(client->central, request, world->now_ns, ret))
        decider = rule_named(ret->rule);
    else
        client->local.decide(client->local.data, request, ret);
    world->wrongs.rule += decider != rule;
    world->sampled = ret->sampled;
    tally(world, rule, grant, view->rules[rule].rate, ret->sampled);
    view_count(view, rule, grant, ret->sampled);
}

/* ---- Coming ------------------------------------------------------------------ */

static void ignore(void *data, int level, const char *message)
{
    (void)data;
    (void)level;
    (void)message;
}

void client_init(struct client *ret, struct world *world, int number, int weight)
{
    xray_emitter emitter = { .size = sizeof(emitter), .data = world, .emit = emit };
    xray_sampler sampler = { .size = sizeof(sampler), .data = ret, .decide = decide };
    xray_clock clock = { .size = sizeof(clock), .data = world, .now_ns = now };
    xray_capture capture = { .size = sizeof(capture),
                             .slower_than_ns = SLOWER_THAN_NS,
                             .traces_per_second = BUDGET };

    *ret = (struct client){ .world = world, .number = number, .weight = weight };
    ret->local.size = sizeof(ret->local);
    if (xray_sampler_rate(&ret->local, LOCAL_RESERVOIR, LOCAL_RATE) < 0 ||
        xray_recorder_new(&ret->recorder,
                          xray_recorder_params(.flags = XRAY_RECORDER_NO_ENVIRONMENT,
                                               .service = "shop", .emitter = &emitter,
                                               .sampler = &sampler, .clock = &clock,
                                               .capture = &capture)) < 0)
        exit(99);
}

void client_come(struct client *client)
{
    static const struct xr_logger logger = { NULL, XR_LOG_SILENT, ignore };
    char id[XR_CLIENT_ID_LENGTH + 1];

    snprintf(id, sizeof(id), "%016llx%08x", (unsigned long long)chance_next(&client->world->chance),
             (unsigned)client->number);
    if (xr_central_new(&client->central, id, &logger) < 0)
        exit(99);
    view_begin(&client->view);
    client->poll_ns = client->world->now_ns;
    client->waits = false;
}

/* ---- Polling ----------------------------------------------------------------- */

/* A reply that makes sense, else NULL: that is for the library to see through. */
static cJSON *read_answer(const struct client *client)
{
    const char *member = client->targets ? "SamplingTargetDocuments" : "SamplingRuleRecords";
    cJSON *reply = client->answer.status == 200 ? cJSON_Parse(client->answer.body) : NULL;

    if (cJSON_IsArray(cJSON_GetObjectItem(reply, member)))
        return reply;
    cJSON_Delete(reply);
    return NULL;
}

static void take(struct client *client)
{
    struct world *world = client->world;
    const struct answer *answer = &client->answer;
    cJSON *reply = read_answer(client);

    xr_central_reply(client->central, answer->status, answer->body,
                     answer->body ? strlen(answer->body) : 0, world->now_ns);
    if (!reply)
        view_drop_pages(&client->view);
    else if (client->targets)
        view_take_targets(&client->view, reply);
    else
        view_take_rules(&client->view, reply, world->now_ns);
    cJSON_Delete(reply);
    free(answer->body);
    client->waits = false;
}

/* X-Ray has these, and the client never hears of it: what it tells again is there twice. */
static void count_unheard(struct client *client)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        const struct rule_view *of = &client->view.rules[i];
        struct counts *arrived = &client->world->arrived[i];

        arrived->requests += of->told.requests - of->known.requests;
        arrived->sampled += of->told.sampled - of->known.sampled;
        arrived->borrowed += of->told.borrowed - of->known.borrowed;
    }
}

static void ask(struct client *client, const struct xr_central_call *call)
{
    struct world *world = client->world;
    uint64_t before = world->service.lost_replies;

    client->targets = strcmp(call->path, "/SamplingTargets") == 0;
    if (client->targets) {
        world->reports++;
        world->wrongs.report += !view_check_report(&client->view, call->body, call->body_length);
    }
    service_ask(&world->service, call->path, call->body, call->body_length, world->now_ns,
                &client->answer);
    if (client->targets && world->service.lost_replies != before)
        count_unheard(client);
    client->waits = true;
    client->poll_ns = world->now_ns + client->answer.after_ns;
}

void client_poll(struct client *client)
{
    struct xr_central_call call;

    if (client->waits)
        take(client);
    xr_central_next(client->central, client->world->now_ns, &call);
    if (call.path)
        ask(client, &call);
    else
        client->poll_ns = call.wait_until_ns;
}

/* ---- Going ------------------------------------------------------------------- */

static void add(struct counts *to, const struct counts *from)
{
    to->requests += from->requests;
    to->sampled += from->sampled;
    to->borrowed += from->borrowed;
}

void client_go(struct client *client)
{
    cJSON *reply = client->waits && client->targets ? read_answer(client) : NULL;

    if (reply)
        count_unheard(client);
    cJSON_Delete(reply);
    for (int i = 0; i < RULE_COUNT; i++)
        add(&client->world->arrived[i], &client->view.rules[i].known);
    xr_central_free(client->central);
    client->central = NULL;
    if (client->waits)
        free(client->answer.body);
    client->waits = false;
}

void client_free(struct client *client)
{
    if (client->central)
        client_go(client);
    xray_recorder_free(client->recorder);
    client->local.destroy(client->local.data);
}
