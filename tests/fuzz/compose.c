/* compose.c - a Compose file, its override and an .env file, with NUL bytes between.
 *
 * A file that overrides itself judges as badly as it does alone, and a variable
 * that gets a value takes nothing away from what was certain without it. */
#include "base/str.h"
#include "core/config/config.h"
#include "model/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool claim)
{
    if (!claim)
        abort();
}

/* Rules that fail, or SIZE_MAX when the files are refused. */
static size_t failing(const struct config_file *files, size_t n, const struct config_file *env)
{
    struct config_input in = { .kind = CONFIG_COMPOSE, .files = files, .n_files = n, .env = env };
    struct config_judge how = { .fail_at = PSS_BASELINE };
    struct check_answer a;
    struct config config;
    struct err err = { 0 };
    struct arena arena;
    size_t found = SIZE_MAX;

    arena_init(&arena, 1 << 30);
    if (config_read(&in, &arena, &config, &err) == 0) {
        insist(config_judge(&config, &how, &arena, &a, &err) == 0);
        found = 0;
        for (size_t i = 0; i < a.n_reasons; i++)
            found += a.reasons[i].effect == DECISION_FAIL;
    }
    arena_clear(&arena);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_file parts[3] = { { "compose.yml", "", 0 }, { "compose.override.yml", "", 0 }, { ".env", "", 0 } };
    const char *p = (const char *)data, *end = p + size;

    if (size == 0 || size > 20000)
        return 0;
    for (size_t i = 0; i < N_ITEMS(parts) && p <= end; i++) {
        const char *stop = i < 2 ? memchr(p, 0, (size_t)(end - p)) : NULL;
        stop = stop != NULL ? stop : end;
        parts[i].text = p;
        parts[i].len = (size_t)(stop - p);
        p = stop + 1;
    }
    size_t alone = failing(parts, 1, NULL);
    struct config_file twice[2] = { parts[0], { "again.yml", parts[0].text, parts[0].len } };
    size_t doubled = failing(twice, 2, NULL);
    insist((alone == SIZE_MAX) == (doubled == SIZE_MAX) || alone == SIZE_MAX);
    insist(alone == SIZE_MAX || doubled == SIZE_MAX || doubled >= alone || alone > 1000);
    failing(parts, 2, &parts[2]);
    return 0;
}
