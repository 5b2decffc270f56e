/* test_config_corpus - the seeds of fuzz_config: made here, and found good here.
 *
 * Does:   with a folder as its argument (tests/fuzz/corpus/config) writes them there; always
 *         decodes what it makes, so that no seed is garbage after a change of the format.
 * Not:    fuzzing.
 * Holds:  the same seeds every time: the committed files change only with the format.
 * Limits: -
 * See:    tests/fuzz/fuzz_config.c.
 *
 * Usage:  build/<kind>/bin/test_placement_config_corpus tests/fuzz/corpus/config
 */
#include "unit/placement/play.h"

#define CORPUS_SEED 2024

static void save(const char *folder, const char *name, unsigned number, struct slice bytes)
{
    char path[4096];
    if (folder == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s_%u", folder, name, number);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

/* Takes config. */
static void save_config(const char *folder, const char *name, unsigned number,
                        struct config *config)
{
    struct buf bytes = BUF_EMPTY;
    config_encode(config, &bytes);
    struct config *back = config_decode(buf_slice(&bytes));
    assert_non_null(back);
    save(folder, name, number, buf_slice(&bytes));
    config_free(back);
    config_free(config);
    buf_fini(&bytes);
}

static void clusters(void **state)
{
    static const char *const words[] = {
        "A0",
        "A0 A0 A0 A1 A1 A1",
        "A0 S0 L0 L01 -- ?? A1 A1",
        "S0 S0 -- A1 S1",
        "A0 A0 A0 L01 A1 L1",
    };
    const char *folder = *state;
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint32_t shards = strchr(words[i], '1') != NULL ? 2 : 1;
        save_config(folder, "cluster", i, cluster_of(shards, words[i]));
    }
}

/* A cluster with a past: an actor sealing, one sealed, losses, an ancestor. */
static void cluster_with_a_past(void **state)
{
    struct config *config = cluster_of(2, "A0 A0 A0 A1 A1 -- --");
    struct fork fork = {.lineage = 78, .wall_ms = NOW_MS, .fates = {[1] = FATE_GONE}};
    APPLY(config, config_fork(config, &fork, &err));
    APPLY(config, config_renew(config, 103, 4, NOW_MS, &err));
    APPLY(config, config_sealed(config, 4, SHARD_NONE, 300, 7, NOW_MS, &err));
    save_config(*state, "past", 0, config);
}

/* Slots on their way: from two shards to three, and a member that fails meanwhile. */
static void reshards(void **state)
{
    bool alive[LIMIT_MEMBERS];
    enum err err = E_MALFORMED;
    struct play play = {.in_order = true, .config = cluster_of(2, "A0 A0 A0 A1 A1 A1")};
    alive_of(&play, alive);
    struct config *next = config_reshard(play.config, 3, alive, &err);
    assert_non_null(next);
    play_take(&play, next, &(struct act){.kind = ACT_STEP});
    for (unsigned i = 0; play_once(&play); i++) {
        if (i % 5 != 0)
            continue;
        uint32_t actor = play.config->members[0].actor;
        struct config *failed = config_renew(play.config, 100, actor, NOW_MS, &err);
        assert_non_null(failed);
        save_config(*state, "reshard", i / 5, config_dup(play.config));
        save_config(*state, "failed", i / 5, failed);
    }
    config_free(play.config);
}

static void random_ones(void **state)
{
    struct rng rng;
    rng_init(&rng, CORPUS_SEED);
    for (unsigned i = 0; i < 8; i++)
        save_config(*state, "random", i, random_config(&rng));
}

static void one_that_is_cut(void **state)
{
    struct config *config = cluster_of(2, "A0 A0 A1 A1");
    struct buf bytes = BUF_EMPTY;
    config_encode(config, &bytes);
    assert_null(config_decode(slice_of(bytes.ptr, bytes.len - 1)));
    save(*state, "cut", 0, slice_of(bytes.ptr, bytes.len - 1));
    config_free(config);
    buf_fini(&bytes);
}

int main(int argc, char **argv)
{
    void *folder = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(clusters, folder),
        cmocka_unit_test_prestate(cluster_with_a_past, folder),
        cmocka_unit_test_prestate(reshards, folder),
        cmocka_unit_test_prestate(random_ones, folder),
        cmocka_unit_test_prestate(one_that_is_cut, folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
