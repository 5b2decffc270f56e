/* recent - the keys that were written lately.
 *
 * Does:   see recent.h.
 * Not:    -
 * Holds:  R1.
 * Limits: -
 * See:    recent.h.
 */
#include "cli/recent.h"

void recent_init(struct recent *recent)
{
    *recent = (struct recent){mem_zalloc(RECENT_SLOTS, sizeof(uint64_t)), 0};
}

void recent_fini(struct recent *recent)
{
    mem_free(recent->slots);
    *recent = (struct recent){NULL, 0};
}

void recent_reset(struct recent *recent)
{
    memset(recent->slots, 0, RECENT_SLOTS * sizeof(*recent->slots));
    recent->count = 0;
}

bool recent_add(struct recent *recent, uint64_t hash)
{
    uint64_t mark = hash != 0 ? hash : 1;
    if (recent->count == RECENT_MAX)
        return false;
    for (size_t at = mark % RECENT_SLOTS;; at = (at + 1) % RECENT_SLOTS) {
        if (recent->slots[at] == mark)
            return false;
        if (recent->slots[at] == 0) {
            recent->slots[at] = mark;
            recent->count++;
            return true;
        }
    }
}
