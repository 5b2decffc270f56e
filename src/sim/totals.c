/* totals - what is said of a seed and of many.
 *
 * Does:   see totals.h.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    totals.h.
 */
#include "sim/totals.h"

#define ULL unsigned long long

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole;
}

/* The name of an error by its number; NULL when there is none. */
static const char *error_name(unsigned number)
{
    enum err err = E_OK;
    return number == 0 || err_from_number(number, &err) ? err_name(err) : NULL;
}

void totals_add(struct totals *totals, const struct run_result *result)
{
    totals->seeds++;
    totals->violations += result->verdict.bad ? 1 : 0;
    totals->worst = verdict_worse(totals->worst, verdict_kind(&result->verdict));
    totals->ops += result->ops;
    totals->answered += result->answered;
    totals->unknowns += result->unknowns;
    totals->writes += result->writes;
    totals->steps += result->steps;
    totals->virtual_us += result->virtual_us;
    totals->purged += result->purged;
    totals->walks += result->walks;
    totals->parked += result->parked;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        totals->faults[i] += result->faults[i];
    for (uint32_t i = 0; i < 64; i++)
        totals->errors[i] += result->errors[i];
    for (uint32_t i = 0; i < MARK_COUNT; i++)
        totals->marks[i] += result->marks[i] > 0 ? 1 : 0;
}

void totals_print(const struct totals *totals, double seconds, FILE *out)
{
    fputs("faults:", out);
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        fprintf(out, " %s %llu", fault_word((enum fault)i), (ULL)totals->faults[i]);
    fputs("\nanswers:", out);
    for (unsigned i = 0; i < 64; i++) {
        if (totals->errors[i] > 0 && error_name(i) != NULL)
            fprintf(out, " %s %llu", error_name(i), (ULL)totals->errors[i]);
    }
    fprintf(out,
            "\n%llu writes, %llu parked, %llu walks, %llu purged (of processes that lived to the "
            "last fault)\n",
            (ULL)totals->writes, (ULL)totals->parked, (ULL)totals->walks, (ULL)totals->purged);
    double least = seconds > 0.001 ? seconds : 0.001;
    fprintf(out,
            "%llu seeds, %llu violations, %llu ops, %.1f %% answered, %llu unknown, %llu steps, "
            "%.0f steps/s, %.0f cluster-seconds/s, %.0f s\n",
            (ULL)totals->seeds, (ULL)totals->violations, (ULL)totals->ops,
            percent(totals->answered, totals->ops), (ULL)totals->unknowns, (ULL)totals->steps,
            (double)totals->steps / least, (double)totals->virtual_us / 1e6 / least, seconds);
}

uint32_t totals_print_marks(const struct totals *totals, bool all, FILE *out)
{
    uint32_t never = 0;
    for (uint32_t i = 0; i < MARK_COUNT; i++) {
        if (totals->marks[i] == 0)
            never++;
        if (totals->marks[i] == 0 || all)
            fprintf(out, "  %-25s %6llu  %s\n", mark_name((enum mark)i), (ULL)totals->marks[i],
                    mark_sentence((enum mark)i));
    }
    fprintf(out, "%u of %u marks were never reached\n", never, (unsigned)MARK_COUNT);
    return never;
}

void totals_print_seed(uint64_t seed, const struct run_result *result, FILE *out)
{
    uint64_t faults = 0;
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        faults += result->faults[i];
    fprintf(out,
            "seed %llu: %u nodes, %u shards, %.1f s, %llu ops, %.1f %% answered, %llu unknown, "
            "%llu retries, %llu faults, %llu steps, hash %016llx\n",
            (ULL)seed, result->nodes, result->shards, (double)result->virtual_us / 1e6,
            (ULL)result->ops, percent(result->answered, result->ops), (ULL)result->unknowns,
            (ULL)result->retries, (ULL)faults, (ULL)result->steps, (ULL)result->hash);
}

void totals_print_violation(const struct options *options, uint64_t seed,
                            const struct run_result *result, FILE *out)
{
    fprintf(out, "VIOLATION %s, seed %llu (%s; %u nodes, %u shards, at %.3f s): %s\n  repeat: ",
            result->verdict.invariant, (ULL)seed, verdict_word(verdict_kind(&result->verdict)),
            result->nodes, result->shards, (double)result->virtual_us / 1e6, result->verdict.text);
    options_repeat(options, seed, out);
    fputc('\n', out);
}

/* ---- JSON ---- */

/* Keys of clients are any bytes: what is not plain ASCII is told as a question mark. */
static void json_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text >= 0x20 && *text <= 0x7e ? *text : '?', out);
    }
    fputc('"', out);
}

static void json_violation(enum verdict_kind kind, const char *invariant, const char *text,
                           FILE *out)
{
    fputs("{\"kind\":", out);
    json_text(verdict_word(kind), out);
    fputs(",\"invariant\":", out);
    json_text(invariant, out);
    fputs(",\"text\":", out);
    json_text(text, out);
    fputc('}', out);
}

static void json_faults(const struct run_result *result, FILE *out)
{
    fputs(",\"faults\":{", out);
    for (uint32_t i = 0; i < FAULT_COUNT; i++)
        fprintf(out, "%s\"%s\":%llu", i > 0 ? "," : "", fault_word((enum fault)i),
                (ULL)result->faults[i]);
    fputc('}', out);
}

static void json_answers(const struct run_result *result, FILE *out)
{
    const char *comma = "";
    fputs(",\"answers\":{", out);
    for (unsigned i = 0; i < 64; i++) {
        if (result->errors[i] == 0 || error_name(i) == NULL)
            continue;
        fprintf(out, "%s\"%s\":%llu", comma, error_name(i), (ULL)result->errors[i]);
        comma = ",";
    }
    fputc('}', out);
}

/* All of them: a 0 says that there is such a mark. One that was reached counts once. */
static void json_marks(const struct run_result *result, FILE *out)
{
    fputs(",\"marks\":{", out);
    for (uint32_t i = 0; i < MARK_COUNT; i++)
        fprintf(out, "%s\"%s\":%d", i > 0 ? "," : "", mark_name((enum mark)i),
                result->marks[i] > 0);
    fputc('}', out);
}

void totals_json(uint64_t seed, const struct run_result *result, FILE *out)
{
    fprintf(out,
            "{\"seed\":%llu,\"hash\":\"%016llx\",\"nodes\":%u,\"shards\":%u,\"virtual_us\":%llu,"
            "\"steps\":%llu,\"ops\":%llu,\"answered\":%llu,\"unknown\":%llu,\"timeouts\":%llu,"
            "\"retries\":%llu,\"writes\":%llu,\"parked\":%llu,\"walks\":%llu,\"purged\":%llu",
            (ULL)seed, (ULL)result->hash, result->nodes, result->shards, (ULL)result->virtual_us,
            (ULL)result->steps, (ULL)result->ops, (ULL)result->answered, (ULL)result->unknowns,
            (ULL)result->timeouts, (ULL)result->retries, (ULL)result->writes, (ULL)result->parked,
            (ULL)result->walks, (ULL)result->purged);
    json_faults(result, out);
    json_answers(result, out);
    json_marks(result, out);
    fputs(",\"violation\":", out);
    if (result->verdict.bad)
        json_violation(verdict_kind(&result->verdict), result->verdict.invariant,
                       result->verdict.text, out);
    else
        fputs("null", out);
    fputs("}\n", out);
}

void totals_json_crash(uint64_t seed, const char *what, const char *file, int line, FILE *out)
{
    char text[256];
    snprintf(text, sizeof text, "%s at %s:%d", what, file, line);
    fprintf(out, "{\"seed\":%llu,\"violation\":", (ULL)seed);
    json_violation(VERDICT_CRASH, "assertion", text, out);
    fputs("}\n", out);
}
