/* The agent's settings, pauses, sessions and messages, without a server. */
#include "agent/link.h"
#include "agent/sender.h"
#include "agent/settings.h"
#include "agent/simulate.h"
#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- settings -------------------------------------------------------------------- */

static struct arena arena;

static int load(const char *text, struct settings *out, enum setting_from *from, struct err *err)
{
    char path[] = "/tmp/keep-settings-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    arena_clear(&arena);
    int rc = agent_settings_load(path, NULL, &arena, out, from, err);
    unlink(path);
    return rc;
}

static void every_setting_has_a_default_within_its_bounds_and_a_sentence(void **state)
{
    struct settings s;
    struct err err = { 0 };
    struct buf out;

    (void)state;
    if (load("", &s, NULL, &err) != 0)
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < n_agent_settings; i++) {
        const struct setting *row = &agent_settings[i];
        size_t n = strlen(row->doc);
        assert_true(n > 10 && row->doc[n - 1] == '.');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(agent_settings[k].key, row->key);
    }
    buf_init(&out, 1 << 20);
    enum setting_from from[64] = { FROM_DEFAULT };
    assert_true(n_agent_settings < N_ITEMS(from));
    settings_print(&s, from, &out);
    assert_non_null(strstr(out.ptr, "spool.bytes: 268435456   # default."));
    buf_free(&out);
    assert_true(s.spool_bytes >= 4 * s.spool_segment);
    assert_int_equal(s.n_sources, 3);
}

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    static const struct { const char *text, *says; } wrong[] = {
        { "spool:\n  byts: 1MiB\n", "line 2: unknown setting spool.byts; did you mean spool.bytes?" },
        { "nonsense: 1\n", "unknown setting nonsense" },
        { "spool: {bytes: 1KiB}\n", "spool.bytes: 1KiB is out of range" },
        { "spool: {bytes: many}\n", "expected bytes" },
        { "send: {linger: soon}\n", "expected a length of time" },
        { "send: {coding: lzma}\n", "send.coding: expected zstd, gzip or none, found lzma" },
        { "log: {level: loud}\n", "log.level" },
        { "walls: {enabled: perhaps}\n", "expected true or false" },
        { "receive: {port: 70000}\n", "out of range" },
        { "spool: {bytes: 2MiB}\n", "less than four of spool.segment_bytes" },
        { "sources: {name: x}\n", "expected a list" },
        { "sources: [{name: x, vla: file}]\n", "sources[0]" },
        { "- 1\n", "expected settings" },
        { "receive: {port: [1]}\n", "expected one value for receive.port" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(wrong); i++) {
        struct settings s;
        struct err err = { 0 };
        assert_int_equal(load(wrong[i].text, &s, NULL, &err), -1);
        if (strstr(err.msg, wrong[i].says) == NULL)
            fail_msg("%s: %s", wrong[i].text, err.msg);
    }
}

static void the_environment_beats_the_file(void **state)
{
    enum setting_from from[64];
    struct settings s;
    struct err err = { 0 };

    (void)state;
    setenv("KEEP_AGENT_SPOOL_BYTES", "8MiB", 1);
    setenv("KEEP_AGENT_SOURCES", "[{name: tail, kind: falco, via: file, path: /var/log/falco.json}]", 1);
    int rc = load("spool: {bytes: 64MiB}\nsend: {events: 100}\n", &s, from, &err);
    unsetenv("KEEP_AGENT_SPOOL_BYTES");
    unsetenv("KEEP_AGENT_SOURCES");
    if (rc != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(s.spool_bytes, 8 << 20);
    assert_int_equal(s.send_events, 100);
    assert_int_equal(s.n_sources, 1);
    assert_string_equal(s.sources[0].path, "/var/log/falco.json");
    for (size_t i = 0; i < n_agent_settings; i++) {
        if (str_eq(agent_settings[i].key, "spool.bytes"))
            assert_int_equal(from[i], FROM_ENVIRONMENT);
        if (str_eq(agent_settings[i].key, "send.events"))
            assert_int_equal(from[i], FROM_FILE);
    }
    assert_int_equal(from[n_agent_settings], FROM_ENVIRONMENT);
}

/* ---- pauses, sessions -------------------------------------------------------------------- */

static void pauses_grow_are_bounded_and_use_the_whole_range(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 64; n++) {
        int64_t bound = n < 9 ? INT64_C(1000) << n : 300000;
        bound = bound > 300000 ? 300000 : bound;
        assert_true(backoff_ms(n, 1000, 300000, 0) <= 1);
        assert_true(backoff_ms(n, 1000, 300000, UINT32_MAX) <= bound + 1);
        assert_true(backoff_ms(n, 1000, 300000, UINT32_MAX) >= bound - 1);
    }
}

struct server { int asked; enum err_kind refuses; int64_t life_ms; };

static int ask(void *arg, struct pass_grant *out, struct err *err)
{
    struct server *s = arg;

    s->asked++;
    if (s->refuses != 0)
        return err_set(err, s->refuses, "no");
    snprintf(out->token, sizeof out->token, "token-%d", s->asked);
    out->life_ms = s->life_ms;
    return 0;
}

static void a_session_is_kept_until_it_ends_or_is_refused(void **state)
{
    struct server server = { .life_ms = 3600000 };
    struct pass *pass;
    char a[PASS_TOKEN_MAX], b[PASS_TOKEN_MAX];
    unsigned one, two;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(pass_open(ask, &server, &pass, &err), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(pass_token(pass, 0, a, &one, &err), 0);
    assert_int_equal(server.asked, 1);
    assert_int_equal(pass_token(pass, one, b, &two, &err), 0);       /* 401 */
    assert_string_not_equal(a, b);
    assert_int_equal(pass_token(pass, one, b, &two, &err), 0);       /* another thread's 401 of the old one */
    assert_int_equal(server.asked, 2);
    pass_close(pass);
}

static void after_a_failure_nobody_asks_at_once_and_a_revoked_node_never(void **state)
{
    struct server server = { .refuses = ERR_UNAVAILABLE };
    struct pass *pass;
    struct pass_status st;
    char token[PASS_TOKEN_MAX];
    unsigned generation;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(pass_open(ask, &server, &pass, &err), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pass_token(pass, 0, token, &generation, &err), -1);
    assert_true(server.asked < 100);                                 /* full jitter may be short, but grows */
    server.refuses = ERR_FORBIDDEN;
    pass_forget(pass);
    int before = server.asked;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pass_token(pass, 0, token, &generation, &err), -1);
        assert_int_equal(err.kind, ERR_FORBIDDEN);
    }
    assert_int_equal(server.asked, before + 1);
    pass_status(pass, &st);
    assert_true(st.is_revoked);
    server.refuses = 0;
    server.life_ms = 60000;
    pass_forget(pass);                                               /* enrolled anew */
    assert_int_equal(pass_token(pass, 0, token, &generation, &err), 0);
    pass_close(pass);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void a_batch_is_the_message_that_the_server_takes(void **state)
{
    struct spool_event events[] = { { 7, "{}", 2 }, { 9, "{\"a\":1}", 7 } };
    struct spool_batch b = { .stream = "0123456789abcdef0123456789abcdef", .first = 7, .last = 12, .events = events, .n = 2 };
    struct buf out;
    struct json doc;
    struct err err;

    (void)state;
    b.dropped[SPOOL_LOW][SPOOL_FULL] = 3;
    b.dropped[SPOOL_NORMAL][SPOOL_TORN] = 1;
    buf_init(&out, 1 << 20);
    batch_write(&b, &out);
    arena_clear(&arena);
    assert_int_equal(json_parse(&arena, out.ptr, out.len, NULL, &doc, &err), 0);
    assert_string_equal(out.ptr, "{\"stream\":\"0123456789abcdef0123456789abcdef\",\"first_seq\":7,\"last_seq\":12,\"events\":[{\"seq\":7},"
                        "{\"seq\":9,\"a\":1}],\"dropped\":[{\"class\":\"normal\",\"reason\":\"torn\",\"count\":1},"
                        "{\"class\":\"low\",\"reason\":\"spool_full\",\"count\":3}]}");
    buf_free(&out);
}

static void percentiles_are_an_eighth_too_high_at_most(void **state)
{
    struct simulate_times t = { 0 };

    (void)state;
    for (int64_t us = 1; us <= 100000; us++)
        simulate_time(&t, us);
    for (int p = 1; p <= 999; p++) {
        int64_t exact = 100 * p, got = simulate_percentile(&t, p);
        assert_true(got >= exact && got <= exact + exact / 7 + 8);
    }
    assert_int_equal(simulate_percentile(&t, 1000), 100000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_has_a_default_within_its_bounds_and_a_sentence),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_place),
        cmocka_unit_test(the_environment_beats_the_file),
        cmocka_unit_test(pauses_grow_are_bounded_and_use_the_whole_range),
        cmocka_unit_test(a_session_is_kept_until_it_ends_or_is_refused),
        cmocka_unit_test(after_a_failure_nobody_asks_at_once_and_a_revoked_node_never),
        cmocka_unit_test(a_batch_is_the_message_that_the_server_takes),
        cmocka_unit_test(percentiles_are_an_eighth_too_high_at_most),
    };
    struct err err;

    arena_init(&arena, 64 << 20);
    return crypto_init(&err) != 0 ? 1 : cmocka_run_group_tests_name("agent", tests, NULL, NULL);
}
