/* SPDX-License-Identifier: Apache-2.0 */
/* Time, text, random ids, files and log lines. */

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static bool quiet;

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t now_ms(void)
{
    return now_ns() / NS_PER_MS;
}

static void *or_stop(void *memory)
{
    if (!memory) {
        static const char message[] = "media-local: out of memory\n";
        ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
        (void)written;
        abort();
    }
    return memory;
}

void *memory_new(size_t bytes)
{
    return or_stop(calloc(1, bytes ? bytes : 1));
}

char *text_copy(const char *text)
{
    return or_stop(strdup(text));
}

char *text_copy_length(const char *text, size_t length)
{
    char *copy = or_stop(malloc(length + 1));

    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return or_stop(length < 0 ? NULL : text);
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (buffer->capacity - buffer->length < length + 1 || !buffer->data) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity - buffer->length < length + 1)
            capacity *= 2;
        buffer->data = or_stop(realloc(buffer->data, capacity));
        buffer->capacity = capacity;
    }
    if (length)
        memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){ 0 };
}

static void random_bytes(void *buf, size_t length)
{
    unsigned char *next = buf;

    while (length) {
        ssize_t got = getrandom(next, length, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            or_stop(NULL);
        }
        next += got;
        length -= (size_t)got;
    }
}

void random_hex(char *buf, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte;
        random_bytes(&byte, 1);
        snprintf(buf + 2 * i, 3, "%02x", byte);
    }
}

void random_uuid(char buf[UUID_SIZE])
{
    unsigned char b[16];

    random_bytes(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(buf, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

char *duration_text(int64_t ns, char buf[32])
{
    if (ns < 0)
        ns = 0;
    if (ns < 1000 * NS_PER_MS)
        snprintf(buf, 32, "%lld ms", (long long)(ns / NS_PER_MS));
    else
        snprintf(buf, 32, "%.1f s", (double)ns / (double)NS_PER_SECOND);
    return buf;
}

char *find_program(const char *name)
{
    const char *directories = getenv("PATH");

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? text_copy(name) : NULL;
    if (!directories)
        directories = "/usr/local/bin:/usr/bin:/bin";
    while (*directories) {
        size_t length = strcspn(directories, ":");
        char *path = text_format("%.*s/%s", (int)length, directories, name);
        if (length && access(path, X_OK) == 0)
            return path;
        free(path);
        directories += length;
        directories += *directories == ':';
    }
    return NULL;
}

int make_directories(const char *path)
{
    char *copy = text_copy(path);
    int error = 0;

    for (char *slash = copy + 1;; slash++) {
        if (*slash && *slash != '/')
            continue;
        char end = *slash;
        *slash = '\0';
        if (mkdir(copy, 0755) < 0 && errno != EEXIST)
            error = -errno;
        *slash = end;
        if (!end || error)
            break;
    }
    free(copy);
    return error;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t written = write(fd, text, left);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            text += written;
            left -= (size_t)written;
        }
    }
    return 0;
}

int write_file(const char *path, const char *text)
{
    char *temporary = text_format("%s.new", path);
    int error = 0;

    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        error = -errno;
    } else {
        error = write_all(fd, text);
        if (close(fd) < 0 && !error)
            error = -errno;
        if (!error && rename(temporary, path) < 0)
            error = -errno;
        if (error)
            unlink(temporary);
    }
    free(temporary);
    return error;
}

void json_text(cJSON *object, const char *name, const char *value)
{
    or_stop(value ? cJSON_AddStringToObject(object, name, value)
                  : cJSON_AddNullToObject(object, name));
}

void json_number(cJSON *object, const char *name, double value)
{
    or_stop(cJSON_AddNumberToObject(object, name, value));
}

cJSON *json_object(cJSON *parent, const char *name)
{
    return or_stop(parent ? cJSON_AddObjectToObject(parent, name) : cJSON_CreateObject());
}

char *json_print(const cJSON *json)
{
    return or_stop(cJSON_PrintUnformatted(json));
}

const char *json_get_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

void log_quiet(void)
{
    quiet = true;
}

void log_line(const char *format, ...)
{
    struct timespec now;
    struct tm local;
    va_list arguments;

    if (quiet)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);

    va_start(arguments, format);
    pthread_mutex_lock(&log_lock);
    printf("%02d:%02d:%02d.%03ld  ", local.tm_hour, local.tm_min, local.tm_sec,
           now.tv_nsec / (long)NS_PER_MS);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&log_lock);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    pthread_mutex_lock(&log_lock);
    fputs("media-local: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    pthread_mutex_unlock(&log_lock);
    va_end(arguments);
}
