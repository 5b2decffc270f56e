/* scope - how much of a seed's world takes place.
 *
 * Does:   see scope.h.
 * Not:    -
 * Holds:  C2.
 * Limits: -
 * See:    scope.h.
 */
#include "sim/scope.h"

#define ULL unsigned long long

bool scope_leaves_out(const struct scope *scope, uint64_t fault)
{
    return fault < SCOPE_FAULTS_MAX && (scope->without[fault / 8] >> fault % 8 & 1U) != 0;
}

void scope_leave_out(struct scope *scope, uint64_t fault, bool out)
{
    if (fault >= SCOPE_FAULTS_MAX)
        return;
    uint8_t bit = (uint8_t)(1U << fault % 8);
    if (out)
        scope->without[fault / 8] |= bit;
    else
        scope->without[fault / 8] &= (uint8_t)~bit;
}

/* A number at *at, which moves; false where there is none. */
static bool take_number(const char **at, uint64_t *number)
{
    *number = 0;
    bool any = false;
    while (**at >= '0' && **at <= '9' && *number < SCOPE_FAULTS_MAX) {
        *number = *number * 10 + (uint64_t)(*(*at)++ - '0');
        any = true;
    }
    return any && *number < SCOPE_FAULTS_MAX;
}

bool scope_parse_faults(struct scope *scope, const char *text)
{
    for (;;) {
        uint64_t first = 0;
        if (!take_number(&text, &first))
            return false;
        uint64_t last = first;
        if (*text == '-') {
            text++;
            if (*text == '\0' || *text == ',')
                last = SCOPE_FAULTS_MAX - 1;
            else if (!take_number(&text, &last) || last < first)
                return false;
        }
        for (uint64_t i = first; i <= last; i++)
            scope_leave_out(scope, i, true);
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

bool scope_is_whole(const struct scope *scope)
{
    for (uint32_t i = 0; i < sizeof scope->without; i++) {
        if (scope->without[i] != 0)
            return false;
    }
    return scope->nodes == 0 && scope->shards == 0 && scope->sessions == 0 && scope->ops == 0 &&
           scope->ms == 0;
}

static uint32_t at_most(uint32_t drawn, uint32_t most)
{
    return most > 0 && most < drawn ? most : drawn;
}

void scope_apply(const struct scope *scope, struct swarm *swarm)
{
    uint32_t nodes = at_most(swarm->nodes, scope->nodes);
    if (nodes < 2)
        nodes = 2; /* W2 */
    if (swarm->clock_far >= nodes)
        swarm->clock_far = nodes; /* none */
    if (nodes < swarm->nodes)
        swarm->late = 0;
    swarm->nodes = nodes;
    swarm->shards = at_most(at_most(swarm->shards, scope->shards), nodes / 2);
    swarm->sessions = at_most(swarm->sessions, scope->sessions);
    swarm->ops_max = scope->ops > 0 ? scope->ops : UINT64_MAX;
    if (scope->ms > 0 && scope->ms * 1000 < swarm->faults_for_us)
        swarm->faults_for_us = scope->ms * 1000;
    memcpy(swarm->without, scope->without, sizeof swarm->without);
}

static void print_faults(const struct scope *scope, FILE *out)
{
    const char *before = " --without-faults ";
    for (uint64_t first = 0; first < SCOPE_FAULTS_MAX; first++) {
        if (!scope_leaves_out(scope, first))
            continue;
        uint64_t last = first;
        while (last + 1 < SCOPE_FAULTS_MAX && scope_leaves_out(scope, last + 1))
            last++;
        fprintf(out, "%s%llu", before, (ULL)first);
        if (last == SCOPE_FAULTS_MAX - 1)
            fputc('-', out);
        else if (last > first)
            fprintf(out, "-%llu", (ULL)last);
        before = ",";
        first = last;
    }
}

void scope_print(const struct scope *scope, FILE *out)
{
    if (scope->nodes > 0)
        fprintf(out, " --nodes %u", scope->nodes);
    if (scope->shards > 0)
        fprintf(out, " --shards %u", scope->shards);
    if (scope->sessions > 0)
        fprintf(out, " --sessions %u", scope->sessions);
    if (scope->ops > 0)
        fprintf(out, " --ops %llu", (ULL)scope->ops);
    if (scope->ms > 0)
        fprintf(out, " --ms %llu", (ULL)scope->ms);
    print_faults(scope, out);
}
