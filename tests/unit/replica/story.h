/* story - stories about members of a shard, and how they are told.
 *
 * Does:   what happens to members, in one call each; runs stories. In the PLANT build, with the
 *         name of a planted bug as its argument, a program of stories says whether that spoils the
 *         one that names it (tests/negative/run).
 * Not:    the stories; replicas and wires (world.h).
 * Holds:  after each story what stands in the log makes the same replica.
 * Limits: STORIES_MAX.
 * See:    tests/unit/replica/world.h.
 */
#pragma once

#include "world.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define STORIES_MAX 64U

/* A story returns whether what it is about held; what must hold in any case it asserts. */
typedef bool story(struct world *world);

struct told {
    const char *name;   /* of the story */
    story *story;       /* it */
    uint32_t sites;     /* how many it wants */
    const char *spoils; /* the planted bug that must spoil it, or NULL */
    enum plant plant;   /* the bug that is planted now */
};

/* ---- steps ---- */

static inline void renew(struct world *world, uint32_t number)
{
    enum err err = E_OK;
    const struct site *site = &world->sites[number];
    assert_true(decide(
        world, config_renew(newest(world), site->node_id, actor_of(world, number), 0, &err)));
}

static inline void admit(struct world *world, uint32_t number)
{
    enum err err = E_OK;
    struct address address;
    snprintf(address.text, sizeof(address.text), "10.0.0.%u:1", number + 1);
    assert_true(decide(
        world, config_admit(newest(world), world->sites[number].node_id, &address, 0, &err)));
    adopt(world, 0, newest(world)); /* who proposed it */
}

static inline void remove_members(struct world *world, const uint32_t *numbers, uint32_t count,
                                  uint32_t alive)
{
    enum err err = E_OK;
    struct address addresses[SITES_MAX];
    struct removal removal = {.addresses = addresses, .address_count = count, .force = true};
    for (uint32_t i = 0; i < count; i++)
        snprintf(addresses[i].text, sizeof(addresses[i].text), "10.0.0.%u:1", numbers[i] + 1);
    for (uint32_t i = 0; i < LIMIT_MEMBERS; i++)
        removal.alive[i] = i < 32 && (alive >> i & 1U) != 0;
    assert_true(decide(world, config_remove(newest(world), &removal, &err)));
}

static inline void adopt_all(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (world->sites[i].replica != NULL)
            adopt(world, i, newest(world));
}

/* The machine of a site goes down, losing what its disk has above `keep` bytes; the site comes back
 * in doubt and gets another actor, which everybody who is up learns. */
static inline void crash_machine(struct world *world, uint32_t number, size_t keep)
{
    restart(world, number, keep);
    doubt(&world->sites[number]);
    renew(world, number);
    adopt_all(world);
    connect_all(world);
}

static inline size_t disk_bytes(const struct world *world, uint32_t number)
{
    return world->sites[number].disk.len;
}

static inline enum member_state state_of(const struct world *world, uint32_t number)
{
    const struct member *member = config_member_by_id(newest(world), world->sites[number].node_id);
    assert_non_null(member);
    return member->state;
}

static inline bool all_alike(struct world *world)
{
    for (uint32_t i = 1; i < world->count; i++)
        if (!same_tables(world->sites[0].table, world->sites[i].table))
            return false;
    return true;
}

static inline void begin(struct world *world, enum plant plant, uint32_t count)
{
    world_init(world, count, count, plant);
    connect_all(world);
    settle(world, 3);
}

static inline void finish(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++)
        if (world->sites[i].replica != NULL && world->plant == PLANT_NONE)
            assert_true(same_after_replay(world, i));
    world_fini(world);
}

/* ---- telling ---- */

static inline void tell(void **state)
{
    const struct told *told = *state;
    struct world *world = mem_zalloc(1, sizeof(*world));
    begin(world, told->plant, told->sites);
    bool held = told->story(world);
    finish(world);
    mem_free(world);
    assert_true(held);
}

static inline int tell_all(struct told *stories, size_t count)
{
    struct CMUnitTest tests[STORIES_MAX];
    ASSERT(count <= STORIES_MAX);
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){
            .name = stories[i].name, .test_func = tell, .initial_state = &stories[i]};
    return _cmocka_run_group_tests("stories", tests, count, NULL, NULL);
}

/* 0: a story was spoiled by the bug; 1: none was; 2: no story is about it. */
static inline int judge(const char *name, struct told *stories, size_t count)
{
    int result = 2;
    enum plant plant = plant_named(name);
    for (size_t i = 0; i < count && plant != PLANT_NONE; i++) {
        if (stories[i].spoils == NULL || strcmp(stories[i].spoils, name) != 0)
            continue;
        stories[i].plant = plant;
        bool spoiled = tell_all(&stories[i], 1) != 0;
        if (spoiled)
            print_message("%s spoils %s\n", name, stories[i].name);
        result = spoiled ? 0 : 1;
    }
    return result;
}

/* main of a program of stories. */
static inline int stories_main(int argc, char **argv, struct told *stories, size_t count)
{
    return argc == 2 ? judge(argv[1], stories, count) : tell_all(stories, count);
}
