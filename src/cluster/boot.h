/* boot - the first start: everybody of VIEW makes the first configuration together.
 *
 * Does:   remembers what each address of VIEW said of itself (HELLO); says when the first
 *         configuration may be proposed, by whom, of what; what a node is waiting for, in words.
 * Not:    deciding (register.h, instance 1, all of VIEW must accept); connections.
 * Holds:  O1 nothing is proposed before every address of VIEW has answered, all of them empty or
 *         in the middle of the same first start, with the same set of addresses and the same
 *         SHARD_COUNT. O2 the proposer is the node with the least address (by bytes); its VIEW
 *         order counts.
 * Limits: LIMIT_MEMBERS.
 * See:    docs/protocol.md 6.2 (T9, T34); docs/api.md section 1.
 */
#pragma once

#include "cluster/register.h"

struct boot_peer {
    struct address address; /* of VIEW */
    uint64_t node_id;       /* 0: has not said HELLO since its connection stands */
    bool connected;         /* it is there */
    enum hello_state state; /* as it said */
    uint32_t shard_count;   /* as it said */
    bool same_view;         /* its VIEW is the same set of addresses */
    struct address extra;   /* one that its VIEW has and ours has not; empty: none */
    struct address lacking; /* one that ours has and its VIEW has not; empty: none */
};

struct boot {
    uint32_t peer_count;                   /* of VIEW, this node included */
    struct boot_peer peers[LIMIT_MEMBERS]; /* in VIEW order */
    uint32_t self;                         /* index of this node */
    uint32_t shard_count;                  /* SHARD_COUNT, 0 taken as 1 */
    bool alone_allowed;                    /* --bootstrap */
};

/* view: VIEW, self in it (count 0: self alone), no address twice. shard_count: 0 is 1.
 * bootstrap: by hand, whoever of VIEW is there and fits is enough, and this node proposes whatever
 * its address. boot knows no time: the caller gives the others some before it asks boot_ready. */
void boot_init(struct boot *boot, const struct address *view, uint32_t count,
               const struct address *self, uint64_t node_id, uint32_t shard_count, bool bootstrap);

/* What a peer said. view: its VIEW as comma-separated text. Of somebody not in VIEW: ignored.
 * HELLO_EMPTY is also said in the middle of a first start (reg_started). */
void boot_hello(struct boot *boot, uint64_t node_id, const struct msg_hello *hello);

/* Its connection is lost: it must say HELLO again. */
void boot_lost(struct boot *boot, uint64_t node_id);

/* True when this node is to propose now; fills in *start except lineage and key. */
bool boot_ready(const struct boot *boot, struct first_start *start);

/* Node ids of all in start, in its order: who must accept (quorum: all of them). Returns how many.
 * Only when boot_ready. When they change while a proposal is under way: reg_abandon, and again. */
uint32_t boot_acceptors(const struct boot *boot, uint64_t acceptors[LIMIT_MEMBERS]);

/* A sentence for people: which addresses it is waiting for, or in what VIEWs differ, or that a
 * running cluster was found. */
void boot_waiting_for(const struct boot *boot, struct buf *out);

/* Comma-separated VIEW, for HELLO. */
void boot_view_text(const struct boot *boot, struct buf *out);
