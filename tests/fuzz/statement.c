/* statement.c - any bytes as an in-toto statement.
 *
 * Oracles: what is accepted has subjects that match themselves by a well-formed
 * digest; a statement built around its predicate reads back with the same type,
 * times and digest. */
#include "base/time.h"
#include "wire/jsonw.h"
#include "wire/statement.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)
#define NOW INT64_C(1767398400000)

static void check_subjects(struct arena *arena, const struct statement *st)
{
    REQUIRE(st->n_subjects >= 1 && st->n_subjects <= SUBJECTS_MAX);
    for (size_t i = 0; i < st->n_subjects; i++) {
        const struct subject *s = &st->subjects[i];
        REQUIRE(s->name != NULL && (s->sha256 != NULL || s->sha512 != NULL));
        if (s->sha256 != NULL) {
            const char *digest = arena_printf(arena, "sha256:%s", s->sha256);
            REQUIRE(digest_is_valid(digest) && statement_matches(st, digest));
        }
        if (s->sha512 != NULL)
            REQUIRE(statement_matches(st, arena_printf(arena, "sha512:%s", s->sha512)));
    }
}

static void check_rebuilt(struct arena *arena, const struct statement *st)
{
    struct buf predicate, text;
    struct statement again;
    struct jsonw w;
    struct err err = { 0 };

    buf_init(&predicate, (size_t)16 << 20);
    buf_init(&text, (size_t)16 << 20);
    jsonw_init(&w, &predicate);
    if (st->predicate != NULL)
        jsonw_value(&w, st->predicate);
    else
        jsonw_null(&w);
    struct statement_spec spec = {
        "name", "sha256:e0f1a497a93630605f20f99b839c253e526b5eeac63ec567913167dbb6861719", st->predicate_type,
        { (const unsigned char *)predicate.ptr, predicate.len },
    };
    /* The predicate lies one level deeper than it may at most: then it is refused. */
    if (statement_build(arena, &spec, &text, &err) == 0) {
        REQUIRE(statement_parse(arena, STATEMENT_PAYLOAD_TYPE, (struct bytes){ (const unsigned char *)text.ptr, text.len },
                                &again, &err) == 0);
        REQUIRE(again.kind == st->kind && again.started_ms == st->started_ms && again.finished_ms == st->finished_ms &&
                again.db_updated_ms == st->db_updated_ms && str_eq(again.predicate_type, st->predicate_type));
        REQUIRE(statement_matches(&again, spec.subject_digest));
    } else {
        REQUIRE(err.kind == ERR_TOO_LARGE || err.kind == ERR_INVALID);
    }
    buf_free(&predicate);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct statement st;
    struct err err = { 0 };

    arena_init(&arena, (size_t)64 << 20);
    if (statement_parse(&arena, STATEMENT_PAYLOAD_TYPE, (struct bytes){ data, size }, &st, &err) == 0) {
        check_subjects(&arena, &st);
        check_rebuilt(&arena, &st);
        if (statement_check_times(&st, NOW, &err) == 0)
            REQUIRE(st.finished_ms == TIME_UNKNOWN || st.finished_ms <= NOW + 5 * MS_MINUTE);
    }
    arena_clear(&arena);
    return 0;
}
