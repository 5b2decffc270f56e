/* mark - rare paths that long runs must have been on.
 *
 * Does:   see mark.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    mark.h.
 */
#include "base/mark.h"

#include "base/assert.h"

struct mark_row {
    const char *name; /* as in marks.def */
    const char *what; /* happened there */
};

static const struct mark_row rows[] = {
#define MARK(name, what) {#name, what},
#include "base/marks.def"
#undef MARK
};

const char *mark_name(enum mark mark)
{
    ASSERT(mark < MARK_COUNT);
    return rows[mark].name;
}

const char *mark_sentence(enum mark mark)
{
    ASSERT(mark < MARK_COUNT);
    return rows[mark].what;
}
