/* Everything that could lock a node out, tried with a real server, a real agent and real
 * containers: one under a profile that protects, one under none, and the host beside
 * them.  Whatever happens to the bundle, the disk, the clock, the server or the agent,
 * nobody is hindered by more than the last good profile says; and the status says what
 * is the matter. */
#include "tests/flow/upload.h"
#include "tests/flow/wall_proxy.h"
#include "tests/support/agent.h"
#include "tests/support/crun.h"
#include "wire/json_util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOP "6406406406406406406406406406406406406406406406406406406406406410"
#define FREE "f4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4eef4ee"

static struct fixture *f;
static struct crun crun;
static struct test_agent agent;
static struct proxy proxy;
static char why[300], bpffs[100], shop_id[100], clock_file[120];
static bool has_walls, has_clock;

/* ---- the stage ------------------------------------------------------------------------ */

static bool soon(bool (*is_so)(void), int within_ms)
{
    for (int64_t end = time_monotonic_ms() + within_ms; time_monotonic_ms() < end; nap_ms(50))
        if (is_so())
            return true;
    return is_so();
}

static bool status_has(const char *path, const char *words)
{
    struct arena arena;
    struct buf b;
    arena_init(&arena, 8 << 20);
    buf_init(&b, 1 << 20);
    const struct json *v = json_path(agent_status_read(&agent, &arena), path);
    if (v != NULL)
        json_print(v, &b);
    bool has = b.len > 0 && strstr(b.ptr, words) != NULL;
    buf_free(&b);
    arena_clear(&arena);
    return has;
}

static bool node_page_has(const char *words)
{
    char path[120];
    struct buf b;
    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    buf_init(&b, 1 << 20);
    json_print(get(f, path, 200), &b);
    bool has = strstr(b.ptr, words) != NULL;
    buf_free(&b);
    return has;
}

static void make_profile(const char *name, const char *image, const char *executables, char id[100])
{
    char body[600], path[200];
    snprintf(body, sizeof body, "{\"apiVersion\":\"keep/v1\",\"kind\":\"Profile\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"image\":\"%s\","
             "\"mode\":\"monitor\",\"executables\":[%s]}}", name, image, executables);
    snprintf(id, 100, "%s", text_at(send_json(f, "POST", "/v1/profiles", body, 201), "profile_id"));
    snprintf(path, sizeof path, "/v1/profiles/%s/approve", id);
    send_json(f, "POST", path, "{\"source\":\"declared\"}", 200);
}

static void set_mode(const char *id, const char *mode)
{
    char path[200], body[200];
    snprintf(path, sizeof path, "/v1/profiles/%s/mode", id);
    snprintf(body, sizeof body, "{\"mode\":\"%s\",\"force\":true,\"reason\":\"a test of lock-outs\"}", mode);
    send_json(f, "POST", path, body, 200);
}

static void copy_in(const char *id, const char *from, const char *to)
{
    char root[200], line[900];
    crun_rootfs(&crun, id, root, sizeof root);
    snprintf(line, sizeof line, "cp %s %s%s", from, root, to);
    assert_int_equal(system(line), 0);
}

static void run_box(const char *id, const char *image_name, int image)
{
    static const char *const argv[] = { "/bin/sleep", "600", NULL };
    char note[200], digest[72], inside[600], root[200];
    image_digest(image, digest);
    snprintf(note, sizeof note, "io.kubernetes.cri.image-name=%s:1.0@%s", image_name, digest);
    const char *const notes[] = { note, "io.kubernetes.cri.sandbox-name=pod-0", "io.kubernetes.cri.sandbox-namespace=shop",
                                  "io.kubernetes.cri.container-name=main", NULL };
    crun_run(&crun, &(struct crun_spec){ .id = id, .argv = argv, .annotations = notes });
    keepd_path("tests/inside", inside, sizeof inside);
    crun_rootfs(&crun, id, root, sizeof root);
    copy_in(id, inside, "/bin/inside");
    copy_in(id, inside, "/bin/evil");
}

static void set_clock(const char *text)
{
    int fd = open(clock_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* The agent's clock is ours to set, where that is possible. */
static void fake_clock(void)
{
    static const char *const places[] = { "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
                                          "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1" };
    static char preload[140], file[160];
    static const char *environment[] = { preload, file, "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1", NULL };
    snprintf(clock_file, sizeof clock_file, "%s/clock", crun.dir);
    set_clock("+0\n");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    for (size_t i = 0; i < N_ITEMS(places) && !has_clock; i++) {
        has_clock = access(places[i], R_OK) == 0;
        snprintf(preload, sizeof preload, "LD_PRELOAD=%s", places[i]);
    }
#endif
    snprintf(file, sizeof file, "FAKETIME_TIMESTAMP_FILE=%s", clock_file);
    if (has_clock)
        agent.environment = environment;
}

static bool walls_are_up(void)
{
    return status_has("walls.rung", "sigkill") || status_has("walls.rung", "lsm");
}

/* The agent's folder is a file system of its own, small enough to be filled. */
static bool small_disk(void)
{
    snprintf(agent.state, sizeof agent.state, "%s/node/state", crun.dir);
    char node[100];
    snprintf(node, sizeof node, "%s/node", crun.dir);
    return mkdir(node, 0700) == 0 && mkdir(agent.state, 0700) == 0 && mount("tmpfs", agent.state, "tmpfs", 0, "size=8m,nr_inodes=200") == 0;
}

static bool stage_is_there(void)
{
    if (crun_open(&crun, why, sizeof why) != 0)
        return false;
    snprintf(bpffs, sizeof bpffs, "%s/bpf", crun.dir);
    bool is = mkdir(bpffs, 0700) == 0 && mount("bpf", bpffs, "bpf", 0, NULL) == 0 && small_disk();
    if (!is)
        snprintf(why, sizeof why, "no bpffs or no tmpfs: %s", strerror(errno));
    return is;
}

static void agent_join(void)
{
    static char settings[900];
    char server[64];
    snprintf(settings, sizeof settings, "receive: {port: 0}\nsend: {linger: 0s}\ninventory: {interval: 1s, root: \"%s\"}\n"
             "spool: {bytes: 2MiB, segment_bytes: 256KiB, reserve_bytes: 256KiB}\n"
             "status: {interval: 1s}\npoll: {wait: 2s, interval: 1s}\nlog: {level: debug}\n"
             "walls: {cgroup: \"/sys/fs/cgroup%s\", pins: \"%s/keep\", off_file: \"%s/off\"}\n",
             crun.dir, crun.parent, bpffs, agent.state);
    snprintf(server, sizeof server, "http://127.0.0.1:%d", proxy.port);
    fake_clock();
    agent_open(&agent, &f->keepd, server, settings);
    agent_start(&agent);
}

/* As fixture_open, with a server that wants to hear often. */
static void serve(void **state)
{
    static const char *const often[] = { "KEEP_AGENTS_STATUS_INTERVAL=1", "KEEP_AGENTS_INVENTORY_INTERVAL=1", NULL };
    f = calloc(1, sizeof *f);
    assert_non_null(f);
    keepd_open(&f->keepd, often, false);
    client_init(&f->client, f->keepd.port);
    buf_init(&f->body, (size_t)16 << 20);
    *state = f;
}

static int open_all(void **state)
{
    static const char *const names[] = { "shop.example/app", "free.example/app" };

    if (!stage_is_there())
        return 0;
    serve(state);
    for (int i = 0; i < 2; i++) {
        struct report_spec s = spec_of(i + 1);
        s.repository = names[i];
        s.harmless = true;
        upload(f, &s, 201);
    }
    make_profile("shop", names[0], "{\"path\":\"/bin/busybox\"},{\"path\":\"/bin/inside\"}", shop_id);
    set_mode(shop_id, "protect");
    run_box(SHOP, names[0], 1);
    run_box(FREE, names[1], 2);
    proxy_open(&proxy, f->keepd.port);
    agent_join();
    has_walls = soon(walls_are_up, 5000);
    if (!has_walls)
        snprintf(why, sizeof why, "the agent has no walls in this kernel");
    return 0;
}

static int close_all(void **state)
{
    if (f != NULL) {
        agent_stop(&agent, SIGKILL, 5000);
        (void)umount2(agent.state, MNT_DETACH);
        agent_close(&agent);
        proxy_close(&proxy);
        fixture_close(state);
    }
    if (crun.dir[0] != '\0' && crun.parent[0] != '\0')
        crun_close(&crun);
    (void)umount2(bpffs, MNT_DETACH);
    return 0;
}

static void only_with_walls(void)
{
    if (has_walls)
        return;
    printf("          left out: %s\n", why);
    skip();
}

/* ---- who may do what -------------------------------------------------------------------- */

static bool evil_runs_in(const char *id)
{
    char out[300];
    int code = crun_exec(&crun, id, (const char *const[]){ "/bin/evil", NULL }, out, sizeof out);
    if (code != 0 && code != 128 + SIGKILL)
        fail_msg("evil ended with %d: %s", code, out);
    return code == 0;
}

static bool shop_is_walled(void)
{
    return !evil_runs_in(SHOP);
}

static bool shop_is_open(void)
{
    return evil_runs_in(SHOP);
}

/* The host runs what it likes, the agent too, and so does who has no profile; what the
 * profile names runs anyway. */
static void nobody_else_is_hindered(void)
{
    int status;
    for (int i = 0; i < 3; i++) {
        assert_true(evil_runs_in(FREE));
        assert_int_equal(crun_exec(&crun, SHOP, (const char *const[]){ "/bin/true", NULL }, NULL, 0), 0);
        assert_int_equal(system("/bin/true"), 0);
    }
    if (agent.pid != 0)
        assert_int_equal(waitpid(agent.pid, &status, WNOHANG), 0);
}

static void only_shop_is_walled(void)
{
    for (int i = 0; i < 3; i++)
        assert_true(shop_is_walled());
    nobody_else_is_hindered();
}

static void server_away(void)
{
    keepd_stop(&f->keepd, SIGTERM, 20000);
}

static void server_back(void)
{
    keepd_start_at(&f->keepd, f->keepd.port);
    client_free(&f->client);
    client_init(&f->client, f->keepd.port);
}

static void agent_again(void)
{
    agent_stop(&agent, SIGTERM, 15000);
    agent_start(&agent);
}

/* ---- profiles ------------------------------------------------------------------------------ */

static int64_t bundle_version(void)
{
    return json_int(json_get(json_at(json_get(get(f, "/v1/bundles", 200), "items"), 0), "version"), 0);
}

/* How long after there was a bundle; 0 when it was in force before we saw it. */
static int64_t bundle_to_effect_ms(const char *mode, bool (*is_so)(void))
{
    int64_t before = bundle_version(), end = time_monotonic_ms() + 10000;
    set_mode(shop_id, mode);
    int64_t asked = time_monotonic_ms();
    while (bundle_version() == before && time_monotonic_ms() < end)
        nap_ms(20);
    int64_t made = time_monotonic_ms();
    assert_true(made < end && soon(is_so, 10000));
    int64_t seen = time_monotonic_ms();
    printf("          mode %s: bundle after %lld ms, in force %lld ms later\n", mode, (long long)(made - asked), (long long)(seen - made));
    return seen - made;
}

static void protects_once_it_has_its_bundle(void **state)
{
    (void)state;
    only_with_walls();
    assert_true(soon(shop_is_walled, 20000));
    only_shop_is_walled();
}

static void mode_changed_counts_within_five_seconds_of_the_bundle_and_frees_at_once(void **state)
{
    (void)state;
    only_with_walls();
    assert_true(bundle_to_effect_ms("monitor", shop_is_open) < 5000);
    for (int i = 0; i < 5; i++)
        assert_true(shop_is_open());
    assert_true(bundle_to_effect_ms("protect", shop_is_walled) < 5000);
    only_shop_is_walled();
}

static bool refusal_is_said(void)
{
    return status_has("walls.reasons", "nothing could run");
}

static bool refusal_is_on_the_page(void)
{
    return node_page_has("nothing could run");
}

static bool refusal_is_over(void)
{
    return !refusal_is_said();
}

static void empty_profile_that_protects_hinders_nobody_and_is_said(void **state)
{
    char id[100];
    (void)state;
    only_with_walls();
    make_profile("nothing", "free.example/app", "", id);
    set_mode(id, "protect");
    assert_true(soon(refusal_is_said, 10000));
    only_shop_is_walled();
    assert_true(soon(refusal_is_on_the_page, 10000));
    agent_again();                       /* a restart makes it no worse, and what stood stands on */
    assert_true(soon(refusal_is_said, 10000));
    only_shop_is_walled();
    set_mode(shop_id, "monitor");        /* one bad profile keeps no other from changing */
    assert_true(soon(shop_is_open, 10000));
    set_mode(shop_id, "protect");
    assert_true(soon(shop_is_walled, 10000));
    set_mode(id, "monitor");             /* told, not enforced: no lock-out */
    assert_true(soon(refusal_is_over, 10000));
    only_shop_is_walled();
}

static bool has_three_profiles(void)
{
    return agent_status_int(&agent, "walls.profiles") == 3;
}

static void profile_of_another_digest_touches_nobody(void **state)
{
    char image[140], digest[72], id[100];
    (void)state;
    only_with_walls();
    image_digest(77, digest);
    snprintf(image, sizeof image, "free.example/app@%s", digest);
    make_profile("other", image, "{\"path\":\"/bin/nothing-that-is-there\"}", id);
    set_mode(id, "protect");
    assert_true(soon(has_three_profiles, 10000));
    nap_ms(300);
    only_shop_is_walled();
}

/* ---- bundles --------------------------------------------------------------------------------- */

static bool bundle_problem_is_said(void)
{
    return !status_has("bundle.problem", "\"\"");
}

static bool bundle_is_well(void)
{
    return status_has("bundle.problem", "\"\"") && agent_status_int(&agent, "bundle.version") == bundle_version();
}

static void bundle_corrupted_on_the_way_is_refused_and_the_last_good_one_stays(void **state)
{
    (void)state;
    only_with_walls();
    proxy.mode = PROXY_CORRUPTS;
    set_mode(shop_id, "monitor");
    assert_true(soon(bundle_problem_is_said, 15000));
    only_shop_is_walled();
    proxy.mode = PROXY_PASSES;
    assert_true(soon(shop_is_open, 30000));
    set_mode(shop_id, "protect");
    assert_true(soon(shop_is_walled, 15000));
}

static void damage(const char *file)
{
    char path[200];
    snprintf(path, sizeof path, "%s/bundle/%s", agent.state, file);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && pwrite(fd, "\0\xff{{{", 5, 20) == 5);
    close(fd);
}

static void bundle_corrupted_on_disk_is_fetched_anew(void **state)
{
    static const char *const files[] = { "profiles.json", "bundle.json" };
    (void)state;
    only_with_walls();
    for (size_t i = 0; i < N_ITEMS(files); i++) {
        damage(files[i]);
        only_shop_is_walled();           /* the agent that runs does not read it again */
        agent_again();
        only_shop_is_walled();           /* what the old one left stands, until the new one has a bundle */
        assert_true(soon(bundle_is_well, 20000));
        only_shop_is_walled();
    }
}

/* Damaged, and nobody to fetch it from: what stood stands for its lease, and it is said. */
static void bundle_corrupted_on_disk_without_a_server_is_said(void **state)
{
    (void)state;
    only_with_walls();
    server_away();
    damage("profiles.json");
    agent_again();
    assert_true(soon(bundle_problem_is_said, 5000));
    only_shop_is_walled();
    server_back();
    assert_true(soon(bundle_is_well, 40000));
    only_shop_is_walled();
}

/* ---- the disk --------------------------------------------------------------------------------- */

static void disk_fill(void)
{
    char path[200], block[4096] = "x";
    snprintf(path, sizeof path, "%s/ballast", agent.state);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
    for (int i = 0; i < 400; i++) {
        snprintf(path, sizeof path, "%s/ballast.%d", agent.state, i);
        if ((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0)
            break;
        close(fd);
    }
}

static void disk_free(void)
{
    char path[200];
    snprintf(path, sizeof path, "%s/ballast", agent.state);
    unlink(path);
    for (int i = 0; i < 400; i++) {
        snprintf(path, sizeof path, "%s/ballast.%d", agent.state, i);
        unlink(path);
    }
}

static void full_disk_changes_nothing_and_the_switch_works(void **state)
{
    static const char *const off[] = { "walls", "off", NULL };
    char out[1000];
    (void)state;
    only_with_walls();
    disk_fill();
    only_shop_is_walled();
    set_mode(shop_id, "monitor");        /* a bundle that cannot be kept: the last good one stays, and it is said */
    assert_true(soon(bundle_problem_is_said, 15000));
    only_shop_is_walled();
    agent_again();                       /* starts, all the same */
    only_shop_is_walled();
    (void)agent_command(&agent, off, out, sizeof out);       /* the file cannot be written: off until the next start */
    assert_true(soon(shop_is_open, 3000));
    nap_ms(1000);
    assert_true(shop_is_open());
    disk_free();
    agent_again();
    assert_true(soon(bundle_is_well, 40000));
    assert_true(soon(shop_is_open, 5000));                   /* the mode that was missed */
    set_mode(shop_id, "protect");
    assert_true(soon(shop_is_walled, 15000));
}

/* ---- time and the server ------------------------------------------------------------------------- */

static bool bundle_is_stale(void)
{
    return status_has("bundle.stale", "true");
}

static bool bundle_is_fresh(void)
{
    return !bundle_is_stale();
}

static void clock_that_jumps_changes_nothing(void **state)
{
    static const char *const jumps[] = { "+400d\n", "-10d\n", "+0\n" };
    (void)state;
    only_with_walls();
    if (!has_clock) {
        printf("          left out: libfaketime cannot be used here\n");
        skip();
    }
    for (size_t i = 0; i < N_ITEMS(jumps); i++) {
        set_clock(jumps[i]);
        nap_ms(1500);
        only_shop_is_walled();
    }
    set_clock("+0\n");
    agent_again();                       /* it had asked in vain, and would ask again in some minutes */
    assert_true(soon(bundle_is_well, 40000));
}

/* No server, for longer than bundles live: the last good one is stale, and is enforced;
 * by an agent that was started meanwhile, too. */
static void server_gone_for_longer_than_a_bundle_lives_changes_nothing(void **state)
{
    (void)state;
    only_with_walls();
    server_away();
    if (has_clock) {
        set_clock("+60d\n");
        assert_true(soon(bundle_is_stale, 5000));
    }
    only_shop_is_walled();
    agent_again();
    only_shop_is_walled();
    if (has_clock) {
        assert_true(soon(bundle_is_stale, 5000));
        set_clock("+0\n");
    }
    agent_again();
    server_back();
    assert_true(soon(bundle_is_fresh, 40000));
    only_shop_is_walled();
}

/* ---- the switch ------------------------------------------------------------------------------------ */

static bool off_is_said(void)
{
    return status_has("walls.reasons", "switched off on this node");
}

static bool off_is_on_the_page(void)
{
    return node_page_has("switched off on this node");
}

static void off_switch_works_with_agent_without_and_without_server(void **state)
{
    static const char *const off[] = { "walls", "off", NULL }, *const on[] = { "walls", "on", NULL };
    char out[1000];
    (void)state;
    only_with_walls();
    assert_int_equal(agent_command(&agent, off, out, sizeof out), 0);
    assert_true(soon(shop_is_open, 2000) && soon(off_is_said, 3000) && soon(off_is_on_the_page, 5000));
    nobody_else_is_hindered();
    assert_int_equal(agent_command(&agent, on, out, sizeof out), 0);
    assert_true(soon(shop_is_walled, 2000));

    agent_again();                       /* pinned anew */
    assert_true(soon(shop_is_walled, 5000));
    agent_stop(&agent, SIGKILL, 5000);
    assert_true(shop_is_walled());
    server_away();
    assert_int_equal(agent_command(&agent, off, out, sizeof out), 0);
    assert_true(shop_is_open());
    nobody_else_is_hindered();
    agent_start(&agent);                 /* still off */
    nap_ms(500);
    assert_true(shop_is_open());
    assert_int_equal(agent_command(&agent, on, out, sizeof out), 0);
    assert_true(soon(shop_is_walled, 3000));
    server_back();
    only_shop_is_walled();
}

/* ---- storms ------------------------------------------------------------------------------------------ */

static int64_t drops_told(void)
{
    char path[200];
    int64_t n = 0;
    snprintf(path, sizeof path, "/v1/events?kind=drop&node=%s&limit=500", agent.node_id);
    const struct json *items = json_get(get(f, path, 200), "items");
    for (uint32_t i = 0; i < json_len(items); i++)
        if (str_eq(text_at(json_at(items, i), "event.rule"), "wall.drop"))
            n += json_int(json_path(json_at(items, i), "event.count"), 0);
    return n;
}

static int64_t drops_before;

static bool drops_are_all_told(void)
{
    return agent_status_int(&agent, "walls.drops") > 0 && drops_told() - drops_before == agent_status_int(&agent, "walls.drops");
}

static pid_t storm(const char *id, const char *line)
{
    pid_t pid = fork();
    if (pid == 0) {
        char out[300];
        int code = crun_exec(&crun, id, (const char *const[]){ "/bin/sh", "-c", line, NULL }, out, sizeof out);
        _exit(code & 127);
    }
    return pid;
}

static void go(const char *id)
{
    char path[300];
    crun_rootfs(&crun, id, path, sizeof path - 10);
    strncat(path, "/tmp/go", 9);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static bool spool_is_empty(void)
{
    return agent_status_int(&agent, "spool.events") == 0;
}

/* Both kinds of storm in both kinds of container, at once, and for a second nobody reads
 * the ring: it overflows. */
static void storms_are_counted_bounded_and_leave_others_alone(void **state)
{
    static const char line[] = "while [ ! -e /tmp/go ]; do :; done; /bin/inside burst 8000; /bin/inside storm 500 /bin/evil; "
                               "/bin/inside storm 500 /bin/inside nothing";
    int64_t from = time_monotonic_ms(), worst = 0;
    int status;
    (void)state;
    only_with_walls();
    agent_again();                       /* counters from nought */
    assert_true(soon(shop_is_walled, 5000) && soon(spool_is_empty, 20000));
    drops_before = drops_told();
    pid_t storms[] = { storm(SHOP, line), storm(FREE, line) };
    nap_ms(1000);                        /* no runtime is on its way any more: it would wait for the agent */
    kill(agent.pid, SIGSTOP);
    go(SHOP);
    go(FREE);
    nap_ms(1200);
    kill(agent.pid, SIGCONT);
    for (int i = 0; i < 10; i++) {
        int64_t began = time_monotonic_ms();
        assert_int_equal(crun_exec(&crun, i % 2 ? SHOP : FREE, (const char *const[]){ "/bin/true", NULL }, NULL, 0), 0);
        worst = time_monotonic_ms() - began > worst ? time_monotonic_ms() - began : worst;
    }
    for (size_t i = 0; i < N_ITEMS(storms); i++)
        assert_int_equal(waitpid(storms[i], &status, 0), storms[i]);
    int64_t took = time_monotonic_ms() - from;
    assert_true(worst < 5000);
    only_shop_is_walled();
    bool is_told = soon(drops_are_all_told, 20000);
    printf("          %lld ms of storms; a neighbour's slowest exec %lld ms; %lld dropped in the kernel, %lld told to the server; %lld KiB of %lld\n",
           (long long)took, (long long)worst, (long long)agent_status_int(&agent, "walls.drops"), (long long)(drops_told() - drops_before),
           (long long)agent_status_int(&agent, "process.rss_peak_kib"), (long long)agent_status_int(&agent, "process.memory_limit_kib"));
    assert_true(is_told);
    assert_true(took < 30000);
    assert_true(agent_status_int(&agent, "process.rss_peak_kib") < agent_status_int(&agent, "process.memory_limit_kib"));
}

/* ---- programs that are not of the image -------------------------------------------------------------- */

static bool alert_is_there(void)
{
    return json_len(json_get(get(f, "/v1/alerts?rule=drift/binary-not-in-image", 200), "items")) > 0;
}

static void program_copied_within_the_container_is_an_alert(void **state)
{
    (void)state;
    only_with_walls();
    assert_int_equal(crun_exec(&crun, SHOP, (const char *const[]){ "/bin/cp", "/bin/evil", "/tmp/dropped", NULL }, NULL, 0), 0);
    assert_int_equal(crun_exec(&crun, SHOP, (const char *const[]){ "/tmp/dropped", NULL }, NULL, 0), 128 + SIGKILL);
    assert_true(soon(alert_is_there, 15000));
}

/* ---- the end ------------------------------------------------------------------------------------------ */

static bool is_revoked(void)
{
    return status_has("session.state", "revoked");
}

/* Nobody tells it anything any more: what stood stands, and the switch is there. */
static void revoked_node_keeps_its_last_profile(void **state)
{
    static const char *const off[] = { "walls", "off", NULL };
    char path[120], out[1000];
    (void)state;
    only_with_walls();
    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    send_json(f, "DELETE", path, NULL, 204);
    assert_true(soon(is_revoked, 15000));
    only_shop_is_walled();
    agent_again();
    only_shop_is_walled();
    assert_int_equal(agent_command(&agent, off, out, sizeof out), 0);
    assert_true(soon(shop_is_open, 2000));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(protects_once_it_has_its_bundle),
        cmocka_unit_test(mode_changed_counts_within_five_seconds_of_the_bundle_and_frees_at_once),
        cmocka_unit_test(empty_profile_that_protects_hinders_nobody_and_is_said),
        cmocka_unit_test(profile_of_another_digest_touches_nobody),
        cmocka_unit_test(bundle_corrupted_on_the_way_is_refused_and_the_last_good_one_stays),
        cmocka_unit_test(bundle_corrupted_on_disk_is_fetched_anew),
        cmocka_unit_test(bundle_corrupted_on_disk_without_a_server_is_said),
        cmocka_unit_test(full_disk_changes_nothing_and_the_switch_works),
        cmocka_unit_test(clock_that_jumps_changes_nothing),
        cmocka_unit_test(server_gone_for_longer_than_a_bundle_lives_changes_nothing),
        cmocka_unit_test(off_switch_works_with_agent_without_and_without_server),
        cmocka_unit_test(storms_are_counted_bounded_and_leave_others_alone),
        cmocka_unit_test(program_copied_within_the_container_is_an_alert),
        cmocka_unit_test(revoked_node_keeps_its_last_profile),
    };

    return cmocka_run_group_tests_name("wall_lockout", tests, open_all, close_all);
}
