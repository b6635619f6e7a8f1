/* tail_kill.c - a file that is written and rotated, followed into a real spool by a process
 * that is killed (SIGKILL) again and again: in the end each line is in the spool, once. */
#include "agent/source.h"
#include "agent/spool.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/time.h"
#include "wire/json.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 40, LINES_MAX = 200000, ROUND_LINES = 200 };

static char dir[64], path[128], spool_dir[128];

struct keeper {
    struct spool *spool;
    struct spool_group group;
    struct sources *sources;
};

static int put(void *ctx, enum event_class class, const char *json, size_t len, struct err *err)
{
    struct keeper *k = ctx;

    return spool_put(k->spool, &k->group, (enum spool_class)class, json, len, err);
}

static int sync_all(void *ctx, struct err *err)
{
    struct keeper *k = ctx;
    int rc = spool_commit(k->spool, &k->group, err);

    spool_begin(k->spool, &k->group);
    return rc;
}

static void resume(void *ctx, const char *json, size_t len)
{
    struct keeper *k = ctx;
    struct arena arena;
    struct json doc;
    struct err err = { 0 };

    arena_init(&arena, 1 << 20);
    if (json_parse(&arena, json, len, NULL, &doc, &err) == 0)
        sources_resume(k->sources, json_get_str(&doc, "origin", NULL));
    arena_clear(&arena);
}

static int open_keeper(struct keeper *k, struct err *err)
{
    const struct source_setting setting = { "log", EVENT_SOURCE_N, SOURCE_VIA_FILE, path, false };
    const struct spool_limits limits = { .bytes = (int64_t)256 << 20, .segment_bytes = (int64_t)8 << 20 };
    struct sources_opts opts = { .settings = &setting, .n = 1, .dir = dir, .keeper = { k, put, sync_all } };

    if (spool_open(spool_dir, &limits, &k->spool, err) != 0 || sources_open(&opts, &k->sources, err) != 0)
        return -1;
    spool_begin(k->spool, &k->group);
    return spool_each(k->spool, resume, k, err);
}

/* The follower: for ever, or until there is nothing more to read. */
static void follow(bool to_the_end)
{
    struct keeper k = { 0 };
    struct err err = { 0 };
    size_t n;

    if (open_keeper(&k, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        _exit(1);
    }
    for (;;) {
        if (sources_round(k.sources, ROUND_LINES, &n, &err) != 0)
            _exit(2);
        if (n == 0 && to_the_end)
            break;
        if (n == 0)
            sources_wait(k.sources, 20);
    }
    sources_close(k.sources);
    spool_close(k.spool);
    _exit(0);
}

static pid_t start(bool to_the_end)
{
    pid_t pid = fork();

    if (pid == 0)
        follow(to_the_end);
    assert_true(pid > 0);
    return pid;
}

static int write_lines(int from, unsigned *random)
{
    static const char *const priorities[] = { "Critical", "Notice", "Debug" };
    FILE *out = fopen(path, "ae");

    *random = *random * 1103515245 + 12345;
    int n = (int)(*random >> 16 & 255);
    for (int i = from; i < from + n; i++)
        fprintf(out, "{\"rule\":\"%d\",\"priority\":\"%s\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{\"a\":1}}\n", i, priorities[i % 3]);
    fclose(out);
    return from + n;
}

static void rotate(int n)
{
    char to[160];

    snprintf(to, sizeof to, "%s.%d", path, n);
    rename(path, to);
}

static void follow_to_the_end(void)
{
    int status;
    pid_t pid = start(true);

    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void count_lines(uint8_t *seen, size_t *total)
{
    const struct spool_limits limits = { .bytes = (int64_t)256 << 20, .segment_bytes = (int64_t)8 << 20 };
    struct spool *spool = NULL;
    struct spool_batch batch;
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, (size_t)64 << 20);
    assert_int_equal(spool_open(spool_dir, &limits, &spool, &err), 0);
    while (spool_peek(spool, 1000, 4 << 20, &arena, &batch, &err) == 1) {
        for (size_t i = 0; i < batch.n; i++) {
            struct json doc;
            assert_int_equal(json_parse(&arena, batch.events[i].json, batch.events[i].len, NULL, &doc, &err), 0);
            long id = strtol(json_get_str(&doc, "rule", "-1"), NULL, 10);
            assert_true(id >= 0 && id < LINES_MAX);
            seen[id]++;
            ++*total;
        }
        assert_int_equal(spool_ack(spool, batch.last, &err), 0);
        arena_reset(&arena);
    }
    spool_close(spool);
    arena_clear(&arena);
}

static void killed_again_and_again_each_line_is_kept_once(void **state)
{
    static uint8_t seen[LINES_MAX];
    unsigned random = 7;
    int written = 0, status;
    size_t total = 0, lost = 0, twice = 0;

    (void)state;
    written = write_lines(written, &random);
    follow_to_the_end();                 /* a file that was never followed begins with what is at its path */
    for (int i = 0; i < KILLS; i++) {
        pid_t pid = start(false);
        for (int k = 0; k < 4; k++) {
            written = write_lines(written, &random);
            random = random * 1103515245 + 12345;
            usleep(random >> 16 & 32767);
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (i % 5 == 4)
            rotate(i);
    }
    written = write_lines(written, &random);
    follow_to_the_end();
    count_lines(seen, &total);
    for (int i = 0; i < written; i++) {
        lost += seen[i] == 0;
        twice += seen[i] > 1;
    }
    printf("%d lines written, %d kills: %zu events, %zu lost, %zu twice\n", written, KILLS, total, lost, twice);
    assert_int_equal(lost, 0);
    assert_int_equal(twice, 0);
    assert_int_equal(total, written);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(name);
}

static int setup(void **state)
{
    struct err err = { 0 };

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/keep-tail-kill-XXXXXX");
    if (crypto_init(&err) != 0 || mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/events.log", dir);
    snprintf(spool_dir, sizeof spool_dir, "%s/spool", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(killed_again_and_again_each_line_is_kept_once, setup, teardown) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
