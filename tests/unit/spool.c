/* The spool: every number is sent or counted, whatever happens to the process and its files. */
#include "agent/spool.h"
#include "base/crypto.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 128 << 10 };

static const struct spool_limits small = { .bytes = 8 * SEGMENT, .segment_bytes = SEGMENT };

struct fixture {
    char dir[64];
    struct spool *spool;
    struct arena arena;
    struct err err;
};

static int setup(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);

    snprintf(t->dir, sizeof t->dir, "/tmp/keep-spool-XXXXXX");
    if (mkdtemp(t->dir) == NULL)
        return -1;
    arena_init(&t->arena, 64 << 20);
    *state = t;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *t = *state;

    spool_close(t->spool);
    nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_clear(&t->arena);
    free(t);
    return 0;
}

static void start(struct fixture *t, const struct spool_limits *limits)
{
    spool_close(t->spool);
    t->spool = NULL;
    if (spool_open(t->dir, limits, &t->spool, &t->err) != 0)
        fail_msg("%s", t->err.msg);
}

static int64_t put(struct fixture *t, enum spool_class class, const char *json)
{
    int64_t seq = 0;

    if (spool_append(t->spool, class, json, strlen(json), &seq, &t->err) != 0)
        fail_msg("%s", t->err.msg);
    return seq;
}

static void put_size(struct fixture *t, enum spool_class class, size_t size)
{
    char *text = malloc(size + 1);

    snprintf(text, size + 1, "{\"x\":\"%0*d\"}", (int)size - 8, 0);
    put(t, class, text);
    free(text);
}

static int64_t sum(spool_counts c)
{
    int64_t n = 0;

    for (int k = 0; k < SPOOL_CLASS_N; k++)
        for (int r = 0; r < SPOOL_REASON_N; r++)
            n += c[k][r];
    return n;
}

static int peek(struct fixture *t, size_t n, struct spool_batch *b)
{
    arena_clear(&t->arena);
    int rc = spool_peek(t->spool, n, 1 << 20, &t->arena, b, &t->err);
    if (rc < 0)
        fail_msg("%s", t->err.msg);
    if (rc == 1)
        assert_int_equal((int64_t)b->n + sum(b->dropped), b->last - b->first + 1);
    return rc;
}

static void ack(struct fixture *t, int64_t through)
{
    if (spool_ack(t->spool, through, &t->err) != 0)
        fail_msg("%s", t->err.msg);
}

static void what_goes_in_comes_out_once_and_in_order(void **state)
{
    struct fixture *t = *state;
    struct spool_batch b;
    int64_t expected = 1;

    start(t, &small);
    for (int i = 0; i < 1000; i++) {
        char text[40];
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        assert_int_equal(put(t, (enum spool_class)(i % 3), text), i + 1);
    }
    while (peek(t, 77, &b) == 1) {
        assert_int_equal(b.first, expected);
        for (size_t i = 0; i < b.n; i++) {
            char text[40];
            snprintf(text, sizeof text, "{\"i\":%d}", (int)expected - 1);
            assert_int_equal(b.events[i].seq, expected++);
            assert_string_equal(b.events[i].json, text);
        }
        ack(t, b.last);
    }
    assert_int_equal(expected, 1001);
}

static void an_unacknowledged_batch_comes_again_unchanged_also_after_a_restart(void **state)
{
    struct fixture *t = *state;
    struct spool_batch a, b;
    char stream[SPOOL_STREAM_TEXT];

    start(t, &small);
    for (int i = 0; i < 20; i++)
        put(t, SPOOL_NORMAL, "{\"a\":1}");
    assert_int_equal(peek(t, 10, &a), 1);
    memcpy(stream, a.stream, sizeof stream);
    for (int i = 0; i < 20; i++)
        put(t, SPOOL_CRITICAL, "{\"b\":1}");
    for (int round = 0; round < 3; round++) {
        assert_int_equal(peek(t, 1000, &b), 1);
        assert_int_equal(b.first, 1);
        assert_int_equal(b.last, 10);
        assert_int_equal(b.n, 10);
        assert_string_equal(b.stream, stream);
        start(t, &small);
    }
    assert_int_equal(peek(t, 1000, &b), 1);
    ack(t, 10);
    assert_int_equal(peek(t, 1000, &b), 1);
    assert_int_equal(b.first, 11);
    assert_int_equal(b.last, 40);
    ack(t, 40);
    assert_int_equal(peek(t, 1000, &b), 0);
}

static void low_goes_first_and_oldest_first_and_critical_never(void **state)
{
    struct fixture *t = *state;
    struct spool_status st;

    start(t, &small);
    for (int i = 0; i < 6; i++)                                  /* two segments each */
        put_size(t, SPOOL_LOW, 40000);
    for (int i = 0; i < 6; i++)
        put_size(t, SPOOL_NORMAL, 40000);
    for (int i = 0; i < 12; i++)
        put_size(t, SPOOL_CRITICAL, 40000);                      /* four: the folder is full now */
    spool_status(t->spool, &st);
    assert_int_equal(sum(st.dropped), 0);
    put_size(t, SPOOL_CRITICAL, 40000);
    spool_status(t->spool, &st);
    assert_int_equal(st.dropped[SPOOL_LOW][SPOOL_FULL], 3);      /* the oldest segment of the lowest class */
    for (int i = 0; i < 8; i++)
        put_size(t, SPOOL_CRITICAL, 40000);
    spool_status(t->spool, &st);
    assert_int_equal(st.dropped[SPOOL_LOW][SPOOL_FULL], 6);
    assert_int_equal(st.dropped[SPOOL_NORMAL][SPOOL_FULL], 3);
    put_size(t, SPOOL_LOW, 40000);                               /* never for the sake of a lower class: it goes itself */
    spool_status(t->spool, &st);
    assert_int_equal(st.dropped[SPOOL_LOW][SPOOL_FULL], 7);
    assert_int_equal(st.dropped[SPOOL_NORMAL][SPOOL_FULL], 3);
    for (int i = 0; i < 3; i++)
        put_size(t, SPOOL_CRITICAL, 40000);
    char text[40000];
    snprintf(text, sizeof text, "{\"x\":\"%0*d\"}", (int)sizeof text - 9, 0);
    assert_int_equal(spool_append(t->spool, SPOOL_CRITICAL, text, strlen(text), NULL, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_STORAGE_FULL);
    spool_status(t->spool, &st);
    assert_int_equal(st.dropped[SPOOL_CRITICAL][SPOOL_REFUSED], 1);
    assert_true(st.is_full);
    assert_int_equal(st.class_events[SPOOL_CRITICAL], 24);
    assert_int_equal(spool_append(t->spool, SPOOL_CRITICAL, text, strlen(text), NULL, &t->err), -1);   /* at once, and uncounted */
    struct spool_batch b;
    int64_t n = 0, dropped = 0;
    while (peek(t, 100, &b) == 1) {
        n += (int64_t)b.n;
        dropped += sum(b.dropped);
        ack(t, b.last);
    }
    assert_int_equal(n, 24);
    assert_int_equal(dropped, 7 + 6 + 1);
    put_size(t, SPOOL_CRITICAL, 40000);                          /* there is room again */
}

static void the_batch_on_its_way_is_not_dropped(void **state)
{
    struct fixture *t = *state;
    struct spool_batch a, b;

    start(t, &small);
    for (int i = 0; i < 24; i++)
        put_size(t, SPOOL_LOW, 40000);
    assert_int_equal(peek(t, 5, &a), 1);
    for (int i = 0; i < 40; i++)
        put_size(t, SPOOL_LOW, 40000);
    assert_int_equal(peek(t, 5, &b), 1);
    assert_int_equal(a.last, b.last);
    assert_int_equal(b.n, 5);
}

/* ---- torn and damaged ---------------------------------------------------------------- */

static void first_segment(const struct fixture *t, char out[400])
{
    DIR *d = opendir(t->dir);

    out[0] = '\0';
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, "normal-", 7) == 0)
            snprintf(out, 400, "%s/%s", t->dir, e->d_name);
    closedir(d);
    assert_true(out[0] != '\0');
}

static void copy_dir(const char *from, const char *to)
{
    DIR *d = opendir(from);
    char a[400], b[400], data[8192];

    mkdir(to, 0700);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(a, sizeof a, "%s/%s", from, e->d_name);
        snprintf(b, sizeof b, "%s/%s", to, e->d_name);
        int in = open(a, O_RDONLY), out = open(b, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        for (ssize_t n; (n = read(in, data, sizeof data)) > 0;)
            assert_int_equal(write(out, data, (size_t)n), n);
        close(in);
        close(out);
    }
    closedir(d);
}

/* Opens a copy whose segment was treated so; returns how many of the first events came out. */
static size_t after_damage(struct fixture *t, off_t cut, off_t flip, int64_t *dropped)
{
    struct fixture c = { 0 };
    struct spool_batch b;
    char path[400];

    snprintf(c.dir, sizeof c.dir, "%.50s.copy", t->dir);
    nftw(c.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    copy_dir(t->dir, c.dir);
    first_segment(&c, path);
    if (cut >= 0)
        assert_int_equal(truncate(path, cut), 0);
    if (flip >= 0) {
        unsigned char byte;
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, flip), 1);
        byte ^= 0x41;
        assert_int_equal(pwrite(fd, &byte, 1, flip), 1);
        close(fd);
    }
    arena_init(&c.arena, 64 << 20);
    start(&c, &small);
    size_t n = 0;
    *dropped = 0;
    while (peek(&c, 100, &b) == 1) {
        for (size_t i = 0; i < b.n; i++)
            assert_true(str_starts(b.events[i].json, "{\"event\":"));
        n += b.n;
        *dropped += sum(b.dropped);
        ack(&c, b.last);
    }
    put(&c, SPOOL_NORMAL, "{\"event\":99}");                    /* and goes on */
    assert_int_equal(peek(&c, 100, &b), 1);
    assert_int_equal(b.n, 1);
    spool_close(c.spool);
    arena_clear(&c.arena);
    nftw(c.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return n;
}

static off_t three_events(struct fixture *t, char path[400])
{
    struct stat st;

    start(t, &small);
    put(t, SPOOL_NORMAL, "{\"event\":1,\"text\":\"the first\"}");
    put(t, SPOOL_NORMAL, "{\"event\":2}");
    put(t, SPOOL_NORMAL, "{\"event\":3,\"text\":\"the third, a little longer\"}");
    spool_close(t->spool);
    t->spool = NULL;
    first_segment(t, path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void a_tail_torn_at_any_byte_costs_only_what_was_torn(void **state)
{
    struct fixture *t = *state;
    char path[400];
    off_t size = three_events(t, path);
    int64_t dropped;
    size_t before = 3;

    assert_int_equal(size, 64 + 56 + 40 + 72);
    for (off_t cut = size; cut >= 0; cut--) {
        size_t n = after_damage(t, cut, -1, &dropped);
        assert_true(n <= before);
        before = n;
        size_t whole = cut >= size ? 3 : cut >= 160 ? 2 : cut >= 120 ? 1 : 0;
        assert_int_equal(n, whole);
        assert_int_equal((int64_t)n + dropped, 3);               /* closed in order: the spool knows how many there were */
    }
}

static void damage_at_any_byte_costs_one_event_which_is_counted(void **state)
{
    struct fixture *t = *state;
    char path[400];
    off_t size = three_events(t, path);
    int64_t dropped;

    for (off_t at = 0; at < size; at++) {
        size_t n = after_damage(t, -1, at, &dropped);
        assert_true(n >= 2);
        assert_int_equal((int64_t)n + dropped, 3);
    }
}

static void a_lost_state_file_starts_a_new_stream_and_loses_no_event(void **state)
{
    struct fixture *t = *state;
    struct spool_batch a, b;
    char path[200];

    start(t, &small);
    for (int i = 0; i < 10; i++)
        put(t, SPOOL_NORMAL, "{\"event\":1}");
    assert_int_equal(peek(t, 4, &a), 1);
    ack(t, a.last);
    assert_int_equal(peek(t, 4, &b), 1);
    spool_close(t->spool);
    t->spool = NULL;
    snprintf(path, sizeof path, "%s/state", t->dir);
    unlink(path);
    start(t, &small);
    assert_int_equal(peek(t, 100, &b), 1);
    assert_string_not_equal(a.stream, b.stream);
    assert_int_equal(b.first, 1);
    assert_int_equal(b.n, 10);                                   /* four of them again: lost is worse than twice */
}

static void what_the_server_lost_is_counted_when_we_no_longer_have_it(void **state)
{
    struct fixture *t = *state;
    struct spool_batch b;

    start(t, &small);
    for (int i = 0; i < 12; i++)
        put_size(t, SPOOL_NORMAL, 40000);                        /* three to a segment */
    assert_int_equal(peek(t, 5, &b), 1);
    ack(t, b.last);
    assert_int_equal(peek(t, 1, &b), 1);
    assert_int_equal(b.first, 6);
    assert_int_equal(spool_rewind(t->spool, 2, &t->err), 0);
    assert_int_equal(peek(t, 100, &b), 1);
    assert_int_equal(b.first, 2);
    assert_int_equal(b.last, 12);
    assert_int_equal(b.dropped[SPOOL_NORMAL][SPOOL_SERVER_LOST], 2);      /* 2 and 3 are gone, 4 and 5 still there */
    assert_int_equal(b.n, 9);
    assert_int_equal(spool_rewind(t->spool, 100, &t->err), -1);
}

static void a_server_that_is_ahead_of_us_gets_a_new_stream(void **state)
{
    struct fixture *t = *state;
    struct spool_batch a, b;

    start(t, &small);
    put(t, SPOOL_NORMAL, "{\"event\":1}");
    assert_int_equal(peek(t, 10, &a), 1);
    assert_int_equal(spool_ack(t->spool, 500, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
    assert_int_equal(peek(t, 10, &b), 1);
    assert_string_not_equal(a.stream, b.stream);
    assert_int_equal(b.first, 1);
    assert_int_equal(b.n, 1);
}

/* The server has a word to say about what it takes: one event it never will does not hold up the rest. */
static void an_event_the_server_rejects_is_counted_and_stepped_over(void **state)
{
    struct fixture *t = *state;
    struct spool_batch b;
    size_t n = 0;

    start(t, &small);
    for (int i = 1; i <= 9; i++) {
        char text[40];
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        put(t, SPOOL_NORMAL, text);
    }
    for (size_t want = 9; peek(t, want, &b) == 1;) {
        bool has_five = false;
        for (size_t i = 0; i < b.n; i++)
            has_five |= str_eq(b.events[i].json, "{\"i\":5}");
        if (has_five) {
            assert_int_equal(spool_reject(t->spool, &t->err), 0);
            want = b.n > 1 ? b.n / 2 : 1;
            start(t, &small);
            continue;
        }
        n += b.n;
        ack(t, b.last);
    }
    struct spool_status st;
    spool_status(t->spool, &st);
    assert_int_equal(n, 8);
    assert_int_equal(st.through, 9);
    assert_int_equal(st.dropped[SPOOL_NORMAL][SPOOL_REJECTED], 1);
}

static void count_one(void *arg, const char *json, size_t len)
{
    (void)json, (void)len;
    (*(int *)arg)++;
}

static void the_last_events_kept_can_be_read_after_they_were_sent(void **state)
{
    struct fixture *t = *state;
    struct spool_batch b;
    int n = 0;

    start(t, &small);
    put(t, SPOOL_NORMAL, "{\"i\":1}");
    put(t, SPOOL_LOW, "{\"i\":2}");
    while (peek(t, 10, &b) == 1)
        ack(t, b.last);
    start(t, &small);
    assert_int_equal(peek(t, 10, &b), 0);
    assert_int_equal(spool_each(t->spool, count_one, &n, &t->err), 0);
    assert_int_equal(n, 2);
}

static void one_process_at_a_time(void **state)
{
    struct fixture *t = *state;
    struct spool *other;

    start(t, &small);
    assert_int_equal(spool_open(t->dir, &small, &other, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_CONFLICT);
}

static void what_is_no_event_is_refused(void **state)
{
    struct fixture *t = *state;
    static char big[SPOOL_EVENT_MAX + 2];

    start(t, &small);
    memset(big, ' ', sizeof big);
    big[0] = '{', big[sizeof big - 1] = '}';
    assert_int_equal(spool_append(t->spool, SPOOL_LOW, "[]", 2, NULL, &t->err), -1);
    assert_int_equal(spool_append(t->spool, SPOOL_LOW, "{", 1, NULL, &t->err), -1);
    assert_int_equal(spool_append(t->spool, SPOOL_LOW, big, sizeof big, NULL, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_TOO_LARGE);
    big[sizeof big - 3] = '}';
    assert_int_equal(spool_append(t->spool, SPOOL_LOW, big, sizeof big - 2, NULL, &t->err), 0);
}

/* ---- kill -9 ------------------------------------------------------------------------------ */

struct told { _Atomic int64_t kept; };

static void write_until_killed(const char *dir, struct told *told)
{
    struct spool *s;
    struct err err = { 0 };

    if (spool_open(dir, &small, &s, &err) != 0)
        _exit(3);
    for (int64_t i = told->kept + 1;; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"i\":%lld}", (long long)i);
        if (spool_append(s, (enum spool_class)(i % 3), text, strlen(text), NULL, &err) != 0)
            _exit(4);
        told->kept = i;
    }
}

/* Each i that was told to be kept comes out once; those a kill interrupted at most once more. */
static void what_was_told_to_be_kept_survives_kill_9(void **state)
{
    struct fixture *t = *state;
    struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct spool_batch b;
    long long got, expected = 1;
    int status;

    for (int round = 0; round < 30; round++) {
        pid_t pid = fork();
        if (pid == 0)
            write_until_killed(t->dir, told);
        usleep((useconds_t)(20000 + round * 700));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        start(t, &small);
        while (peek(t, 1000, &b) == 1) {
            for (size_t i = 0; i < b.n; i++) {
                assert_int_equal(sscanf(b.events[i].json, "{\"i\":%lld}", &got), 1);
                assert_true(got == expected || got == expected - 1);      /* written, but its writer was killed before it heard */
                expected = got + 1;
            }
            ack(t, b.last);
        }
        assert_true(expected > told->kept);
        spool_close(t->spool);
        t->spool = NULL;
    }
    assert_true(told->kept > 0);
    munmap(told, sizeof *told);
}

/* ---- the account -------------------------------------------------------------------------- */

struct account { int64_t put, out, dropped, refused, through; uint64_t seed; };

static uint32_t any(struct account *a, uint32_t below)
{
    a->seed = a->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(a->seed >> 33) % below;
}

static void some_put(struct fixture *t, struct account *a)
{
    char text[9000];
    int n = (int)any(a, 60);

    for (int i = 0; i < n; i++) {
        int size = 20 + (int)any(a, 8900);
        snprintf(text, sizeof text, "{\"x\":\"%0*d\"}", size, 0);
        bool was_refused = spool_append(t->spool, (enum spool_class)any(a, 3), text, strlen(text), NULL, &t->err) != 0;
        a->put += !was_refused;
        a->refused += was_refused;
    }
}

static void some_taken(struct fixture *t, struct account *a, bool all)
{
    struct spool_batch b;

    for (int n = all ? 1 << 30 : (int)any(a, 4); n > 0 && peek(t, 1 + any(a, 300), &b) == 1; n--) {
        assert_int_equal(b.first, a->through + 1);
        if (!all && any(a, 3) == 0)
            return;                                              /* the answer was lost */
        a->out += (int64_t)b.n;
        a->dropped += sum(b.dropped);
        a->through = b.last;
        ack(t, b.last);
    }
}

static void the_account_closes_under_random_operations(void **state)
{
    struct fixture *t = *state;
    struct account a = { .seed = 42 };
    struct spool_status st;

    start(t, &small);
    for (int i = 0; i < 400; i++) {
        switch (any(&a, 8)) {
        case 0: start(t, &small); break;
        case 1: case 2: some_taken(t, &a, false); break;
        case 3: assert_int_equal(spool_dropped(t->spool, SPOOL_LOW, SPOOL_OVERLOAD, 3, &t->err), 0); a.put += 3; break;
        default: some_put(t, &a);
        }
        spool_status(t->spool, &st);
        assert_true(st.bytes <= small.bytes);
    }
    some_taken(t, &a, true);
    spool_status(t->spool, &st);
    assert_int_equal(st.events, 0);
    assert_int_equal(sum(st.dropped), a.dropped);
    assert_true(a.dropped > 0);
    /* refused ones were counted (the first of a pause) or turned away without a number */
    int64_t counted = st.dropped[SPOOL_CRITICAL][SPOOL_REFUSED];
    assert_true(counted <= a.refused);
    assert_int_equal(a.put + counted, a.out + a.dropped);
    assert_int_equal(st.next_seq - 1, a.through);
}

/* ---- a disk that is full --------------------------------------------------------------------- */

static void files_that_may_not_grow_cost_low_events_and_refuse_critical_ones(void **state)
{
    struct fixture *t = *state;
    struct rlimit old, none = { .rlim_cur = 16384 };
    struct spool_status st;

    signal(SIGXFSZ, SIG_IGN);
    start(t, &small);
    put(t, SPOOL_CRITICAL, "{\"before\":1}");
    getrlimit(RLIMIT_FSIZE, &old);
    none.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none);
    for (int i = 0; i < 5; i++)
        put_size(t, SPOOL_LOW, 40000);                           /* accepted, and counted */
    spool_status(t->spool, &st);
    assert_int_equal(st.dropped[SPOOL_LOW][SPOOL_DISK_FULL], 5);
    char text[40000];
    snprintf(text, sizeof text, "{\"x\":\"%0*d\"}", (int)sizeof text - 9, 0);
    assert_int_equal(spool_append(t->spool, SPOOL_CRITICAL, text, strlen(text), NULL, &t->err), -1);
    assert_int_equal(t->err.kind, ERR_STORAGE_FULL);
    setrlimit(RLIMIT_FSIZE, &old);
    usleep(1100000);
    assert_int_equal(spool_append(t->spool, SPOOL_CRITICAL, text, strlen(text), NULL, &t->err), 0);
    struct spool_batch b;
    assert_int_equal(peek(t, 100, &b), 1);
    assert_int_equal(b.n, 2);
    assert_int_equal(sum(b.dropped), 6);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(what_goes_in_comes_out_once_and_in_order),
        T(an_unacknowledged_batch_comes_again_unchanged_also_after_a_restart),
        T(low_goes_first_and_oldest_first_and_critical_never),
        T(the_batch_on_its_way_is_not_dropped),
        T(a_tail_torn_at_any_byte_costs_only_what_was_torn),
        T(damage_at_any_byte_costs_one_event_which_is_counted),
        T(a_lost_state_file_starts_a_new_stream_and_loses_no_event),
        T(what_the_server_lost_is_counted_when_we_no_longer_have_it),
        T(a_server_that_is_ahead_of_us_gets_a_new_stream),
        T(an_event_the_server_rejects_is_counted_and_stepped_over),
        T(the_last_events_kept_can_be_read_after_they_were_sent),
        T(one_process_at_a_time),
        T(what_is_no_event_is_refused),
        T(what_was_told_to_be_kept_survives_kill_9),
        T(the_account_closes_under_random_operations),
        T(files_that_may_not_grow_cost_low_events_and_refuse_critical_ones),
    };
    struct err err;

    return crypto_init(&err) != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
