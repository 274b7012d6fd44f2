/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the language: for the parser, and for who completes what is typed. */
#include "local/filter/internal.h"

#include <string.h>
#include <strings.h>

/* So much of a word may be wrong for another to be what was meant. */
#define SLIPS_MAX 2u
#define WORD_MAX  20u

static const struct filter_word words[] = {
    { "ok", WORD_BOOLEAN, "The root ended without error, fault or throttle." },
    { "error", WORD_BOOLEAN, "The root has the flag error (a status 4xx)." },
    { "throttle", WORD_BOOLEAN, "The root has the flag throttle (a status 429)." },
    { "fault", WORD_BOOLEAN, "The root has the flag fault (a status 5xx)." },
    { "partial", WORD_BOOLEAN, "Something is in progress or has not been received." },
    { "inferred", WORD_BOOLEAN, "A service is only known from a call to it." },
    { "first", WORD_BOOLEAN, "In rootcause: the first of its list." },
    { "last", WORD_BOOLEAN, "In rootcause: the last of its list." },
    { "remote", WORD_BOOLEAN, "In rootcause and edge: a call to another service." },
    { "root", WORD_BOOLEAN, "In service: the segment names no parent." },
    { "responsetime", WORD_NUMBER, "Seconds from the begin of the root to its end." },
    { "duration", WORD_NUMBER, "Seconds from the first begin to the last end." },
    { "http.status", WORD_NUMBER, "The status of the response." },
    { "index", WORD_NUMBER, "In rootcause: the place in its list, from 0." },
    { "coverage", WORD_NUMBER, "In rootcause: the part of the response time, 0 to 1." },
    { "http.url", WORD_STRING, "The URL of the request." },
    { "http.method", WORD_STRING, "The method of the request, in any case." },
    { "http.useragent", WORD_STRING, "The user agent of the request." },
    { "http.clientip", WORD_STRING, "The address that the request came from." },
    { "user", WORD_STRING, "The user of any segment." },
    { "name", WORD_STRING, "The name of any service; in rootcause.….exception its type." },
    { "type", WORD_STRING, "The type of any service, such as AWS::DynamoDB::Table." },
    { "message", WORD_STRING, "The message of an exception." },
    { "availabilityzone", WORD_STRING, "The availability zone of any segment." },
    { "instance.id", WORD_STRING, "The EC2 instance of any segment." },
    { "resource.arn", WORD_STRING, "The ARN of the resource of any segment." },
    { "account.id", WORD_STRING, "The AWS account of any segment." },
    { "annotation.", WORD_COMPLEX, "An annotation: annotation.key or annotation[key]." },
    { "service(", WORD_COMPLEX,
      "A service, and in braces what holds for it: service(\"x\") {fault}." },
    { "edge(", WORD_COMPLEX, "A call from one service to another: edge(\"x\", \"y\") {fault}." },
    { "id(", WORD_COMPLEX,
      "A service by name, type and account.id: id(name: \"x\", type: \"y\")." },
    { "group.name", WORD_COMPLEX, "The traces of a group: group.name = \"x\"." },
    { "group.arn", WORD_COMPLEX, "The traces of a group, by its ARN." },
    { "rootcause.fault.service", WORD_COMPLEX, "A service on the way to a fault." },
    { "rootcause.fault.entity", WORD_COMPLEX, "A segment or subsegment on the way to a fault." },
    { "rootcause.fault.exception", WORD_COMPLEX, "An exception on the way to a fault." },
    { "rootcause.error.service", WORD_COMPLEX, "A service on the way to an error." },
    { "rootcause.error.entity", WORD_COMPLEX, "A segment or subsegment on the way to an error." },
    { "rootcause.error.exception", WORD_COMPLEX, "An exception on the way to an error." },
    { "rootcause.responsetime.service", WORD_COMPLEX, "A service that took most of the time." },
    { "rootcause.responsetime.entity", WORD_COMPLEX,
      "A segment or subsegment that took most of the time." },
    { "rootcause.responsetime.exception", WORD_COMPLEX,
      "An exception where most of the time was taken." },
    { "rootcause.json", WORD_COMPLEX,
      "A whole root cause: rootcause.json = #[{\"Services\": […]}]." },
    { "rootcause.fault.json", WORD_COMPLEX, "The same, of faults." },
    { "rootcause.error.json", WORD_COMPLEX, "The same, of errors." },
    { "rootcause.responsetime.json", WORD_COMPLEX, "The same, of response times." },
    { "AND", WORD_OPERATOR, "Both; so does a blank." },
    { "OR", WORD_OPERATOR, "Either." },
    { "!", WORD_OPERATOR, "Not." },
    { "=", WORD_OPERATOR, "Equal." },
    { "!=", WORD_OPERATOR, "There, and not equal." },
    { "<", WORD_OPERATOR, "Less." },
    { "<=", WORD_OPERATOR, "Less or equal." },
    { ">", WORD_OPERATOR, "Greater." },
    { ">=", WORD_OPERATOR, "Greater or equal." },
    { "CONTAINS", WORD_OPERATOR, "The text has this in it; \"\" is in every text." },
    { "BEGINSWITH", WORD_OPERATOR, "The text begins with this." },
    { "ENDSWITH", WORD_OPERATOR, "The text ends with this." },
};
#define WORDS (sizeof words / sizeof words[0])

const struct filter_word *filter_words(size_t *ret_count)
{
    *ret_count = WORDS;
    return words;
}

const char *word_text(enum word word)
{
    return words[word].text;
}

enum filter_word_kind word_kind(enum word word)
{
    return words[word].kind;
}

unsigned word_scopes(enum word word)
{
    const unsigned causes = 1u << SCOPE_CAUSE_SERVICE | 1u << SCOPE_CAUSE_ENTITY |
                            1u << SCOPE_CAUSE_EXCEPTION;
    switch (word) {
    case WORD_FIRST:
    case WORD_LAST:
    case WORD_INDEX:
    case WORD_COVERAGE:
        return causes;
    case WORD_REMOTE:
        return causes | 1u << SCOPE_EDGE;
    default:
        return ~0u;
    }
}

bool word_equal(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncasecmp(text, word, length) == 0;
}

enum word word_find(const char *text, size_t length)
{
    for (unsigned i = 0; i < WORD_KEYS; i++)
        if (word_equal(text, length, words[i].text))
            return (enum word)i;
    return WORD_KEYS;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove or change; both are at most WORD_MAX long. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[WORD_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned before = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned change = before + (lower(a[i - 1]) != lower(b[j - 1]));
            before = row[j];
            row[j] = least(change, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_length];
}

const char *word_near(const char *text, size_t length)
{
    const char *best = NULL;
    unsigned best_distance = SLIPS_MAX + 1;
    if (length < 3 || length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < WORDS; i++) {
        size_t word_length = strcspn(words[i].text, "(");
        if (word_length < 3 || word_length > WORD_MAX)
            continue;
        unsigned d = distance(text, length, words[i].text, word_length);
        if (d < best_distance && d * 2 < word_length) {
            best_distance = d;
            best = words[i].text;
        }
    }
    return best;
}
