/* The whole way, with a real server, a real agent and real containers: an invitation, a
 * signed bundle with a declared profile, what runs, what happens, what is departed from. */
#include "tests/flow/upload.h"
#include "tests/support/agent.h"
#include "tests/support/crun.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHOP "5405405405405405405405405405405405405405405405405405405405405405"
#define OLD  "01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d01d0"

static struct fixture *f;
static struct crun crun;
static struct test_agent agent;
static bool has_crun;
static char fresh[72], stale[72];

static const char profile[] =
    "{\"apiVersion\":\"keep/v1\",\"kind\":\"Profile\",\"metadata\":{\"name\":\"shop\"},\"spec\":{\"image\":\"shop.example/app\",\"mode\":\"monitor\","
    "\"executables\":[{\"path\":\"/bin/sleep\"},{\"path\":\"/usr/bin/shop\"}],\"listens\":[{\"port\":8080,\"protocol\":\"tcp\"}],"
    "\"egress\":[{\"service\":\"shop/catalogue\"}]}}";

/* ---- the stage ---------------------------------------------------------------------------- */

static void run_containers(void)
{
    static const char *const argv[] = { "/bin/sleep", "600", NULL };
    static char shop_image[160], old_image[160];

    snprintf(shop_image, sizeof shop_image, "io.kubernetes.cri.image-name=shop.example/app:1.0@%s", fresh);
    snprintf(old_image, sizeof old_image, "io.kubernetes.cri.image-name=shop.example/old:1.0@%s", stale);
    const char *const shop[] = { shop_image, "io.kubernetes.cri.sandbox-name=shop-0", "io.kubernetes.cri.sandbox-namespace=shop",
                                 "io.kubernetes.cri.container-name=shop", "keep/sensitive=true", NULL };
    const char *const old[] = { old_image, "io.kubernetes.cri.sandbox-name=old-0", "io.kubernetes.cri.sandbox-namespace=shop",
                                "io.kubernetes.cri.container-name=old", NULL };
    crun_run(&crun, &(struct crun_spec){ .id = SHOP, .argv = argv, .annotations = shop });
    crun_run(&crun, &(struct crun_spec){ .id = OLD, .argv = argv, .annotations = old, .is_privileged = true });
}

static void declare(void)
{
    char path[100];

    snprintf(path, sizeof path, "/v1/profiles/%s/approve", text_at(send_json(f, "POST", "/v1/profiles", profile, 201), "profile_id"));
    send_json(f, "POST", path, "{\"source\":\"declared\"}", 200);
}

static int open_all(void **state)
{
    static char settings[400];
    struct report_spec s;
    char why[200] = "";

    has_crun = crun_open(&crun, why, sizeof why) == 0;
    if (!has_crun)
        printf("real containers: left out: %s\n", why);
    fixture_open(state);
    f = *state;
    s = spec_of(1);
    s.harmless = true;
    image_digest(1, fresh);
    upload(f, &s, 201);
    s = spec_of(2);
    s.repository = "shop.example/old";
    s.scanned_ms = time_now_ms() - 30 * MS_DAY;
    s.db_built_ms = s.scanned_ms - MS_HOUR;
    image_digest(2, stale);
    upload(f, &s, 201);
    declare();
    if (has_crun)
        run_containers();
    snprintf(settings, sizeof settings, "receive: {port: 0}\nsend: {linger: 0s}\ninventory: {interval: 1s, root: \"%s\"}\n"
             "status: {interval: 1s}\npoll: {wait: 2s, interval: 1s}\nlog: {level: debug}\n", has_crun ? crun.dir : "/nonexistent");
    agent_open(&agent, &f->keepd, NULL, settings);
    agent_start(&agent);
    return 0;
}

static int close_all(void **state)
{
    agent_close(&agent);
    if (has_crun)
        crun_close(&crun);
    return fixture_close(state);
}

static const struct json *node_page(void)
{
    char path[120];

    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    return get(f, path, 200);
}

static bool soon(bool (*is_so)(void))
{
    for (int i = 0; i < 200; i++) {
        if (is_so())
            return true;
        nap_ms(100);
    }
    return false;
}

/* ---- the bundle ----------------------------------------------------------------------------- */

static bool bundle_is_shown(void)
{
    int64_t here = agent_status_int(&agent, "bundle.version");

    return here > 0 && json_int(json_get(node_page(), "bundle_version"), 0) == here;
}

static void the_profile_reaches_the_node_in_a_signed_bundle_and_the_server_shows_which(void **state)
{
    char path[200], text[65536];

    (void)state;
    assert_true(soon(bundle_is_shown));
    snprintf(path, sizeof path, "%s/bundle/profiles.json", agent.state);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "shop.example/app"));
    assert_string_equal(text_at(node_page(), "state"), "enrolled");
}

/* ---- what runs ------------------------------------------------------------------------------- */

static bool containers_are_there(void)
{
    return json_len(json_get(get(f, "/v1/containers", 200), "items")) == 2;
}

static void what_runs_is_shown_with_image_digest_and_privileges(void **state)
{
    char path[300];

    (void)state;
    if (!has_crun)
        skip();
    assert_true(soon(containers_are_there));
    snprintf(path, sizeof path, "/v1/containers/%s/" SHOP, agent.node_id);
    const struct json *c = get(f, path, 200);
    assert_string_equal(text_at(c, "digest"), fresh);
    assert_string_equal(text_at(c, "workload"), "shop");
    assert_string_equal(text_at(c, "engine"), "crun");
    assert_false(json_bool(json_get(c, "privileged"), true));
    snprintf(path, sizeof path, "/v1/containers/%s/" OLD, agent.node_id);
    assert_true(json_bool(json_get(get(f, path, 200), "privileged"), false));
}

static bool is_first(const char *query, const char *id)
{
    const struct json *items = json_get(get(f, query, 200), "items");

    return json_len(items) == 1 && str_eq(json_get_str(json_at(items, 0), "id", ""), id);
}

static bool sandbox_is_missed(void)
{
    return is_first("/v1/containers?policy=sandbox-required", SHOP);
}

static void a_stale_image_and_a_missing_sandbox_are_listed_as_running(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    assert_true(is_first("/v1/containers?stale=true", OLD));
    assert_true(soon(sandbox_is_missed));
}

static int64_t containers_of(const char *query)
{
    return json_len(json_get(get(f, query, 200), "items"));
}

static bool old_is_gone(void)
{
    return containers_of("/v1/containers?stale=true") == 0;
}

static void a_container_that_ends_is_no_longer_running(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    crun_kill(&crun, OLD, SIGKILL);
    crun_delete(&crun, OLD);
    assert_true(soon(old_is_gone));
}

/* ---- what happens ------------------------------------------------------------------------------ */

static void post(const char *path, const char *body, int status)
{
    struct client c;

    client_init(&c, agent.port);
    struct reply r = client_send(&c, &(struct ask){ "POST", path, NULL, "Content-Type: application/json\r\n", body, strlen(body) });
    assert_int_equal(r.status, status);
    client_free(&c);
}

static void happens(const char *kind, const char *rest)
{
    char now[TIME_TEXT], body[2000];

    time_format(time_now_ms(), now);
    snprintf(body, sizeof body, "{\"at\":\"%s\",\"source\":\"agent\",\"kind\":\"%s\",\"verdict\":\"observed\",\"severity\":6,\"count\":1,"
             "\"container\":{\"id\":\"" SHOP "\",\"image\":\"shop.example/app:1.0\",\"digest\":\"%s\"},%s}", now, kind, fresh, rest);
    post("/events", body, 200);
}

static void falco_saw(const char *exe, const char *parent)
{
    char now[TIME_TEXT], body[2000];

    time_format(time_now_ms(), now);
    snprintf(body, sizeof body, "{\"output\":\"a program\",\"priority\":\"Informational\",\"rule\":\"Program started\",\"source\":\"syscall\","
             "\"time\":\"%s\",\"hostname\":\"n1\",\"output_fields\":{\"evt.type\":\"execve\",\"container.id\":\"%.12s\",\"proc.exepath\":\"%s\","
             "\"proc.name\":\"x\",\"proc.cmdline\":\"x --pool y\",\"proc.pexepath\":\"%s\"}}", now, SHOP, exe, parent);
    post("/", body, 200);
}

static int64_t drift_alerts(void)
{
    const struct json *items = json_get(get(f, "/v1/alerts", 200), "items");
    int64_t n = 0;

    for (uint32_t i = 0; i < json_len(items); i++)
        n += str_starts(json_get_str(json_at(items, i), "rule", ""), "drift/");
    return n;
}

static void wait_until_sent(void)
{
    nap_ms(1200);
    assert_true(agent_wait_for(&agent, "spool.events", 0, 20000));
}

static void what_is_expected_raises_no_alert(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    falco_saw("/usr/bin/shop", "/bin/sleep");
    happens("listen", "\"net\":{\"protocol\":\"tcp\",\"local_port\":8080}");
    happens("connect", "\"net\":{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote_service\":\"shop/catalogue\",\"remote_port\":443}");
    wait_until_sent();
    assert_int_equal(drift_alerts(), 0);
}

static bool three_alerts(void)
{
    return drift_alerts() == 3;
}

static void an_unexpected_program_port_and_peer_raise_one_alert_each_with_their_story(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    for (int i = 0; i < 3; i++) {
        falco_saw("/tmp/xmrig", "/bin/sh");
        happens("listen", "\"net\":{\"protocol\":\"tcp\",\"local_port\":4444}");
        happens("connect", "\"net\":{\"protocol\":\"tcp\",\"direction\":\"out\",\"remote_service\":\"shop/payments\",\"remote_port\":443}");
    }
    wait_until_sent();
    assert_true(soon(three_alerts));
    const struct json *items = json_get(get(f, "/v1/alerts?rule=drift/unexpected-executable", 200), "items");
    assert_int_equal(json_len(items), 1);
    assert_int_equal(json_int(json_get(json_at(items, 0), "count"), 0), 3);
    char path[64];
    snprintf(path, sizeof path, "/v1/alerts/%lld", (long long)json_int(json_get(json_at(items, 0), "id"), 0));
    const struct json *a = get(f, path, 200);
    assert_non_null(strstr(json_str(json_path(a, "story.chain"), ""), "/tmp/xmrig"));
    assert_string_equal(json_str(json_path(a, "story.image.repository"), ""), "shop.example/app");
    assert_string_equal(json_str(json_path(a, "story.profile.name"), ""), "shop");
}

static void what_is_no_event_is_refused_by_the_receiver_and_shown(void **state)
{
    (void)state;
    post("/", "{\"no\":\"event\"}", 400);
    assert_int_equal(agent_status_int(&agent, "spool.events"), 0);
}

/* ---- what people type --------------------------------------------------------------------------- */

static void status_and_doctor_say_that_all_is_well(void **state)
{
    static const char *const status[] = { "status", NULL }, *const json[] = { "status", "--output", "json", NULL },
                      *const doctor[] = { "doctor", NULL };
    char out[32768];
    struct arena arena;
    struct json doc;
    struct err err;

    (void)state;
    assert_int_equal(agent_command(&agent, status, out, sizeof out), 0);
    assert_non_null(strstr(out, agent.node_id));
    assert_int_equal(agent_command(&agent, json, out, sizeof out), 0);
    arena_init(&arena, 8 << 20);
    assert_int_equal(json_parse(&arena, out, strlen(out), NULL, &doc, &err), 0);
    assert_string_equal(json_str(json_path(&doc, "session.state"), ""), "open");
    arena_clear(&arena);
    assert_int_equal(agent_command(&agent, doctor, out, sizeof out), 0);
    assert_null(strstr(out, "FAIL"));
    assert_non_null(strstr(out, "the server gives a session"));
}

static void an_unknown_setting_is_refused_with_its_place(void **state)
{
    struct test_agent wrong = agent;
    static const char *const config[] = { "config", NULL };
    char path[160], out[200], log[65536];

    (void)state;
    snprintf(wrong.dir, sizeof wrong.dir, "/tmp/keep-agent-wrong-%d", (int)getpid());
    mkdir(wrong.dir, 0700);
    snprintf(path, sizeof path, "%s/agent.yaml", wrong.dir);
    FILE *file = fopen(path, "w");
    fprintf(file, "receive:\n  port: 0\nspool:\n  byts: 1MiB\n");
    fclose(file);
    assert_int_equal(agent_command(&wrong, config, out, sizeof out), 1);
    snprintf(path, sizeof path, "%s.log", wrong.dir);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, log, sizeof log - 1);
    close(fd);
    log[n > 0 ? n : 0] = '\0';
    assert_non_null(strstr(log, "line 4: unknown setting spool.byts; did you mean spool.bytes?"));
    wrong.pid = 0;
    agent_close(&wrong);
}

/* ---- stopping, and being stopped ------------------------------------------------------------------- */

static void what_waits_is_sent_before_the_agent_ends(void **state)
{
    char out[100];
    static const char *const alive[] = { "status", "--alive", NULL };

    (void)state;
    for (int i = 0; i < 20; i++)
        happens("listen", "\"net\":{\"protocol\":\"tcp\",\"local_port\":8080}");
    assert_int_equal(agent_command(&agent, alive, out, sizeof out), 0);
    assert_int_equal(agent_stop(&agent, SIGTERM, 15000), 0);
    assert_int_equal(agent_status_int(&agent, "spool.events"), 0);
    assert_int_equal(agent_command(&agent, alive, out, sizeof out), 3);
    agent_start(&agent);
}

static bool says_revoked(void)
{
    struct arena arena;

    arena_init(&arena, 8 << 20);
    bool yes = str_eq(json_str(json_path(agent_status_read(&agent, &arena), "session.state"), ""), "revoked");
    arena_clear(&arena);
    return yes;
}

static void a_revoked_node_sends_no_more_says_so_and_keeps_its_bundle(void **state)
{
    static const char *const status[] = { "status", NULL };
    char path[200], out[32768];
    struct stat st;

    (void)state;
    assert_true(soon(bundle_is_shown));
    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    send_json(f, "DELETE", path, NULL, 204);
    assert_true(soon(says_revoked));
    happens("listen", "\"net\":{\"protocol\":\"tcp\",\"local_port\":8080}");
    nap_ms(2500);
    assert_int_equal(agent_status_int(&agent, "spool.events"), 1);
    assert_true(agent_status_int(&agent, "bundle.version") > 0);
    snprintf(path, sizeof path, "%s/bundle/profiles.json", agent.state);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(agent_command(&agent, status, out, sizeof out), 2);
    assert_int_equal(agent_stop(&agent, SIGTERM, 15000), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_profile_reaches_the_node_in_a_signed_bundle_and_the_server_shows_which),
        cmocka_unit_test(what_runs_is_shown_with_image_digest_and_privileges),
        cmocka_unit_test(a_stale_image_and_a_missing_sandbox_are_listed_as_running),
        cmocka_unit_test(what_is_expected_raises_no_alert),
        cmocka_unit_test(an_unexpected_program_port_and_peer_raise_one_alert_each_with_their_story),
        cmocka_unit_test(a_container_that_ends_is_no_longer_running),
        cmocka_unit_test(what_is_no_event_is_refused_by_the_receiver_and_shown),
        cmocka_unit_test(status_and_doctor_say_that_all_is_well),
        cmocka_unit_test(an_unknown_setting_is_refused_with_its_place),
        cmocka_unit_test(what_waits_is_sent_before_the_agent_ends),
        cmocka_unit_test(a_revoked_node_sends_no_more_says_so_and_keeps_its_bundle),
    };

    return cmocka_run_group_tests_name("agent", tests, open_all, close_all);
}
