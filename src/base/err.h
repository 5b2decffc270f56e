/* err - operating errors by name.
 *
 * Does:   one enum from err.def; the HTTP status, RESP word and sentence of each.
 * Not:    bugs (assert.h) and outcomes (enums).
 * Holds:  a function that returns an int error returns 0 or one of these, negated by nobody:
 *         the enum values are the negative numbers themselves.
 * Limits: numbers 1 to 255, so that one byte carries them between nodes.
 * See:    err.def; docs/api.md.
 */
#pragma once

#include <stdbool.h>

enum err {
    E_OK = 0,
#define E(name, number, http, resp, sentence) name = -(number),
#include "base/err.def"
#undef E
};

/* The sentence that a client reads; static. */
const char *err_sentence(enum err err);

/* The name as in err.def, for logs; static. */
const char *err_name(enum err err);

/* The HTTP status, 200 for E_OK. */
int err_http_status(enum err err);

/* The word a RESP error starts with; static. */
const char *err_resp_word(enum err err);

/* True when code is the number of an error in err.def (as a byte from a peer might not be);
 * then *err is it. */
bool err_from_number(unsigned number, enum err *err);
