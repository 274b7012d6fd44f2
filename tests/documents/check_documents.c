/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests that are no C: reads documents, one a line, and prints the rule that
 * one breaks. --padded: blanks may stand before the last brace. Exits with 1 if
 * a rule is broken, or if there is no document at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

int main(int argc, char **argv)
{
    unsigned flags = argc > 1 && strcmp(argv[1], "--padded") == 0 ? DOCUMENT_PADDED : 0;
    struct documents documents = { 0 };
    struct violation violation;
    char *line = NULL;
    size_t size = 0, count = 0;
    int broken = 0;
    ssize_t length;

    while ((length = getline(&line, &size, stdin)) > 0) {
        if (line[length - 1] == '\n')
            length--;
        count++;
        if (!document_check(line, (size_t)length, flags, &documents, &violation)) {
            printf("%s\n%.*s\n", violation.text, (int)length, line);
            broken = 1;
        }
    }
    free(line);
    if (!documents_end(&documents, &violation)) {
        printf("%s\n", violation.text);
        broken = 1;
    }
    if (count == 0) {
        printf("there is no document\n");
        broken = 1;
    }
    return broken;
}
