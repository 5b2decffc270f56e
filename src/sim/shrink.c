/* shrink - a smaller world in which the same thing goes wrong.
 *
 * Does:   see shrink.h.
 * Not:    -
 * Holds:  K1, K2.
 * Limits: -
 * See:    shrink.h.
 *
 * Fewer nodes make another world of it, which need not fail; so that comes first, where there is
 * most to gain, and again at the end, where a world is cheap. Faults have random numbers of their
 * own, so that leaving some out keeps the others what they are.
 */
#include "sim/shrink.h"

#define ULL unsigned long long

static void tell(const struct shrink *shrink)
{
    const struct shrink_seen *seen = &shrink->seen;
    if (shrink->out == NULL)
        return;
    fprintf(shrink->out,
            "world %3u: %u nodes, %u shards, %u clients, %llu ops, %.3f s:", shrink->runs,
            seen->nodes, seen->shards, seen->sessions, (ULL)seen->begun, (double)seen->ms / 1e3);
    scope_print(&shrink->scope, shrink->out);
    fputc('\n', shrink->out);
    fflush(shrink->out);
}

/* True when it breaks: then it is the smallest from now on. */
static bool attempt(struct shrink *shrink, const struct scope *scope)
{
    struct shrink_seen seen = {0};
    if (shrink->runs >= SHRINK_RUNS_MAX)
        return false;
    shrink->runs++;
    if (!shrink->try(shrink->arg, scope, &seen))
        return false;
    shrink->scope = *scope;
    shrink->seen = seen;
    tell(shrink);
    return true;
}

/* The least cluster first; true when one breaks. */
static bool fewer_nodes(struct shrink *shrink)
{
    for (uint32_t nodes = 2; nodes <= shrink->seen.nodes; nodes++) {
        for (uint32_t shards = 1; shards <= nodes / 2 && shards <= shrink->seen.shards; shards++) {
            if (nodes == shrink->seen.nodes && shards == shrink->seen.shards)
                return false;
            struct scope scope = shrink->scope;
            scope.nodes = nodes;
            scope.shards = shards;
            if (attempt(shrink, &scope))
                return true;
        }
    }
    return false;
}

static void fewer_sessions(struct shrink *shrink)
{
    for (uint32_t sessions = 1; sessions < shrink->seen.sessions; sessions *= 2) {
        struct scope scope = shrink->scope;
        scope.sessions = sessions;
        if (attempt(shrink, &scope))
            return;
    }
}

/* The least number that breaks, by halving: it need not be the very least. Which of the two? */
static void less_of(struct shrink *shrink, bool time)
{
    uint64_t good = 0; /* does not break, or so we assume */
    uint64_t bad = time ? shrink->seen.ms : shrink->seen.begun;
    while (good + 1 < bad) {
        uint64_t middle = good + (bad - good) / 2;
        struct scope scope = shrink->scope;
        if (time)
            scope.ms = middle;
        else
            scope.ops = middle;
        if (attempt(shrink, &scope))
            bad = middle;
        else
            good = middle;
        if (bad - good < bad / 16)
            return; /* near enough */
    }
}

static bool without_range(struct shrink *shrink, uint64_t first, uint64_t last)
{
    struct scope scope = shrink->scope;
    bool any = false;
    for (uint64_t i = first; i <= last; i++) {
        any = any || !scope_leaves_out(&scope, i);
        scope_leave_out(&scope, i, true);
    }
    return any && attempt(shrink, &scope);
}

/* All of them; then halves, quarters, down to single ones. */
static void fewer_faults(struct shrink *shrink)
{
    uint64_t last = shrink->seen.fault_last;
    if (last >= SCOPE_FAULTS_MAX)
        last = SCOPE_FAULTS_MAX - 1;
    /* Whatever would have come after the end: costs nothing, says nothing. */
    for (uint64_t i = last + 1; i < SCOPE_FAULTS_MAX; i++)
        scope_leave_out(&shrink->scope, i, true);
    scope_leave_out(&shrink->scope, 0, true); /* there is none of that number */
    for (uint64_t size = last; size > 0; size /= 2) {
        for (uint64_t first = 1; first <= last; first += size)
            without_range(shrink, first, first + size - 1 < last ? first + size - 1 : last);
    }
}

bool shrink_run(struct shrink *shrink)
{
    struct scope scope = shrink->scope;
    if (!attempt(shrink, &scope))
        return false;
    fewer_nodes(shrink);
    less_of(shrink, true);
    less_of(shrink, false);
    fewer_faults(shrink);
    fewer_nodes(shrink);
    fewer_sessions(shrink);
    less_of(shrink, true);
    less_of(shrink, false);
    fewer_faults(shrink);
    return true;
}
