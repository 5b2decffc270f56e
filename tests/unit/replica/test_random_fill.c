/* test_random_fill - four replicas of one shard, and everything that can happen to them.
 *
 * Does:   writes, deletes, slow wires, connections that break in the middle of a walk or of a drop,
 *         processes and machines that crash, disks that are lost, members that are removed and come
 *         back, checkpoints: at random. Then all is mended, and all must agree. With the name of a
 *         planted bug as its argument it says whether that is noticed.
 *         In some rounds all machines go down at once, and the shard merges.
 * Not:    clients, commits, connections: sim/. More faults than the protocol takes: never is more
 *         than one copy of anything acknowledged lost at a time.
 * Holds:  I4: at the end all members have the same live versions. I5: no acknowledged write is
 *         missing; R1: nor is one that is covered, at any time. What replica_check says. What
 *         stands in the logs makes the same replicas.
 *         Seen to catch within 30 rounds: FILL_KEEPS, FILL_DROPS_EARLY, FILL_RAISES_EARLY,
 *         FILL_DROPS_HALF, FILL_NOT_COUNTED, SEAL_WITHOUT_ABSENT, MERGE_DROPS, WALK_STOPS_EARLY,
 *         TOMBSTONE_NOT_WALKED, PURGE_EARLY. Not in 60: FILL_LATE_STAYS, SEAL_ONLY_COVERED.
 * Limits: ROUNDS rounds of STEPS steps (the environment may say how many, and SEED the first).
 * See:    docs/protocol.md sections 4.4, 6.3 to 6.5.
 */
#include "story.h"

#define SITES 4U
#define ROUNDS 30U
#define STEPS 2500U
#define KEYS 250U

struct chaos {
    struct world *world;      /* what it happens to */
    struct rng rng;           /* whatever is drawn */
    uint64_t next_id;         /* of nodes */
    size_t disk_floor[SITES]; /* below it lies who a site is */
    bool out[SITES];          /* it is not listed, or asks to be let in */
    bool cuts_power;          /* now and then, this round */
    uint32_t power_cuts;      /* so many */
    uint32_t fills, crashes;  /* how many: a test of nothing must be noticed */
};

static uint32_t draw(struct chaos *chaos, uint32_t bound)
{
    return (uint32_t)rng_below(&chaos->rng, bound);
}

/* ---- wires ---- */

/* Hands over the first so many frames that `from` has for `to`; the rest stays, in order. */
static void hand_some(struct world *world, uint32_t from, uint32_t to, uint32_t most)
{
    struct site *site = &world->sites[from];
    struct outbox out = site->out;
    outbox_init(&site->out);
    for (size_t i = 0; i < out.count; i++) {
        struct slice bytes = slice_of(out.bytes.ptr + out.items[i].begin, out.items[i].len);
        struct frame frame;
        assert_true(frame_decode(bytes, &frame));
        bool mine = out.items[i].to == world->sites[to].node_id;
        if (!mine || most == 0) {
            outbox_append(&site->out, bytes, (enum msg_type)frame.type, out.items[i].to);
            continue;
        }
        most--;
        if (world->linked[from][to])
            take(world, site->node_id, to, &frame);
    }
    outbox_fini(&out);
}

/* A connection breaks: what is under way on it is lost. */
static void break_link(struct world *world, uint32_t a, uint32_t b, bool for_long)
{
    link_down(world, a, b);
    link_down(world, b, a);
    hand(world, a, b, 0);
    hand(world, b, a, 0);
    world->cut[a][b] = world->cut[b][a] = for_long;
    if (!for_long)
        mend(world, a, b);
}

static void exchange(struct chaos *chaos)
{
    uint32_t from = draw(chaos, SITES);
    tick(chaos->world, from, 1 + draw(chaos, 120));
    for (uint32_t to = 0; to < SITES; to++)
        if (to != from)
            hand_some(chaos->world, from, to, draw(chaos, 12));
}

/* ---- writes ---- */

static bool may_write(const struct site *site)
{
    return replica_active(site->replica);
}

static void write_one(struct chaos *chaos)
{
    uint32_t number = draw(chaos, SITES);
    struct site *site = &chaos->world->sites[number];
    uint32_t hot = draw(chaos, 3);
    uint32_t key_number = draw(chaos, hot == 0 ? 10 : KEYS);
    bool remove = draw(chaos, 3) == 0;
    uint32_t cause = draw(chaos, 2 * SITES);
    if (!may_write(site))
        return;
    char key[16], value[48];
    snprintf(key, sizeof(key), "k%u", key_number);
    snprintf(value, sizeof(value), "\"%u, and some more of it\"", chaos->world->made_count);
    struct vv seen;
    vv_init(&seen);
    const struct vv *covered = replica_coverage(site->replica);
    if (cause < covered->count)
        vv_set(&seen, covered->entries[cause].actor, covered->entries[cause].seq);
    write_at(chaos->world, number, key, remove ? NULL : value, &seen);
}

/* Its writer has heard of a second copy. */
static void acknowledge(struct chaos *chaos)
{
    struct world *world = chaos->world;
    uint32_t first = world->made_count > 400 ? world->made_count - 400 : 0;
    for (uint32_t i = first; i < world->made_count; i++) {
        struct made *made = &world->made[i];
        for (uint32_t j = 0; j < SITES && !made->acknowledged; j++) {
            const struct site *site = &world->sites[j];
            if (!may_write(site))
                continue;
            const struct member *self = config_member_by_id(site->config, site->node_id);
            if (self->actor == made->dot.actor && made->dot.seq <= replica_seq(site->replica))
                made->acknowledged = receipted(site->replica, made->dot.seq);
        }
    }
}

/* ---- losses ---- */

static bool in_shard(const struct world *world, uint32_t number)
{
    const struct member *member = config_member_by_id(newest(world), world->sites[number].node_id);
    return member != NULL && member->shard == 0 && member->state != MEMBER_LEAVING;
}

/* As is_held, but a tombstone that is not there any more must have been there. */
static bool surely_held(const struct world *world, const struct made *made, const struct site *site)
{
    struct slice key = slice_str(made->key);
    if (table_find(site->table, slot_of(key), key) != 0)
        return is_held(world, made, site->table);
    for (uint32_t i = 0; i < world->made_count; i++) {
        const struct made *stone = &world->made[i];
        if (!stone->tombstone || stone->hlc < made->hlc || strcmp(stone->key, made->key) != 0)
            continue;
        if (vv_covers(replica_coverage(site->replica), stone->dot) ||
            (stone->acknowledged && config_actor_closed(site->config, stone->dot.actor)))
            return true;
    }
    return false;
}

/* True when whatever is acknowledged is in another table too. */
static bool may_lose(const struct world *world, uint32_t number)
{
    for (uint32_t i = 0; i < world->made_count; i++) {
        const struct made *made = &world->made[i];
        uint32_t others = 0;
        for (uint32_t j = 0; j < SITES && made->acknowledged; j++)
            others += j != number && in_shard(world, j) && world->sites[j].config != NULL &&
                      surely_held(world, made, &world->sites[j]);
        if (made->acknowledged && others == 0)
            return false;
    }
    return true;
}

static uint32_t actives(const struct world *world)
{
    return config_count(newest(world), 0, MEMBER_ACTIVE);
}

/* Somebody active is left, who is really up. */
static bool may_spare(const struct world *world, uint32_t number)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < SITES; i++)
        left += i != number && replica_active(world->sites[i].replica) ? 1 : 0;
    return left >= 2 && actives(world) >= 3 && may_lose(world, number);
}

static void process_dies(struct chaos *chaos)
{
    uint32_t number = draw(chaos, SITES);
    restart(chaos->world, number, SIZE_MAX);
    for (uint32_t i = 0; i < SITES; i++)
        if (i != number)
            break_link(chaos->world, i, number, chaos->world->cut[i][number]);
    chaos->crashes++;
}

static void machine_dies(struct chaos *chaos)
{
    struct world *world = chaos->world;
    uint32_t number = draw(chaos, SITES);
    size_t len = world->sites[number].disk.len;
    if (!in_shard(world, number) || !may_spare(world, number) || len <= chaos->disk_floor[number])
        return;
    size_t keep = rng_between(&chaos->rng, chaos->disk_floor[number], len);
    restart(world, number, keep);
    for (uint32_t i = 0; i < SITES; i++)
        if (i != number)
            break_link(world, i, number, false);
    doubt(&world->sites[number]);
    renew(world, number);
    adopt(world, number, newest(world));
    connect_all(world);
    chaos->crashes++;
}

/* All machines at once. The disks are whole, and nobody can know that: all are in doubt. */
static void power_cut(struct chaos *chaos)
{
    struct world *world = chaos->world;
    if (!chaos->cuts_power)
        return;
    for (uint32_t i = 0; i < SITES; i++) {
        restart(world, i, SIZE_MAX);
        for (uint32_t j = 0; j < SITES; j++)
            if (j != i)
                break_link(world, i, j, world->cut[i][j]);
        if (!in_shard(world, i))
            continue;
        if (world->sites[i].config != NULL)
            doubt(&world->sites[i]);
        renew(world, i);
        adopt(world, i, newest(world));
    }
    connect_all(world);
    chaos->power_cuts++;
}

static void come_in(struct chaos *chaos, uint32_t number)
{
    struct world *world = chaos->world;
    enum err err = E_OK;
    struct address address;
    snprintf(address.text, sizeof(address.text), "10.0.0.%u:1", number + 1);
    chaos->out[number] = true; /* until it stands where it should */
    decide(world, config_admit(newest(world), world->sites[number].node_id, &address, 0, &err));
    const struct member *member = config_member_by_id(newest(world), world->sites[number].node_id);
    if (member != NULL && member->shard == SHARD_NONE)
        decide(world, config_assign(newest(world), &address, 0, &err));
    if (!in_shard(world, number))
        return;
    chaos->out[number] = false;
    adopt(world, number, newest(world));
    connect_all(world);
}

static void disk_dies(struct chaos *chaos, uint32_t number)
{
    struct world *world = chaos->world;
    wipe(world, number, chaos->next_id++);
    chaos->disk_floor[number] = world->sites[number].disk.len;
    for (uint32_t i = 0; i < SITES; i++)
        if (i != number)
            break_link(world, i, number, false);
}

static void disk_is_lost(struct chaos *chaos)
{
    uint32_t number = draw(chaos, SITES);
    if (!in_shard(chaos->world, number) || !may_spare(chaos->world, number))
        return;
    disk_dies(chaos, number);
    come_in(chaos, number);
}

static void goes_for_good(struct chaos *chaos)
{
    uint32_t number = draw(chaos, SITES);
    bool alive = draw(chaos, 2) == 0;
    struct world *world = chaos->world;
    for (uint32_t i = 0; i < SITES; i++)
        if (chaos->out[i])
            return; /* one at a time */
    if (!in_shard(world, number) || !may_spare(world, number))
        return;
    remove_members(world, &number, 1, alive ? UINT32_MAX : 0);
    adopt(world, (number + 1) % SITES, newest(world));
    chaos->out[number] = true;
    if (!alive)
        disk_dies(chaos, number);
}

static void comes_back(struct chaos *chaos)
{
    for (uint32_t i = 0; i < SITES; i++) {
        uint64_t node_id = chaos->world->sites[i].node_id;
        const struct member *member = config_member_by_id(newest(chaos->world), node_id);
        if (!chaos->out[i] || (member != NULL && member->state == MEMBER_LEAVING))
            continue;
        if (member == NULL && chaos->world->sites[i].disk.len > chaos->disk_floor[i])
            disk_dies(chaos, i); /* it has left; another node stands there now */
        come_in(chaos, i);
    }
}

/* ---- the rest of what happens ---- */

static void trouble_on_a_wire(struct chaos *chaos)
{
    uint32_t a = draw(chaos, SITES);
    uint32_t b = draw(chaos, SITES);
    bool for_long = draw(chaos, 2) == 0;
    if (a == b)
        return;
    if (chaos->world->cut[a][b])
        mend(chaos->world, a, b);
    else
        break_link(chaos->world, a, b, for_long);
}

/* All of it at once: a log that begins with what the table holds. */
static void checkpoint(struct chaos *chaos)
{
    uint32_t number = draw(chaos, SITES);
    struct site *site = &chaos->world->sites[number];
    if (!in_shard(chaos->world, number) || site->config == NULL || site->node_id != 100 + number)
        return; /* who it is stands in its log once */
    begin_again(site);
    for (uint32_t slot = 0; slot < LIMIT_SLOTS; slot++) {
        struct table_scan scan;
        table_scan_begin(site->table, &scan, slot);
        for (table_ref ref = table_scan_next(site->table, &scan); ref != 0;
             ref = table_scan_next(site->table, &scan)) {
            struct version version;
            struct slice whole;
            table_view(site->table, ref, &version);
            log_append_version(site->log, RECORD_DUMP, &version, &whole);
        }
    }
    drain(site);
    chaos->disk_floor[number] = site->disk.len; /* what was before is dropped when it is whole */
}

/* Where nobody was active deletes may come back (protocol 6.3): then only keys that were never
 * deleted are judged. */
static bool is_judged(const struct chaos *chaos, const struct made *made)
{
    const struct world *world = chaos->world;
    for (uint32_t i = 0; i < world->made_count && chaos->power_cuts > 0; i++)
        if (world->made[i].tombstone && strcmp(world->made[i].key, made->key) == 0)
            return false;
    return made->acknowledged;
}

static void lost(const struct world *world, uint32_t number, const struct made *made)
{
    for (uint32_t i = 0; i < SITES; i++) {
        const struct site *site = &world->sites[i];
        const struct member *self =
            site->config != NULL ? config_member_by_id(site->config, site->node_id) : NULL;
        print_message("site %u: actor %u, state %d, has it: %d, covers %" PRIu64 "\n", i,
                      self != NULL ? self->actor : 0, self != NULL ? (int)self->state : -1,
                      is_held(world, made, site->table),
                      vv_get(replica_coverage(site->replica), made->dot.actor));
    }
    fail_msg("site %u has lost %s, (%u, %" PRIu64 ")", number, made->key, made->dot.actor,
             made->dot.seq);
}

static void look(struct chaos *chaos)
{
    struct world *world = chaos->world;
    check(world);
    for (uint32_t i = 0; i < SITES; i++)
        for (uint32_t j = 0; j < world->made_count; j++)
            if (vv_covers(replica_coverage(world->sites[i].replica), world->made[j].dot) &&
                !is_held(world, &world->made[j], world->sites[i].table) &&
                is_judged(chaos, &world->made[j]))
                lost(world, i, &world->made[j]);
}

static void step(struct chaos *chaos)
{
    uint32_t what = draw(chaos, 1000);
    if (what < 300)
        write_one(chaos);
    else if (what < 900)
        exchange(chaos);
    else if (what < 950)
        steward(chaos->world);
    else if (what < 965)
        trouble_on_a_wire(chaos);
    else if (what < 972)
        process_dies(chaos);
    else if (what < 982)
        machine_dies(chaos);
    else if (what < 986)
        disk_is_lost(chaos);
    else if (what < 988)
        goes_for_good(chaos);
    else if (what < 993)
        comes_back(chaos);
    else if (what < 994)
        power_cut(chaos);
    else
        checkpoint(chaos);
    acknowledge(chaos);
}

/* ---- a round ---- */

static bool at_rest(const struct world *world)
{
    if (newest(world)->retired_count > 0 || actives(world) < SITES)
        return false;
    for (uint32_t i = 1; i < SITES; i++)
        if (vv_compare(replica_coverage(world->sites[0].replica),
                       replica_coverage(world->sites[i].replica)) != VV_EQUAL)
            return false;
    return true;
}

static void calm(struct chaos *chaos)
{
    struct world *world = chaos->world;
    for (uint32_t i = 0; i < SITES; i++)
        for (uint32_t j = 0; j < i; j++)
            mend(world, i, j);
    for (uint32_t i = 0; i < 400 && !at_rest(world); i++) {
        govern(world, 1);
        comes_back(chaos);
    }
    settle(world, 3);
    assert_true(at_rest(world));
}

static void judge_all(const struct chaos *chaos)
{
    struct world *world = chaos->world;
    for (uint32_t i = 1; i < SITES; i++)
        assert_true(same_tables(world->sites[0].table, world->sites[i].table));
    for (uint32_t i = 0; i < world->made_count; i++)
        if (!is_held(world, &world->made[i], world->sites[0].table) &&
            is_judged(chaos, &world->made[i]))
            lost(world, 0, &world->made[i]);
}

static void play(struct chaos *chaos, uint64_t seed)
{
    rng_init(&chaos->rng, seed);
    chaos->next_id = 1000;
    chaos->cuts_power = seed % 3 == 0;
    chaos->world->knobs.walk_chunk_bytes = 1024;
    chaos->world->knobs.window_bytes = 4096;
    for (uint32_t i = 0; i < STEPS; i++) {
        step(chaos);
        if (i % 50 == 0)
            look(chaos);
    }
    calm(chaos);
    judge_all(chaos);
    for (uint32_t i = 0; i < SITES; i++)
        chaos->fills += (uint32_t)chaos->world->sites[i].metrics.fills;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);
    return given != NULL ? strtoull(given, NULL, 10) : otherwise;
}

static bool random_fill(struct world *unused)
{
    uint64_t first = number_of("SEED", 1);
    uint64_t rounds = number_of("ROUNDS", ROUNDS);
    uint32_t fills = 0, crashes = 0, power_cuts = 0;
    for (uint64_t seed = first; seed < first + rounds; seed++) {
        struct chaos *chaos = mem_zalloc(1, sizeof(*chaos));
        chaos->world = mem_zalloc(1, sizeof(*chaos->world));
        print_message("SEED=%" PRIu64 "\n", seed);
        begin(chaos->world, unused->plant, SITES);
        play(chaos, seed);
        finish(chaos->world);
        fills += chaos->fills;
        crashes += chaos->crashes;
        power_cuts += chaos->power_cuts;
        mem_free(chaos->world);
        mem_free(chaos);
    }
    print_message("%u fills, %u crashes, %u power cuts\n", fills, crashes, power_cuts);
    return fills >= rounds;
}

int main(int argc, char **argv)
{
    struct told stories[] = {
        {"random_fill", random_fill, 1, argc == 2 ? argv[1] : NULL, PLANT_NONE}};
    return stories_main(argc, argv, stories, LEN(stories));
}
