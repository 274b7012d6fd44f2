/* SPDX-License-Identifier: Apache-2.0 */
/* A known data race, without Criterion, which does not start under ThreadSanitizer. */
#include <pthread.h>
#include <stddef.h>

static int counter;

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100000; i++)
        counter++;
    return NULL;
}

int main(void)
{
    pthread_t other;

    if (pthread_create(&other, NULL, count, NULL) != 0)
        return 2;
    count(NULL);
    pthread_join(other, NULL);
    return counter == 0;
}
