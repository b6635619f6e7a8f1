/* tail.c - followed files: nothing lost, nothing twice. */
#include "agent/tail.h"
#include "base/buf.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64], path[128], place[128];
    struct tail *tail;
    struct buf seen;                     /* the lines, each with ';' */
    char origin[TAIL_ORIGIN];
    size_t refuse_at;                    /* refuses the line of this number, 0 never */
    size_t n;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/keep-tail-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/events.log", f->dir);
    snprintf(f->place, sizeof f->place, "%s/place", f->dir);
    buf_init(&f->seen, 64 << 20);
    *state = f;
    return 0;
}

static void remove_in(const struct fixture *f, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    unlink(path);
}

static int teardown(void **state)
{
    static const char *const names[] = { "events.log", "events.log.1", "events.log.2", "events.log.3", "place", "place.bad", "target.log",
                                         "target.log.1" };
    struct fixture *f = *state;

    tail_close(f->tail);
    for (size_t i = 0; i < N_ITEMS(names); i++)
        remove_in(f, names[i]);
    rmdir(f->dir);
    buf_free(&f->seen);
    free(f);
    return 0;
}

static void open_tail(struct fixture *f, size_t line_max, bool from_end)
{
    struct tail_opts opts = { .path = f->path, .place = f->place, .line_max = line_max, .from_end = from_end };
    struct err err = { 0 };

    tail_close(f->tail);
    f->tail = NULL;
    assert_int_equal(tail_open(&opts, &f->tail, &err), 0);
}

static void add(const char *path, const char *text)
{
    FILE *out = fopen(path, "ae");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int take(void *ctx, const char *line, size_t len, const char *origin, struct err *err)
{
    struct fixture *f = ctx;

    if (f->refuse_at > 0 && f->n + 1 == f->refuse_at)
        return err_set(err, ERR_STORAGE_FULL, "full");
    f->n++;
    buf_put(&f->seen, line, len);
    buf_putc(&f->seen, ';');
    snprintf(f->origin, sizeof f->origin, "%s", origin);
    return 0;
}

static size_t round_of(struct fixture *f)
{
    struct err err = { 0 };
    size_t n;

    assert_int_equal(tail_round(f->tail, take, f, 1000000, &n, &err), 0);
    return n;
}

static void keep(struct fixture *f)
{
    struct err err = { 0 };

    assert_int_equal(tail_keep(f->tail, &err), 0);
}

static void saw(struct fixture *f, const char *expected)
{
    assert_string_equal(f->seen.ptr != NULL ? f->seen.ptr : "", expected);
    buf_clear(&f->seen);
    if (f->seen.ptr != NULL)
        *f->seen.ptr = '\0';
}

static void rotate(struct fixture *f, const char *to)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", f->dir, to);
    assert_int_equal(rename(f->path, path), 0);
}

static struct tail_counts counts_of(const struct fixture *f)
{
    struct tail_counts c;

    tail_counts(f->tail, &c);
    return c;
}

static void lines_are_given_once(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    assert_int_equal(round_of(f), 0);
    assert_false(tail_is_open(f->tail));
    add(f->path, "a\nb\r\n\nc\n");
    assert_int_equal(round_of(f), 4);
    saw(f, "a;b;;c;");
    assert_int_equal(round_of(f), 0);
    add(f->path, "d\n");
    round_of(f);
    saw(f, "d;");
}

static void a_partial_line_waits_for_its_end(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "one\ntw");
    round_of(f);
    round_of(f);
    saw(f, "one;");
    add(f->path, "o\n");
    round_of(f);
    saw(f, "two;");
}

static void a_restart_neither_loses_nor_doubles(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a\nb\npart");
    round_of(f);
    keep(f);
    saw(f, "a;b;");
    open_tail(f, 0, false);
    add(f->path, "ial\nc\n");
    round_of(f);
    saw(f, "partial;c;");
}

static void what_may_come_again_is_known_by_its_origin(void **state)
{
    struct fixture *f = *state;
    char kept[TAIL_ORIGIN], taken[TAIL_ORIGIN];
    struct err err = { 0 };
    size_t n;

    add(f->path, "a\nb\nc\n");
    open_tail(f, 0, false);
    assert_int_equal(tail_round(f->tail, take, f, 1, &n, &err), 0);
    memcpy(kept, f->origin, sizeof kept);
    keep(f);
    assert_int_equal(tail_round(f->tail, take, f, 1, &n, &err), 0);
    memcpy(taken, f->origin, sizeof taken);
    saw(f, "a;b;");
    open_tail(f, 0, false);              /* killed between the taker's fsync and the place */
    assert_false(tail_may_repeat(f->tail, kept));
    assert_true(tail_may_repeat(f->tail, taken));
    assert_false(tail_may_repeat(f->tail, "nonsense"));
    round_of(f);
    saw(f, "b;c;");
}

static void a_rotated_file_is_read_to_its_end(void **state)
{
    struct fixture *f = *state;
    char old[256];

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    add(f->path, "b\n");
    rotate(f, "events.log.1");
    snprintf(old, sizeof old, "%s.1", f->path);
    add(f->path, "");                    /* made, but its writer still has the old one */
    add(old, "late\n");
    round_of(f);
    saw(f, "a;b;late;");
    add(old, "later\n");
    round_of(f);
    add(f->path, "new\n");
    add(old, "last");                    /* a line without an end of a file that is done */
    round_of(f);
    saw(f, "later;last;new;");
    assert_int_equal(counts_of(f).rotations, 1);
}

static void rotated_while_we_were_away(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    keep(f);
    add(f->path, "b\n");
    rotate(f, "events.log.1");
    add(f->path, "c\n");
    open_tail(f, 0, false);
    round_of(f);
    saw(f, "a;b;c;");
}

static void rotated_twice_while_we_were_away(void **state)
{
    struct fixture *f = *state;
    char first[256];

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    keep(f);
    add(f->path, "b\n");
    rotate(f, "events.log.1");
    usleep(20000);                       /* file times go in ticks */
    add(f->path, "c\n");
    snprintf(first, sizeof first, "%s.2", f->path);
    char one[256];
    snprintf(one, sizeof one, "%s.1", f->path);
    assert_int_equal(rename(one, first), 0);
    rotate(f, "events.log.1");
    usleep(20000);
    add(f->path, "d\n");
    open_tail(f, 0, false);
    round_of(f);
    saw(f, "a;b;c;d;");
    assert_int_equal(round_of(f), 0);
}

static void a_truncated_file_begins_again(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a long first line\nb\n");
    round_of(f);
    keep(f);
    assert_int_equal(truncate(f->path, 0), 0);
    add(f->path, "c\n");
    round_of(f);
    saw(f, "a long first line;b;c;");
    assert_int_equal(counts_of(f).truncations, 1);
}

static void a_file_truncated_and_longer_again_begins_again(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a\nb\n");
    round_of(f);
    keep(f);
    assert_int_equal(truncate(f->path, 0), 0);
    add(f->path, "other text, longer than before\nd\n");
    open_tail(f, 0, false);              /* even over a restart */
    round_of(f);
    saw(f, "a;b;other text, longer than before;d;");
}

static void a_line_too_long_is_skipped_and_counted(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(300001);

    memset(big, 'x', 300000);
    big[300000] = '\0';
    open_tail(f, 1000, false);
    add(f->path, "a\n");
    add(f->path, big);
    round_of(f);
    add(f->path, big);
    round_of(f);
    add(f->path, "end\nb\n");
    round_of(f);
    saw(f, "a;b;");
    assert_int_equal(counts_of(f).too_long, 1);
    big[1001] = '\0';
    add(f->path, big);
    add(f->path, "\n");
    big[1000] = '\0';
    add(f->path, big);
    add(f->path, "\n");
    round_of(f);
    assert_int_equal(f->seen.len, 1001);
    assert_int_equal(counts_of(f).too_long, 2);
    free(big);
}

static void a_refused_line_comes_again(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };
    size_t n;

    open_tail(f, 0, false);
    add(f->path, "a\nb\nc\n");
    f->refuse_at = 2;
    assert_int_equal(tail_round(f->tail, take, f, 1000, &n, &err), -1);
    assert_int_equal(err.kind, ERR_STORAGE_FULL);
    assert_int_equal(n, 1);
    keep(f);
    f->refuse_at = 0;
    round_of(f);
    saw(f, "a;b;c;");
}

static void rewinding_gives_again_what_was_not_kept(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    keep(f);
    add(f->path, "b\n");
    rotate(f, "events.log.1");
    add(f->path, "c\n");
    round_of(f);
    saw(f, "a;b;c;");
    tail_rewind(f->tail);                /* over a rotation, too */
    round_of(f);
    saw(f, "b;c;");
}

static void a_spoilt_place_begins_at_the_beginning(void **state)
{
    struct fixture *f = *state;
    char bad[160];

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    keep(f);
    assert_int_equal(truncate(f->place, 0), 0);
    add(f->place, "nonsense");
    open_tail(f, 0, false);
    round_of(f);
    saw(f, "a;a;");
    snprintf(bad, sizeof bad, "%s.bad", f->place);
    assert_int_equal(access(bad, F_OK), 0);
}

static void a_torn_place_leaves_the_one_before(void **state)
{
    struct fixture *f = *state;

    open_tail(f, 0, false);
    add(f->path, "a\n");
    round_of(f);
    keep(f);                             /* generation 1: the second slot */
    add(f->path, "b\n");
    round_of(f);
    keep(f);                             /* generation 2: the first slot */
    int fd = open(f->place, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "XXXX", 4, 20), 4);
    close(fd);
    buf_clear(&f->seen);
    open_tail(f, 0, false);
    round_of(f);
    saw(f, "b;");
}

static void a_new_file_may_begin_at_its_end(void **state)
{
    struct fixture *f = *state;

    add(f->path, "old\n");
    open_tail(f, 0, true);
    round_of(f);
    add(f->path, "new\n");
    round_of(f);
    saw(f, "new;");
}

static void a_link_is_followed_and_rotation_behind_it_seen(void **state)
{
    struct fixture *f = *state;
    char target[256], rotated[256];

    snprintf(target, sizeof target, "%s/target.log", f->dir);
    snprintf(rotated, sizeof rotated, "%s/target.log.1", f->dir);
    add(target, "a\n");
    assert_int_equal(symlink(target, f->path), 0);
    open_tail(f, 0, false);
    round_of(f);
    keep(f);
    add(target, "b\n");
    assert_int_equal(rename(target, rotated), 0);
    add(target, "c\n");
    open_tail(f, 0, false);
    round_of(f);
    saw(f, "a;b;c;");
}

static void a_folder_is_no_file(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };
    size_t n;

    assert_int_equal(mkdir(f->path, 0700), 0);
    open_tail(f, 0, false);
    assert_int_equal(tail_round(f->tail, take, f, 10, &n, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    rmdir(f->path);
}

static void what_appears_is_told(void **state)
{
    struct fixture *f = *state;
    fd_set set;
    struct timeval tv = { 2, 0 };

    open_tail(f, 0, false);
    round_of(f);
    if (tail_fd(f->tail) < 0)
        skip();
    add(f->path, "a\n");
    FD_ZERO(&set);
    FD_SET(tail_fd(f->tail), &set);
    assert_int_equal(select(tail_fd(f->tail) + 1, &set, NULL, NULL, &tv), 1);
    tail_drain(f->tail);
}

/* A writer that rotates as it likes; we read, and are restarted, as it comes. */
static void many_rotations_and_restarts_lose_nothing(void **state)
{
    struct fixture *f = *state;
    struct buf expected;
    char line[32], from[256], to[256];
    unsigned random = 12345;

    buf_init(&expected, 1 << 20);
    open_tail(f, 0, false);
    for (int i = 0; i < 400; i++) {
        random = random * 1103515245 + 12345;
        snprintf(line, sizeof line, "%d\n", i);
        add(f->path, line);
        buf_printf(&expected, "%d;", i);
        switch (random >> 16 & 15) {
        case 0:
            snprintf(from, sizeof from, "%s.1", f->path);
            snprintf(to, sizeof to, "%s.2", f->path);
            rename(from, to);
            rotate(f, "events.log.1");
            usleep(12000);
            break;
        case 1: case 2: case 3:
            round_of(f);
            keep(f);
            break;
        case 4:
            round_of(f);
            keep(f);
            open_tail(f, 0, false);
            break;
        default:
            break;
        }
    }
    round_of(f);
    assert_string_equal(f->seen.ptr, expected.ptr);
    buf_free(&expected);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(lines_are_given_once), T(a_partial_line_waits_for_its_end), T(a_restart_neither_loses_nor_doubles),
        T(what_may_come_again_is_known_by_its_origin), T(a_rotated_file_is_read_to_its_end), T(rotated_while_we_were_away),
        T(rotated_twice_while_we_were_away), T(a_truncated_file_begins_again), T(a_file_truncated_and_longer_again_begins_again),
        T(a_line_too_long_is_skipped_and_counted), T(a_refused_line_comes_again), T(rewinding_gives_again_what_was_not_kept),
        T(a_spoilt_place_begins_at_the_beginning), T(a_torn_place_leaves_the_one_before), T(a_new_file_may_begin_at_its_end),
        T(a_link_is_followed_and_rotation_behind_it_seen), T(a_folder_is_no_file), T(what_appears_is_told),
        T(many_rotations_and_restarts_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
