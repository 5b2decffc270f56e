/* test_config_codec - configurations as bytes.
 *
 * Does:   round trips of random ones, field by field; every cut is refused; every altered byte
 *         is refused or gives another valid configuration with exactly these bytes; values that
 *         break an invariant do not decode.
 * Not:    -
 * Holds:  what decodes holds K1 to K10 but K6, and encodes to the same bytes.
 * Limits: -
 * See:    placement/config_codec.c.
 */
#include "unit/placement/random_config.h"

/* True when bytes decode; then what came out is valid and has these bytes and no others. */
static bool decodes(struct slice bytes)
{
    struct config *config = config_decode(bytes);
    if (config == NULL)
        return false;
    struct buf again = BUF_EMPTY;
    config_check(config);
    config_encode(config, &again);
    assert_true(slice_equal(buf_slice(&again), bytes));
    buf_fini(&again);
    config_free(config);
    return true;
}

static void configurations_come_back(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 300; round++) {
        struct config *config = random_config(&rng);
        struct config *copy = config_dup(config);
        struct buf bytes = BUF_EMPTY;
        struct buf bytes_of_copy = BUF_EMPTY;
        config_encode(config, &bytes);
        config_encode(copy, &bytes_of_copy);
        assert_true(slice_equal(buf_slice(&bytes), buf_slice(&bytes_of_copy)));
        struct config *back = config_decode(buf_slice(&bytes));
        assert_non_null(back);
        assert_true(same_config(config, back));
        config_free(config);
        config_free(copy);
        config_free(back);
        buf_fini(&bytes);
        buf_fini(&bytes_of_copy);
    }
}

static void every_cut_and_every_addition_is_refused(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 5; round++) {
        struct config *config = random_config(&rng);
        struct buf bytes = BUF_EMPTY;
        config_encode(config, &bytes);
        for (size_t len = 0; len < bytes.len; len++)
            assert_null(config_decode(slice_of(bytes.ptr, len)));
        buf_u8(&bytes, 0);
        assert_null(config_decode(buf_slice(&bytes)));
        config_free(config);
        buf_fini(&bytes);
    }
}

static void every_altered_byte_is_refused_or_valid(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    uint32_t refused = 0;
    uint32_t valid = 0;
    for (uint32_t round = 0; round < 5; round++) {
        struct config *config = random_config(&rng);
        struct buf bytes = BUF_EMPTY;
        config_encode(config, &bytes);
        for (size_t at = 0; at < bytes.len; at++) {
            uint8_t kept = bytes.ptr[at];
            uint8_t others[] = {0, 0xff, (uint8_t)(kept + 1), (uint8_t)(kept ^ 0x80),
                                (uint8_t)rng_u64(&rng)};
            for (size_t i = 0; i < sizeof(others); i++) {
                bytes.ptr[at] = others[i];
                bool good = decodes(buf_slice(&bytes));
                valid += good;
                refused += !good;
            }
            bytes.ptr[at] = kept;
        }
        config_free(config);
        buf_fini(&bytes);
    }
    assert_true(valid > 0);
    assert_true(refused > 0);
}

static void random_bytes_are_refused(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    for (uint32_t round = 0; round < 2000; round++) {
        uint8_t bytes[200];
        size_t len = rng_below(&rng, sizeof(bytes) + 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (uint8_t)rng_u64(&rng);
        if (len > 0)
            bytes[0] = 3; /* the format that there is */
        decodes(slice_of(bytes, len));
    }
    assert_null(config_decode(SLICE_EMPTY));
}

static struct config *small_config(void)
{
    struct first_start start = {.lineage = 5, .shard_count = 2, .member_count = 4};
    for (uint32_t i = 0; i < 4; i++) {
        start.members[i].node_id = i + 1;
        snprintf(start.members[i].address.text, 20, "node-%" PRIu32 ":80", i);
    }
    enum err err = E_OK;
    struct config *config = config_first(&start, &err);
    assert_non_null(config);
    return config;
}

/* Encodes a sound configuration with one change that the encoder does not mind and demands that
 * the decoder does. */
#define ASSERT_NOT_DECODED(change)                                                                 \
    do {                                                                                           \
        struct config *config = small_config();                                                    \
        struct buf bytes = BUF_EMPTY;                                                              \
        config_encode(config, &bytes);                                                             \
        assert_true(decodes(buf_slice(&bytes)));                                                   \
        buf_reset(&bytes);                                                                         \
        change;                                                                                    \
        config_encode(config, &bytes);                                                             \
        assert_null(config_decode(buf_slice(&bytes)));                                             \
        buf_fini(&bytes);                                                                          \
        config_free(config);                                                                       \
    } while (0)

static void what_breaks_an_invariant_does_not_decode(void **state)
{
    (void)state;
    ASSERT_NOT_DECODED(slotset_remove(&config->shards[1].slots, 16383)); /* K1 */
    ASSERT_NOT_DECODED(slotset_add(&config->shards[1].slots, 0));
    ASSERT_NOT_DECODED(config->members[2].node_id = 1); /* K2 */
    ASSERT_NOT_DECODED(config->members[2].address = config->members[3].address);
    ASSERT_NOT_DECODED(config->members[2].actor = 1); /* K3 */
    ASSERT_NOT_DECODED(config->next_actor = 4);
    ASSERT_NOT_DECODED(config->members[2].actor = 0); /* K4 */
    ASSERT_NOT_DECODED(config->members[2].shard = 2);
    ASSERT_NOT_DECODED(config->members[2].state = MEMBER_SPARE);
    ASSERT_NOT_DECODED(config->members[2].target = 0); /* K8 */
    ASSERT_NOT_DECODED(config->epoch = 0);             /* K5 */
    ASSERT_NOT_DECODED(config->fence = 2);
    ASSERT_NOT_DECODED(config->lineage = 0);
    ASSERT_NOT_DECODED(config->members[2].address.text[0] = ' ');
    ASSERT_NOT_DECODED(config->members[2].address.text[0] = '\x7f');
    ASSERT_NOT_DECODED((config->retired_count = 1,
                        config->retired[0].actor = 100, /* K3: no slots */
                        config->next_actor = 101));
}

/* Slots 0 to 9 are on their way from the first shard to the second. */
static void add_transit(struct config *config)
{
    struct shard *transit = &config->shards[config->shard_count++];
    *transit = (struct shard){.id = SHARD_ID_TRANSIT | 4, .from = 0, .into = 1};
    slotset_add_range(&transit->slots, 0, 9);
    slotset_subtract(&config->shards[0].slots, &transit->slots);
    config->seats[config->seat_count++] = (struct seat){1, 2, 5, MEMBER_ACTIVE};
    config->seats[config->seat_count++] = (struct seat){3, 2, 6, MEMBER_SYNCING};
    config->next_actor = 7;
    config_index(config);
}

#define ASSERT_TRANSIT_NOT_DECODED(change) ASSERT_NOT_DECODED((add_transit(config), change))

static void transits_and_seats_that_break_an_invariant_do_not_decode(void **state)
{
    (void)state;
    struct config *sound = small_config();
    add_transit(sound);
    struct buf encoded = BUF_EMPTY;
    config_encode(sound, &encoded);
    assert_true(decodes(buf_slice(&encoded)));
    buf_fini(&encoded);
    config_free(sound);
    ASSERT_TRANSIT_NOT_DECODED(config->shards[2].from = 1); /* K9 */
    ASSERT_TRANSIT_NOT_DECODED(config->shards[2].into = 2);
    ASSERT_TRANSIT_NOT_DECODED(config->shards[2].into = SHARD_ID_TRANSIT | 4);
    ASSERT_TRANSIT_NOT_DECODED(config->shards[2].id = 4);
    ASSERT_TRANSIT_NOT_DECODED(config->shards[1].id = SHARD_ID_TRANSIT | 1);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].node_id = 1); /* K10 */
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].node_id = 9);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].shard = 1);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].shard = 3);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].shard = UINT32_MAX);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].state = MEMBER_SPARE);
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].actor = 5); /* K3 */
    ASSERT_TRANSIT_NOT_DECODED(config->seats[1].actor = 7);
}

/* Where the count of members stands while epoch, fence and next actor take a byte each, and where
 * the address of the first member begins, after its node id. */
#define COUNT_OFFSET 28U
#define ADDRESS_OFFSET (COUNT_OFFSET + 1 + 8)

/* The bytes of config with `more` put in at `at`. */
static void with_bytes_at(const struct config *config, size_t at, const struct buf *more,
                          struct buf *out)
{
    struct buf bytes = BUF_EMPTY;
    config_encode(config, &bytes);
    buf_reset(out);
    buf_append(out, bytes.ptr, at);
    buf_append_slice(out, buf_slice(more));
    buf_append(out, bytes.ptr + at, bytes.len - at);
    buf_fini(&bytes);
}

static void an_address_too_long_is_refused(void **state)
{
    (void)state;
    struct config *config = small_config();
    struct buf bytes = BUF_EMPTY;
    struct buf none = BUF_EMPTY;
    memset(config->members[0].address.text, 'a', LIMIT_ADDRESS_BYTES);
    with_bytes_at(config, 0, &none, &bytes);
    assert_true(decodes(buf_slice(&bytes)));
    assert_int_equal(bytes.ptr[ADDRESS_OFFSET], (LIMIT_ADDRESS_BYTES & 0x7f) | 0x80);
    struct buf letter = BUF_EMPTY;
    buf_u8(&letter, 'a');
    with_bytes_at(config, ADDRESS_OFFSET + 2, &letter, &bytes);
    bytes.ptr[ADDRESS_OFFSET]++;
    assert_null(config_decode(buf_slice(&bytes)));
    buf_fini(&letter);
    buf_fini(&bytes);
    config_free(config);
}

static void a_member_too_many_is_refused(void **state)
{
    (void)state;
    struct config *config = small_config();
    struct buf more = BUF_EMPTY;
    struct buf bytes = BUF_EMPTY;
    for (uint32_t i = config->member_count; i < LIMIT_MEMBERS; i++) {
        config->members[i] = (struct member){.node_id = 100 + i, .state = MEMBER_SPARE};
        config->members[i].shard = SHARD_NONE;
        config->members[i].target = SHARD_NONE;
        snprintf(config->members[i].address.text, 20, "spare-%" PRIu32 ":80", i);
    }
    buf_u64(&more, 99);
    buf_varint(&more, 1);
    buf_append(&more, "x\0\0\0\3\0\0", 7); /* address, no shard, actor, target; spare; returns */
    config->member_count = LIMIT_MEMBERS - 1;
    with_bytes_at(config, COUNT_OFFSET + 1, &more, &bytes);
    assert_int_equal(bytes.ptr[COUNT_OFFSET]++, LIMIT_MEMBERS - 1);
    assert_true(decodes(buf_slice(&bytes)));
    config->member_count = LIMIT_MEMBERS;
    with_bytes_at(config, COUNT_OFFSET + 1, &more, &bytes);
    assert_int_equal(bytes.ptr[COUNT_OFFSET]++, LIMIT_MEMBERS);
    assert_null(config_decode(buf_slice(&bytes)));
    buf_fini(&more);
    buf_fini(&bytes);
    config_free(config);
}

/* Losses stand last, these with five bytes each, after a count of two bytes. */
static void a_loss_too_many_is_refused(void **state)
{
    (void)state;
    struct config *config = small_config();
    struct buf bytes = BUF_EMPTY;
    config->loss_count = LIMIT_LOSSES;
    config_encode(config, &bytes);
    assert_true(decodes(buf_slice(&bytes)));
    uint8_t *count = bytes.ptr + (bytes.len - 5 * LIMIT_LOSSES - 2);
    assert_int_equal(*count, 0x80);
    ++*count;
    buf_append(&bytes, "\0\0\0\0\0", 5);
    assert_null(config_decode(buf_slice(&bytes)));
    buf_fini(&bytes);
    config_free(config);
}

/* Every 32nd slot, and as many seats as there is room for. */
static void add_torn_transit(struct config *config, uint32_t number)
{
    uint32_t index = config->shard_count++;
    struct shard *transit = &config->shards[index];
    *transit =
        (struct shard){.id = UINT32_MAX - number, .from = number % 2, .into = 1 - number % 2};
    for (uint32_t slot = number; slot < LIMIT_SLOTS; slot += 32) {
        slotset_remove(&config->shards[slot / (LIMIT_SLOTS / 2)].slots, slot);
        slotset_add(&transit->slots, slot);
    }
    for (uint32_t i = 0; i < 4 && config->seat_count < LIMIT_SEATS - 4; i++)
        config->seats[config->seat_count++] =
            (struct seat){i + 1, index, UINT32_MAX - config->seat_count - 1, MEMBER_ACTIVE};
}

static void the_greatest_configuration_comes_back(void **state)
{
    (void)state;
    struct config *config = small_config();
    config->ancestor_count = LIMIT_ANCESTORS;
    config->loss_count = LIMIT_LOSSES;
    config->next_actor = UINT32_MAX;
    config->epoch = config->fence = UINT64_MAX - 1;
    for (uint32_t i = 0; i < config->loss_count; i++)
        config->losses[i] = (struct loss){i, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX};
    for (uint32_t i = 0; i < LIMIT_TRANSITS; i++)
        add_torn_transit(config, i);
    config_index(config);
    for (uint32_t i = 0; i < LIMIT_RETIRED; i++) {
        uint32_t transit = 2 + i / 2 % LIMIT_TRANSITS;
        struct retired *retired = &config->retired[config->retired_count++];
        *retired =
            (struct retired){.actor = 100 + i / 2, .since = UINT64_MAX - 1, .last_seq = UINT64_MAX};
        retired->slots = config->shards[i % 2 == 0 ? transit : 0].slots;
    }
    memset(config->members[0].address.text, 'a', LIMIT_ADDRESS_BYTES);
    config_check(config);
    struct buf bytes = BUF_EMPTY;
    config_encode(config, &bytes);
    struct config *back = config_decode(buf_slice(&bytes));
    assert_non_null(back);
    assert_true(same_config(config, back));
    config_free(back);
    config_free(config);
    buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_come_back),
        cmocka_unit_test(every_cut_and_every_addition_is_refused),
        cmocka_unit_test(every_altered_byte_is_refused_or_valid),
        cmocka_unit_test(random_bytes_are_refused),
        cmocka_unit_test(what_breaks_an_invariant_does_not_decode),
        cmocka_unit_test(transits_and_seats_that_break_an_invariant_do_not_decode),
        cmocka_unit_test(an_address_too_long_is_refused),
        cmocka_unit_test(a_member_too_many_is_refused),
        cmocka_unit_test(a_loss_too_many_is_refused),
        cmocka_unit_test(the_greatest_configuration_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
