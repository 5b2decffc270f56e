/* err - operating errors by name.
 *
 * Does:   see err.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    err.def.
 */
#include "base/err.h"

#include "base/assert.h"

#include <stddef.h>

struct err_row {
    enum err err;         /* the code */
    unsigned number;      /* on the wire */
    int http_status;      /* of the answer */
    const char *name;     /* for logs */
    const char *resp;     /* first word of a RESP error */
    const char *sentence; /* for people */
};

static const struct err_row rows[] = {
#define E(name, number, http, resp, sentence) {name, number, http, #name, resp, sentence},
#include "base/err.def"
#undef E
};

static const struct err_row *row_of(enum err err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].err == err)
            return &rows[i];
    UNREACHABLE();
}

const char *err_sentence(enum err err)
{
    return err == E_OK ? "ok" : row_of(err)->sentence;
}

const char *err_name(enum err err)
{
    return err == E_OK ? "E_OK" : row_of(err)->name;
}

int err_http_status(enum err err)
{
    return err == E_OK ? 200 : row_of(err)->http_status;
}

const char *err_resp_word(enum err err)
{
    return err == E_OK ? "OK" : row_of(err)->resp;
}

bool err_from_number(unsigned number, enum err *err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].number != number)
            continue;
        *err = rows[i].err;
        return true;
    }
    return false;
}
