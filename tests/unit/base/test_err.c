/* test_err - the table of errors.
 *
 * Does:   numbers are unique, ascending and fit one byte; every row is found by its number and
 *         by its value; statuses and sentences are of the right shape; the sentences that are
 *         part of the contract stand as promised.
 * Not:    -
 * Holds:  -
 * Limits: -
 * See:    base/err.def; docs/api.md.
 */
#include "unit.h"

struct row {
    const char *name;
    int number;
    int http;
    const char *resp;
    const char *sentence;
    enum err err;
};

static const struct row rows[] = {
#define E(name, number, http, resp, sentence) {#name, number, http, resp, sentence, name},
#include "base/err.def"
#undef E
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void numbers_ascend_and_fit_a_byte(void **state)
{
    (void)state;
    int last = 0;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(rows[i].number > last);
        assert_true(rows[i].number <= 255);
        assert_int_equal(rows[i].err, -rows[i].number);
        last = rows[i].number;
    }
}

static void rows_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        enum err err = E_OK;
        assert_true(err_from_number((unsigned)rows[i].number, &err));
        assert_int_equal(err, rows[i].err);
        assert_string_equal(err_name(err), rows[i].name);
        assert_string_equal(err_sentence(err), rows[i].sentence);
        assert_string_equal(err_resp_word(err), rows[i].resp);
        assert_int_equal(err_http_status(err), rows[i].http);
    }
    assert_int_equal(err_http_status(E_OK), 200);
    assert_string_equal(err_name(E_OK), "E_OK");
    expect_assert_failure(err_name((enum err)1));
}

static void unknown_numbers_are_not_errors(void **state)
{
    (void)state;
    size_t found = 0;
    for (unsigned number = 0; number < 1000; number++) {
        enum err err = E_NO_VALUE;
        bool known = err_from_number(number, &err);
        found += known;
        if (!known)
            assert_int_equal(err, E_NO_VALUE);
    }
    assert_int_equal(found, ROWS);
}

static void statuses_and_sentences_have_their_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = rows[i].sentence;
        assert_in_range(rows[i].http, 400, 599);
        assert_true(strlen(text) > 5);
        assert_true(text[strlen(text) - 1] != '.');
        for (size_t j = 0; text[j] != '\0'; j++)
            assert_true(text[j] >= ' ' && text[j] != '"' && text[j] != '\\');
        for (size_t j = 0; rows[i].resp[j] != '\0'; j++)
            assert_in_range(rows[i].resp[j], 'A', 'Z');
    }
}

/* Clients of this API compare these (docs/api.md section 2, rows marked C). */
static void the_contract_stands(void **state)
{
    (void)state;
    assert_string_equal(err_sentence(E_NO_VALUE), "PUT request does not specify a value");
    assert_string_equal(err_sentence(E_KEY_TOO_LONG), "Key is too long");
    assert_string_equal(err_sentence(E_KEY_MISSING), "Key does not exist");
    assert_string_equal(err_sentence(E_NOT_COVERED),
                        "Causal dependencies not satisfied; try again later");
    assert_int_equal(err_http_status(E_NO_VALUE), 400);
    assert_int_equal(err_http_status(E_KEY_TOO_LONG), 400);
    assert_int_equal(err_http_status(E_KEY_MISSING), 404);
    assert_int_equal(err_http_status(E_NOT_COVERED), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_ascend_and_fit_a_byte),
        cmocka_unit_test(rows_are_found),
        cmocka_unit_test(unknown_numbers_are_not_errors),
        cmocka_unit_test(statuses_and_sentences_have_their_shape),
        cmocka_unit_test(the_contract_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
