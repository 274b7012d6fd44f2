/* SPDX-License-Identifier: Apache-2.0 */
/* A known data race, without Criterion, which does not start under ThreadSanitizer. */
#include <pthread.h>
#include <stddef.h>

static volatile int counter;
static pthread_barrier_t begun, done;

/* One barrier for both would order what comes between. A race is only reported while it is known
   where the other access was: so both threads live until both have counted, and do not count for
   long. */
static void *count(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&begun);
    for (int i = 0; i < 2000; i++)
        counter++;
    pthread_barrier_wait(&done);
    return NULL;
}

int main(void)
{
    pthread_t other;

    if (pthread_barrier_init(&begun, NULL, 2) != 0 || pthread_barrier_init(&done, NULL, 2) != 0 ||
        pthread_create(&other, NULL, count, NULL) != 0)
        return 2;
    count(NULL);
    pthread_join(other, NULL);
    return counter == 0;
}
