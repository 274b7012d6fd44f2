/* SPDX-License-Identifier: Apache-2.0 */
/* The emitter to the daemon from inside: what a queue in front of it, and its tests, use. */
#ifndef XR_EMIT_UDP_H
#define XR_EMIT_UDP_H

#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <xraytrace/emitter.h>

#define XR_BATCH_MAX   32    /* documents; the kernel takes 64 datagrams in one call */
#define XR_BATCH_BYTES 65000 /* that one call takes: 65507 with IPv4 */

#define XR_UDP_HEADER_LINE   "{\"format\":\"json\",\"version\":1}\n"
#define XR_UDP_HEADER_LENGTH (sizeof(XR_UDP_HEADER_LINE) - 1)

/* How a batch leaves: the first that the kernel has. */
enum xr_udp_way {
    XR_UDP_UNKNOWN,
    XR_UDP_SEGMENTS, /* one call and one pass through the kernel's network stack */
    XR_UDP_MANY,     /* one call */
    XR_UDP_ONE,      /* a call for each document */
};

struct xr_udp_address {
    struct sockaddr_storage address;
    socklen_t length;
};

struct xr_udp {
    int socket;           /* keeps its number, whatever it is connected to */
    atomic_bool refusing; /* nobody listened when last seen */
    _Atomic int way;
    _Atomic int references; /* the emitter's own, and that of a thread which looks for the name */

    /* Which of the two counts; the other is written before it does. */
    _Atomic unsigned current;
    struct xr_udp_address addresses[2];

    char host[256]; /* a name; "" for a numeric address, which is never looked for again */
    char port[8];
    atomic_bool looking;
    bool failing;                  /* that is why it is being looked for */
    _Atomic int64_t look_ns;       /* when the name is due again */
    _Atomic int64_t look_again_ns; /* the same, when documents fail */
};

/* Its emit function, by which a queue knows it. */
int xr_udp_emit(void *data, const xray_document *document);

/*
 * Up to XR_BATCH_MAX documents, in their order. Some may have blanks added
 * before their last brace. ret_results gets 0 or -errno for each. With time, it
 * waits for some milliseconds where the socket's buffer is full.
 */
void xr_udp_emit_batch(struct xr_udp *udp, const xray_document *documents, int count, bool has_time,
                       int *ret_results);

/* Whether the socket's buffer takes a batch at once. */
bool xr_udp_has_room(struct xr_udp *udp);

/* What happened to the datagram before, as far as this machine knows: 0 or -errno. */
int xr_udp_fate(struct xr_udp *udp);

/* A socket of this process's own, connected; -errno. */
int xr_udp_open(const struct xr_udp_address *address);

/* Puts such a socket in the place of the present one, for all threads at once. */
void xr_udp_replace(struct xr_udp *udp, int fd);

/* Gives up one reference; the last one closes the socket. */
void xr_udp_release(struct xr_udp *udp);

/* ---- Names ------------------------------------------------------------------ */

/* getaddrinfo(); tests put another one here. */
extern int (*xr_udp_lookup)(const char *host, const char *port, const struct addrinfo *hints,
                            struct addrinfo **ret);

/* Finds the address to begin with. 0 or -EADDRNOTAVAIL. */
int xr_udp_resolve(struct xr_udp *udp, const char *host, uint16_t port);

/* After a document, sent or not (-errno): looks for the name again when that is due. */
void xr_udp_look_again(struct xr_udp *udp, int result);

#endif /* XR_EMIT_UDP_H */
