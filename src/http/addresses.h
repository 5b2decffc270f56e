/* addresses - the nodes that a request names.
 *
 * Does:   a JSON string, or an array of strings -> canonical texts with commas between.
 * Not:    whether there are such nodes: the node's.
 * Holds:  D1 without a refusal at least one address is there, each is as address_parse writes it,
 *         and no two are the same.
 * Limits: LIMIT_MEMBERS addresses.
 * See:    docs/api.md section 3; placement/config.h for the forms of addresses.
 */
#pragma once

#include "http/conn.h"
#include "http/json.h"
#include "http/refusal.h"

#define HTTP_ADDRESSES_BYTES_MAX (LIMIT_MEMBERS * (LIMIT_ADDRESS_BYTES + 1U))

enum http_addresses {
    HTTP_ADDRESSES_ONE,     /* a string */
    HTTP_ADDRESSES_SOME,    /* or an array */
    HTTP_ADDRESSES_WITHOUT, /* the same, of those to be given up */
};

/* Appends to room, which has HTTP_ADDRESSES_BYTES_MAX bytes and the length of the value left: what
 * is borrowed from it does not move. */
struct slice http_addresses_read(const struct json_value *value, enum http_addresses many,
                                 struct buf *room, struct http_refusal *refusal);
