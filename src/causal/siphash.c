/* siphash - SipHash-2-4, the keyed MAC of tokens.
 *
 * Does:   see siphash.h. Names follow section 2 of the paper: v0 to v3, c = 2 rounds a word,
 *         d = 4 rounds at the end.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    siphash.h.
 */
#include "causal/siphash.h"

struct sip {
    uint64_t v0; /* the four words of state */
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static inline uint64_t rotl(uint64_t value, unsigned count)
{
    return (value << count) | (value >> (64 - count));
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

/* The bytes that fill no word, and the length in the top byte. */
static uint64_t last_word(struct slice bytes)
{
    uint64_t word = (uint64_t)(bytes.len & 0xff) << 56;
    size_t whole = bytes.len & ~(size_t)7;
    for (size_t i = whole; i < bytes.len; i++)
        word |= (uint64_t)bytes.ptr[i] << (8 * (i - whole));
    return word;
}

uint64_t siphash(const struct siphash_key *key, struct slice bytes)
{
    uint64_t k0 = le_load_u64(key->bytes);
    uint64_t k1 = le_load_u64(key->bytes + 8);
    struct sip s = {k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
                    k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
    for (size_t i = 0; i + 8 <= bytes.len; i += 8)
        sip_word(&s, le_load_u64(bytes.ptr + i));
    sip_word(&s, last_word(bytes));
    s.v2 ^= 0xff;
    for (int round = 0; round < 4; round++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
