/* SPDX-License-Identifier: Apache-2.0 */
/* Known bugs that valgrind must find, or nothing that it does not find means anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lose(void)
{
    char *volatile text = strdup("never freed");

    text = NULL;
    (void)text;
}

static void overrun(void)
{
    volatile size_t length = 16;
    char *block = calloc(1, length);
    volatile char behind = block[length];

    (void)behind;
    free(block);
}

static void decide_on_nothing(void)
{
    int *block = malloc(sizeof(*block));

    if (*(volatile int *)block == 4711)
        puts("4711");
    free(block);
}

int main(int argc, char **argv)
{
    const char *bug = argc > 1 ? argv[1] : "";

    if (strcmp(bug, "lost") == 0)
        lose();
    else if (strcmp(bug, "overrun") == 0)
        overrun();
    else if (strcmp(bug, "uninitialized") == 0)
        decide_on_nothing();
    return 0;
}
