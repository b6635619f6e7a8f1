/* reload.c - SIGHUP at a running keepd: what it takes, names and refuses. */
#include "tests/flow/upload.h"

#include <signal.h>

static int open_with_config(void **state)
{
    static char path[80];
    struct fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    keepd_open(&t->keepd, NULL, getenv("KEEP_FLOW_PG") != NULL);
    buf_init(&t->body, 1 << 20);
    snprintf(path, sizeof path, "%s/keep.yaml", t->keepd.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("log: {level: info}\n", f);
    fclose(f);
    assert_int_equal(keepd_stop(&t->keepd, SIGTERM, 20000), 0);
    t->keepd.config = path;
    keepd_start(&t->keepd);
    client_init(&t->client, t->keepd.port);
    *state = t;
    return 0;
}

static int times_logged(const struct fixture *t, const char *what)
{
    char path[100], line[4200];
    int n = 0;

    snprintf(path, sizeof path, "%s.log", t->keepd.dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        n += strstr(line, what) != NULL;
    fclose(f);
    return n;
}

/* Writes the file, tells keepd, waits until it said so once more. */
static void reload_as(struct fixture *t, const char *text, const char *said)
{
    int before = times_logged(t, said);
    FILE *f = fopen(t->keepd.config, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(kill(t->keepd.pid, SIGHUP), 0);
    for (int i = 0; i < 200 && times_logged(t, said) == before; i++)
        nap_ms(20);
    assert_int_equal(times_logged(t, said), before + 1);
    get(t, "/v1/images", 200);
}

static void the_file_is_read_again(void **state)
{
    struct fixture *t = *state;

    reload_as(t, "log: {level: debug}\n", "\"log.level\":\"debug\"");
    reload_as(t, "log: {level: info}\n", "\"log.level\":\"info\"");
    assert_int_equal(times_logged(t, "needs a restart"), 0);
}

static void what_needs_a_restart_is_named(void **state)
{
    struct fixture *t = *state;

    reload_as(t, "queue: {write: 77}\n", "\"setting\":\"queue.write\"");
    assert_int_equal(times_logged(t, "needs a restart"), 1);
}

static void what_is_wrong_changes_nothing(void **state)
{
    struct fixture *t = *state;

    reload_as(t, "log: {level: loud}\n", "the old configuration stays");
    reload_as(t, "log: {levl: info}\n", "did you mean log.level?");
    reload_as(t, "log: [\n", "the old configuration stays");
    assert_int_equal(times_logged(t, "configuration reloaded"), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_with_config, fixture_close)
    const struct CMUnitTest tests[] = {
        T(the_file_is_read_again), T(what_needs_a_restart_is_named), T(what_is_wrong_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
