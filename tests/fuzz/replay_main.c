/* replay_main - a fuzz target without a fuzzer.
 *
 * Does:   feeds every file of the folder that is named on the command line to the target, so
 *         that inputs which once broke something are tried again in every build.
 * Not:    looking for new inputs: `make fuzz` does, with clang's libFuzzer.
 * Holds:  -
 * Limits: inputs of at most 16 MiB. A folder that is missing or empty is a failure.
 * See:    cmake/tests.cmake, docs/testing.md.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_BYTES_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is handed over in an allocation of exactly its size: an overrun is then seen by the
 * address sanitizer. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    uint8_t *all = malloc(INPUT_BYTES_MAX);
    size_t size = all == NULL ? 0 : fread(all, 1, INPUT_BYTES_MAX, file);
    fclose(file);
    uint8_t *exact = all == NULL ? NULL : realloc(all, size > 0 ? size : 1);
    if (exact == NULL) {
        free(all);
        return -1;
    }
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s <folder of inputs>\n", argv[0]);
        return 2;
    }
    struct dirent **names = NULL;
    int count = scandir(argv[1], &names, is_input, alphasort);
    if (count <= 0) {
        fprintf(stderr, "no inputs in %s\n", argv[1]);
        return 1;
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
        failed += replay_file(path) < 0;
        free(names[i]);
    }
    free(names);
    printf("%d inputs replayed\n", count - failed);
    return failed > 0;
}
