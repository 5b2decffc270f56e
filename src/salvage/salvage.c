/* salvage - what a data directory has that a cluster has not.
 *
 * Does:   see salvage.h.
 * Not:    -
 * Holds:  A1, A2, A3.
 * Limits: -
 * See:    salvage.h.
 */
#include "salvage/salvage.h"

#include <stdlib.h>

struct missing {
    uint64_t hlc;   /* of the version */
    uint32_t actor; /* of its dot, for equal clocks */
    table_ref ref;  /* of the version */
};

struct salvage {
    struct table *table;          /* all versions that were found, the newest of each key */
    struct salvage_source source; /* see there */
    struct missing *missing;      /* of the last comparison */
    size_t missing_count;         /* in use */
    size_t missing_cap;           /* allocated */
};

/* ---- Reading ---- */

static void read_identity(struct salvage *salvage, struct slice body)
{
    struct read in = read_of(body);
    (void)read_u64(&in);
    struct slice text = read_bytes(&in, read_left(&in));
    if (read_ok(&in))
        (void)address_parse(text, &salvage->source.address);
}

static void read_config(struct salvage *salvage, struct slice body)
{
    struct config *config = config_decode(body);
    if (config == NULL)
        return;
    salvage->source.lineage = config->lineage;
    salvage->source.epoch = config->epoch;
    config_free(config);
}

/* Whatever arrived counts, delivered or not. */
static void read_version(struct salvage *salvage, const struct record *record, uint64_t position)
{
    struct version version;
    if (version_decode(record->body, &version))
        table_put(salvage->table, slot_of(version.key), &version, position);
}

/* What makes no sense is left out: that the log ends there would leave out more. */
static bool replay(void *arg, const struct record *record, uint64_t position)
{
    struct salvage *salvage = arg;
    switch ((int)record->kind) {
    case RECORD_IDENTITY:
        read_identity(salvage, record->body);
        break;
    case RECORD_CONFIG:
        read_config(salvage, record->body);
        break;
    case RECORD_ARRIVAL:
    case RECORD_WALKED:
    case RECORD_DUMP:
        read_version(salvage, record, position);
        break;
    case RECORD_ABSENT:
        (void)table_replay_absent(salvage->table, record->body);
        break;
    default:
        break;
    }
    return true;
}

struct salvage *salvage_new(const struct log_segment *segments, size_t count)
{
    struct salvage *salvage = mem_zalloc(1, sizeof(*salvage));
    struct log *log = log_new();
    struct log_recovery found;
    salvage->table = table_new(1);
    log_recover(log, segments, count, replay, salvage, &found);
    log_free(log);
    salvage->source.damaged = found.state == LOG_DAMAGED;
    salvage->source.live = table_live(salvage->table);
    salvage->source.deleted = table_tombstones(salvage->table);
    return salvage;
}

void salvage_free(struct salvage *salvage)
{
    if (salvage == NULL)
        return;
    table_free(salvage->table);
    mem_free(salvage->missing);
    mem_free(salvage);
}

const struct salvage_source *salvage_source(const struct salvage *salvage)
{
    return &salvage->source;
}

/* ---- Comparing ---- */

static const struct ancestor *ancestor_of(const struct salvage_cluster *cluster, uint64_t lineage)
{
    for (uint32_t i = 0; i < cluster->ancestor_count; i++)
        if (cluster->ancestors[i].lineage == lineage)
            return &cluster->ancestors[i];
    return NULL;
}

bool salvage_related(const struct salvage *salvage, const struct salvage_cluster *cluster)
{
    uint64_t lineage = salvage->source.lineage;
    return lineage == cluster->lineage || ancestor_of(cluster, lineage) != NULL;
}

/* Actors of the directory's history from here on mean nothing, or something else, in the
 * cluster's. */
static uint32_t first_unknown(const struct salvage *salvage, const struct salvage_cluster *cluster)
{
    if (salvage->source.lineage == cluster->lineage)
        return cluster->next_actor;
    const struct ancestor *ancestor = ancestor_of(cluster, salvage->source.lineage);
    return ancestor == NULL ? 0 : ancestor->next_actor;
}

static bool is_open(const struct salvage_cluster *cluster, uint32_t actor)
{
    for (uint32_t i = 0; i < cluster->open_count; i++)
        if (cluster->open[i] == actor)
            return true;
    return false;
}

/* Did the cluster have this write? Of an open actor it has what is covered. A closed one is covered
 * nowhere any more: the cluster had all of it but for what its losses tell. */
static bool is_covered(const struct salvage_cluster *cluster, struct dot dot)
{
    bool told = false;
    for (uint32_t i = 0; i < cluster->loss_count; i++) {
        if (cluster->losses[i].actor != dot.actor)
            continue;
        told = true;
        if (dot.seq > cluster->losses[i].seq)
            return false;
    }
    if (is_open(cluster, dot.actor) || vv_get(&cluster->coverage, dot.actor) > 0)
        return vv_covers(&cluster->coverage, dot);
    return told || !cluster->shard_lost;
}

static void note(struct salvage *salvage, table_ref ref, const struct version *version)
{
    if (salvage->missing_count == salvage->missing_cap) {
        salvage->missing_cap = salvage->missing_cap * 2 + 64;
        salvage->missing =
            mem_realloc(salvage->missing, salvage->missing_cap * sizeof(*salvage->missing));
    }
    salvage->missing[salvage->missing_count++] =
        (struct missing){version->hlc, version->dot.actor, ref};
}

static int by_clock(const void *a, const void *b)
{
    const struct missing *left = a;
    const struct missing *right = b;
    if (left->hlc != right->hlc)
        return left->hlc < right->hlc ? -1 : 1;
    return left->actor < right->actor ? -1 : left->actor > right->actor;
}

size_t salvage_compare(struct salvage *salvage, const struct salvage_cluster *cluster)
{
    uint32_t unknown = first_unknown(salvage, cluster);
    salvage->missing_count = 0;
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        struct table_scan scan;
        table_ref ref;
        table_scan_begin(salvage->table, &scan, slot);
        while ((ref = table_scan_next(salvage->table, &scan)) != 0) {
            struct version version;
            table_view(salvage->table, ref, &version);
            if (version.dot.actor >= unknown || !is_covered(cluster, version.dot))
                note(salvage, ref, &version);
        }
    }
    if (salvage->missing_count > 1)
        qsort(salvage->missing, salvage->missing_count, sizeof(*salvage->missing), by_clock);
    return salvage->missing_count;
}

void salvage_missing(const struct salvage *salvage, size_t i, struct version *version)
{
    ASSERT(i < salvage->missing_count);
    table_view(salvage->table, salvage->missing[i].ref, version);
}
