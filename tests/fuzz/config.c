/* config.c - any bytes as a configuration of any kind (the first byte says which).
 *
 * What is read can be judged; every reason has a file, a line within it, words and
 * a rule; the decision is that of the worst reason; judging twice gives the same. */
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

static int64_t lines_of(const struct config_file *f)
{
    int64_t n = 1;

    for (size_t i = 0; i < f->len; i++)
        n += f->text[i] == '\n';
    return n;
}

static void check_answer(const struct check_answer *a, const struct config_file *f)
{
    int64_t lines = lines_of(f);

    insist(a->n_reasons > 0 ? a->decision == a->reasons[0].effect : a->decision == DECISION_PASS);
    for (size_t i = 0; i < a->n_reasons; i++) {
        const struct check_reason *r = &a->reasons[i];
        insist(r->message != NULL && r->message[0] != '\0' && str_is_utf8(r->message, strlen(r->message)) && strchr(r->message, 1) == NULL);
        insist(r->rule != NULL && r->policy != NULL && r->path != NULL && r->effect != DECISION_PASS);
        insist(str_eq(r->file, f->name) && r->line >= 1 && r->line <= lines && r->column >= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_file file = { "input", (const char *)data + 1, size - 1 };
    struct config_input in = { .files = &file, .n_files = 1 };
    struct config_judge how = { .fail_at = PSS_BASELINE };
    struct check_answer first, second;
    struct config config;
    struct err err = { 0 };
    struct arena arena;

    if (size == 0 || size > 20000)
        return 0;
    in.kind = (enum config_kind)(data[0] % CONFIG_KIND_N);
    arena_init(&arena, 1 << 30);
    if (config_read(&in, &arena, &config, &err) == 0) {
        insist(config_judge(&config, &how, &arena, &first, &err) == 0);
        check_answer(&first, &file);
        insist(config_judge(&config, &how, &arena, &second, &err) == 0 && first.n_reasons == second.n_reasons && first.decision == second.decision);
    } else {
        insist(err.msg[0] != '\0' && str_is_utf8(err.msg, strlen(err.msg)));
    }
    arena_clear(&arena);
    return 0;
}
