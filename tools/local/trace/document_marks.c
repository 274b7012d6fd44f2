/* SPDX-License-Identifier: Apache-2.0 */
/* Marks such as "fault" of a document and of the subsegments embedded in it, without a
   tree: what annotations and metadata call so is none. */
#include "local/base/json_text.h"
#include "local/trace/document.h"

#include <string.h>

static bool is_name(const char *name, const char *end, const char *wanted)
{
    size_t length = strlen(wanted);
    return (size_t)(end - name) == length + 2 && memcmp(name + 1, wanted, length) == 0;
}

static const char *skip_comma(const char *at, const char *end)
{
    at = json_skip_space(at, end);
    return at < end && *at == ',' ? json_skip_space(at + 1, end) : at;
}

static const char *find_in_list(const char *at, const char *end, const char *mark, bool *found);

/* Returns the end of the object; each byte is looked at once. */
static const char *find_in_entity(const char *at, const char *end, const char *mark, bool *found)
{
    for (at = json_skip_space(at + 1, end); at < end && *at == '"' && !*found;) {
        const char *name = at;
        const char *name_end = json_skip_value(name, end);
        const char *value = json_skip_space(json_skip_space(name_end, end) + 1, end);
        if (*value == '[' && is_name(name, name_end, "subsegments"))
            at = find_in_list(value, end, mark, found);
        else
            at = json_skip_value(value, end);
        if (is_name(name, name_end, mark) && *value == 't')
            *found = true;
        at = skip_comma(at, end);
    }
    return at + 1;
}

static const char *find_in_list(const char *at, const char *end, const char *mark, bool *found)
{
    for (at = json_skip_space(at + 1, end); at < end && *at != ']' && !*found;) {
        at = *at == '{' ? find_in_entity(at, end, mark, found) : json_skip_value(at, end);
        at = skip_comma(at, end);
    }
    return at + 1;
}

bool document_has_mark(const struct document *document, const char *mark)
{
    const char *end = document->text + document->length;
    bool found = false;
    /* Most have none. */
    if (memmem(document->text, document->length, mark, strlen(mark)))
        find_in_entity(json_skip_space(document->text, end), end, mark, &found);
    return found;
}
