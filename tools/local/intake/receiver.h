/* SPDX-License-Identifier: Apache-2.0 */
/* Reads daemon datagrams from a UDP socket, in a thread of its own. */
#ifndef LOCAL_RECEIVER_H
#define LOCAL_RECEIVER_H

#include "local/intake/ingest.h"

struct receiver;

/* Takes the (bound) socket over on success; lends ingest. 0 or -errno. */
int receiver_new(struct receiver **ret, int udp_socket, struct ingest *ingest);
/* Returns when every datagram that had arrived before the call is kept or refused:
   who reads the store after that sees what a sender had sent. data is the receiver.
   From any thread. */
void receiver_settle(void *data);
void receiver_free(struct receiver *receiver);

#endif
