/* SPDX-License-Identifier: Apache-2.0 */
/* Linux says in /proc/net which socket has a port, and in /proc/<pid>/fd which
   process has the socket. */
#include "local/http/sockets.h"

#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_STATE_LISTEN 0x0a

/* An address as these files print it: 32-bit words in hex, each in the machine's order. */
static void print_address(const void *bytes, size_t words, char *ret)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, (const char *)bytes + 4 * i, sizeof word);
        snprintf(ret + 8 * i, 9, "%08X", word);
    }
}

/* True if a socket on the address `theirs` stands in the way of one on `ours`. */
static bool in_the_way(const char *theirs, const char *ours, bool ours_is_any)
{
    size_t their_length = strlen(theirs);
    size_t our_length = strlen(ours);
    if (ours_is_any || strspn(theirs, "0") == their_length)
        return true;
    /* An IPv4 address in an IPv6 socket is at the end of it. */
    return their_length >= our_length && strcmp(theirs + their_length - our_length, ours) == 0;
}

/* Of a line's fields: 1 address:port, 3 state, 9 inode. */
#define FIELDS 10

/* The inode of the line's socket if it is in the way, else 0. */
static unsigned long read_line(char *line, const char *ours, bool ours_is_any, uint16_t port,
                               bool tcp)
{
    char *fields[FIELDS];
    char *rest = line;
    for (size_t i = 0; i < FIELDS;) {
        fields[i] = strsep(&rest, " \n");
        if (!fields[i])
            return 0;
        if (*fields[i])
            i++;
    }
    char *colon = strchr(fields[1], ':');
    if (!colon || strtoul(colon + 1, NULL, 16) != port ||
        (tcp && strtoul(fields[3], NULL, 16) != TCP_STATE_LISTEN))
        return 0;
    *colon = '\0';
    return in_the_way(fields[1], ours, ours_is_any) ? strtoul(fields[9], NULL, 10) : 0;
}

/* The inode of a socket that has the port, 0 if there is none in this file. */
static unsigned long find_inode(const char *path, const char *ours, bool ours_is_any, uint16_t port,
                                bool tcp)
{
    FILE *file = fopen(path, "re");
    char line[512];
    unsigned long found = 0;
    if (!file)
        return 0;
    while (!found && fgets(line, sizeof line, file))
        found = read_line(line, ours, ours_is_any, port, tcp);
    fclose(file);
    return found;
}

static bool has_socket(const char *pid, const char *wanted)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *directory = opendir(path);
    bool found = false;
    if (!directory)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(directory));) {
        char link[64];
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
        if (length <= 0)
            continue;
        link[length] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    closedir(directory);
    return found;
}

static void read_name(const char *pid, struct port_holder *holder)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file && !fgets(holder->name, sizeof holder->name, file))
        holder->name[0] = '\0';
    if (file)
        fclose(file);
    holder->name[strcspn(holder->name, "\n")] = '\0';
    /* A process may give itself any name, also one that moves the cursor. */
    for (char *c = holder->name; *c; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
}

void port_holder_find(const char *address, uint16_t port, bool udp, struct port_holder *ret)
{
    struct sockaddr_storage own;
    socklen_t length;
    char ours[33] = "";
    *ret = (struct port_holder){ 0 };
    if (socket_address(address, port, &own, &length) < 0)
        return;
    if (own.ss_family == AF_INET)
        print_address(&((struct sockaddr_in *)&own)->sin_addr, 1, ours);
    else
        print_address(&((struct sockaddr_in6 *)&own)->sin6_addr, 4, ours);
    bool any = strspn(ours, "0") == strlen(ours);

    unsigned long inode = find_inode(udp ? "/proc/net/udp" : "/proc/net/tcp", ours, any, port,
                                     !udp);
    if (!inode)
        inode = find_inode(udp ? "/proc/net/udp6" : "/proc/net/tcp6", ours, any, port, !udp);
    DIR *processes = inode ? opendir("/proc") : NULL;
    if (!processes)
        return;
    char wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    for (struct dirent *entry; !ret->pid && (entry = readdir(processes));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, wanted))
            continue;
        read_name(entry->d_name, ret);
        ret->pid = (int)strtol(entry->d_name, NULL, 10);
    }
    closedir(processes);
}
