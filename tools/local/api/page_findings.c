/* SPDX-License-Identifier: Apache-2.0 */
/* What the service would say of a trace's documents. */
#include "local/api/page_internal.h"
#include "local/trace/lint.h"
#include "local/trace/trace.h"

#define FINDINGS_MAX 1000

struct findings {
    cJSON *list;
    char id[ENTITY_ID_LENGTH + 1]; /* of the document in hand */
};

static void add_finding(void *data, const struct finding *finding)
{
    struct findings *findings = data;
    if (cJSON_GetArraySize(findings->list) >= FINDINGS_MAX)
        return;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "Id", findings->id);
    cJSON_AddStringToObject(item, "Path", finding->path);
    cJSON_AddStringToObject(item, "Level", lint_level_name(finding->level));
    cJSON_AddStringToObject(item, "Code", finding->code);
    cJSON_AddStringToObject(item, "Message", finding->message);
    cJSON_AddItemToArray(findings->list, item);
}

cJSON *page_findings(const struct stored_trace *stored)
{
    struct findings findings = { .list = cJSON_CreateArray() };
    for (size_t i = 0; i < stored->count; i++) {
        const struct stored_document *document = &stored->documents[i];
        cJSON *json = cJSON_ParseWithLength(document->text, document->length);
        if (!json)
            continue;
        uint64_t id;
        const char *text = trace_string(json, "id");
        if (text && entity_id_parse(text, &id)) {
            entity_id_format(id, findings.id);
            lint_document(json, document->length, add_finding, &findings);
        }
        cJSON_Delete(json);
    }
    return findings.list;
}
