/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cleanup.h"
#include "runtime/text.h"

/* The character of a reference such as "&quot;" or "&#34;", and its length; 0 when it is none. */
static size_t decode_reference(const char *text, char *ret)
{
    static const struct {
        const char *name;
        char character;
    } known[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' }
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        size_t length = strlen(known[i].name);
        if (strncmp(text, known[i].name, length) == 0) {
            *ret = known[i].character;
            return length;
        }
    }
    if (strncmp(text, "&#", 2) != 0)
        return 0;
    char *end;
    unsigned long point = text[2] == 'x' ? strtoul(text + 3, &end, 16)
                                         : strtoul(text + 2, &end, 10);
    /* What these services answer is ASCII. */
    if (*end != ';' || point == 0 || point > 0x7f)
        return 0;
    *ret = (char)point;
    return (size_t)(end - text) + 1;
}

static char *decode(const char *text, size_t length)
{
    AUTO_TEXT struct text decoded = { 0 };
    text_add(&decoded, "");
    for (size_t i = 0; i < length;) {
        char character = text[i];
        size_t used = character == '&' ? decode_reference(text + i, &character) : 0;
        text_add_bytes(&decoded, &character, 1);
        i += used && i + used <= length ? used : 1;
    }
    if (decoded.failed)
        return NULL;
    char *result = decoded.data;
    decoded.data = NULL;
    return result;
}

/* The inside of the first element of this name at or after xml; *ret_next is what follows it. */
static char *element_at(const char *xml, const char *name, const char **ret_next)
{
    size_t name_length = strlen(name);
    for (const char *open = strchr(xml, '<'); open; open = strchr(open + 1, '<')) {
        if (strncmp(open + 1, name, name_length) != 0 ||
            !strchr("> \t\r\n", open[1 + name_length]) || !open[1 + name_length])
            continue;
        const char *start = strchr(open, '>');
        if (!start)
            return NULL;
        start++;
        char close[128];
        snprintf(close, sizeof(close), "</%s>", name);
        const char *end = strstr(start, close);
        if (!end)
            return NULL;
        *ret_next = end + strlen(close);
        return decode(start, (size_t)(end - start));
    }
    return NULL;
}

char *xml_element(const char *xml, const char *name)
{
    const char *next;
    return element_at(xml, name, &next);
}

char *xml_entry(const char *xml, const char *name)
{
    for (;;) {
        const char *after_key;
        AUTO_FREE char *key = element_at(xml, "key", &after_key);
        if (!key)
            return NULL;
        const char *after_value;
        char *value = element_at(after_key, "value", &after_value);
        if (!value || strcmp(key, name) == 0)
            return value;
        free(value);
        xml = after_value;
    }
}
