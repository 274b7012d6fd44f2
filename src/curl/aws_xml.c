/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much XML as error replies need. It walks from tag to tag, so that what looks
 * like one inside a comment or a CDATA section is not taken for it.
 */
#include "aws_xml.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *at;
    const char *end;
};

static bool starts_with(const struct cursor *xml, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(xml->end - xml->at) >= length && memcmp(xml->at, text, length) == 0;
}

/* Moves behind the next occurrence of text; false, at the end, when there is none. */
static bool skip_past(struct cursor *xml, const char *text)
{
    const char *found = memmem(xml->at, (size_t)(xml->end - xml->at), text, strlen(text));

    xml->at = found ? found + strlen(text) : xml->end;
    return found;
}

/* Moves behind the next opening tag, whose name is handed back; false at the end. */
static bool next_tag(struct cursor *xml, const char **ret_name, size_t *ret_length)
{
    while (skip_past(xml, "<")) {
        if (starts_with(xml, "!--"))
            skip_past(xml, "-->");
        else if (starts_with(xml, "![CDATA["))
            skip_past(xml, "]]>");
        else if (starts_with(xml, "?"))
            skip_past(xml, "?>");
        else if (starts_with(xml, "/") || starts_with(xml, "!"))
            skip_past(xml, ">");
        else {
            *ret_name = xml->at;
            while (xml->at < xml->end && !strchr(" \t\r\n/>", *xml->at))
                xml->at++;
            *ret_length = (size_t)(xml->at - *ret_name);
            if (!skip_past(xml, ">"))
                return false;
            return true;
        }
    }
    return false;
}

static bool is_named(const char *found, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(found, name, length) == 0;
}

/* ---- Text ------------------------------------------------------------------------------ */

/* Writes a character in UTF-8; nothing for what is none. Returns its bytes. */
static size_t put_character(char *ret, unsigned long c)
{
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    if (c < 0x80) {
        ret[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        ret[0] = (char)(0xc0 | c >> 6);
        ret[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        ret[0] = (char)(0xe0 | c >> 12);
        ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
        ret[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    ret[0] = (char)(0xf0 | c >> 18);
    ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
    ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
    ret[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* One entity at text, never longer resolved than written. Returns bytes read; 0 if it is none. */
static size_t resolve(const char *text, size_t length, char *ret, size_t *ret_length)
{
    static const struct {
        const char *name;
        char character;
    } NAMED[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' },
    };
    char digits[16];
    char *end;
    size_t size = 0;
    bool hexadecimal;
    unsigned long c;

    for (size_t i = 0; i < sizeof(NAMED) / sizeof(*NAMED); i++) {
        size = strlen(NAMED[i].name);
        if (size <= length && memcmp(text, NAMED[i].name, size) == 0) {
            *ret = NAMED[i].character;
            *ret_length = 1;
            return size;
        }
    }
    for (size = 0; size < length && size < sizeof(digits) - 1 && text[size] != ';'; size++)
        digits[size] = text[size];
    digits[size] = '\0';
    if (size < 3 || size == length || text[size] != ';' || digits[1] != '#')
        return 0;
    hexadecimal = digits[2] == 'x';
    if (!isxdigit((unsigned char)digits[2 + hexadecimal]))
        return 0;
    c = strtoul(digits + 2 + hexadecimal, &end, hexadecimal ? 16 : 10);
    if (*end)
        return 0;
    *ret_length = put_character(ret, c);
    return size + 1;
}

/* The text up to the next tag; a CDATA section is text as it stands. */
static char *copy_text(struct cursor xml)
{
    bool verbatim = starts_with(&xml, "<![CDATA[");
    const char *until = verbatim ? "]]>" : "<";
    size_t used = 0, written, read, length;
    const char *stop;
    char *text;

    if (verbatim)
        skip_past(&xml, "<![CDATA[");
    stop = memmem(xml.at, (size_t)(xml.end - xml.at), until, strlen(until));
    if (!stop)
        return NULL;
    length = (size_t)(stop - xml.at);
    text = malloc(length + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < length; i += read) {
        written = 1;
        read = !verbatim && xml.at[i] == '&'
                   ? resolve(xml.at + i, length - i, text + used, &written)
                   : 0;
        if (read == 0) {
            text[used] = xml.at[i];
            read = 1;
        }
        used += written;
    }
    text[used] = '\0';
    return text;
}

char *xr_aws_xml_text(const char *xml, size_t length, const char *name)
{
    struct cursor cursor = { xml, xml + length };
    const char *found;
    size_t size;

    while (next_tag(&cursor, &found, &size))
        if (is_named(found, size, name) && cursor.at[-2] != '/')
            return copy_text(cursor);
    return NULL;
}

bool xr_aws_xml_root_is(const char *xml, size_t length, const char *name)
{
    struct cursor cursor = { xml, xml + length };
    const char *found;
    size_t size;

    return next_tag(&cursor, &found, &size) && is_named(found, size, name);
}
