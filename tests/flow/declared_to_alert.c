/* From what a developer declares to what a node sees, with a real keepd, keepctl,
 * keep-agent and crun: a profile signed by CI and pushed, approved, in force on the node
 * by a signed bundle; what runs, with image, digest and privileges; expected programs,
 * ports and peers raise nothing, unexpected ones one alert each with its story, told by
 * Falco through the agent's receiver and by the agent's own sensors; a stale image and a
 * missing sandbox are listed as running. */
#include "tests/flow/run_ctl.h"
#include "tests/flow/upload.h"
#include "tests/flow/wall.h"
#include "tests/support/agent.h"

#define SHOP  "5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b5a0b"
#define OLD   "01d001d001d001d001d001d001d001d001d001d001d001d001d001d001d001d0"
#define VAULT "7a017a017a017a017a017a017a017a017a017a017a017a017a017a017a017a01"

static struct fixture *f;
static struct test_agent agent;
static bool has_crun, has_sensors;
static char folder[64], fresh[72], stale[72], out[200000];

static const char profile[] =
    "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: shop.example/app\n  mode: monitor\n"
    "  executables: [{path: /bin/inside}]\n  listens: [{port: 8080}]\n"
    "  egress: [{cidr: 10.20.0.0/16, ports: [5432]}]\n";

/* ---- the stage ------------------------------------------------------------------------ */

static const char *file_at(const char *name)
{
    static char path[2][160];
    static int which;

    which ^= 1;
    snprintf(path[which], sizeof path[which], "%s/%s", folder, name);
    return path[which];
}

static void write_text(const char *name, const char *text)
{
    int fd = open(file_at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void write_key(void)
{
    struct buf pem;
    struct err err;

    buf_init(&pem, 8192);
    assert_int_equal(privkey_to_pem(f->keepd.key, &pem, &err), 0);
    write_text("ci.key", pem.ptr);
    buf_free(&pem);
}

static void scan_images(void)
{
    struct report_spec s = spec_of(1);

    s.harmless = true;
    image_digest(1, fresh);
    upload(f, &s, 201);
    s = spec_of(2);
    s.repository = "shop.example/old";
    s.scanned_ms = time_now_ms() - 30 * MS_DAY;
    s.db_built_ms = s.scanned_ms - MS_HOUR;
    image_digest(2, stale);
    upload(f, &s, 201);
}

static void run_one(const char *id, const char *image, const char *digest, const char *name, const char *label, bool privileged)
{
    static const char *const strong[] = { "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN", NULL };
    char reference[160], pod[80], container[80];

    snprintf(reference, sizeof reference, "io.kubernetes.cri.image-name=%s@%s", image, digest);
    snprintf(pod, sizeof pod, "io.kubernetes.cri.sandbox-name=%s-0", name);
    snprintf(container, sizeof container, "io.kubernetes.cri.container-name=%s", name);
    const char *const notes[] = { reference, pod, container, "io.kubernetes.cri.sandbox-namespace=shop", label, NULL };
    static const char *const idle[] = { "/bin/inside", "sleep", "600", NULL };
    char inside[600], evil[640];

    tricks_path(inside, sizeof inside - 32);                    /* both are there before the container is */
    snprintf(evil, sizeof evil, "%s:/bin/evil:ro", inside);
    strncat(inside, ":/bin/inside:ro", 20);
    const char *const binds[] = { inside, evil, NULL };
    crun_run(&g.c, &(struct crun_spec){ .id = id, .argv = idle, .annotations = notes, .binds = binds, .is_privileged = privileged,
                                        .capabilities = privileged ? NULL : strong });
}

static void run_containers(void)
{
    run_one(SHOP, "shop.example/app:1.0", fresh, "shop", NULL, false);
    run_one(OLD, "shop.example/old:1.0", stale, "old", NULL, true);
    run_one(VAULT, "shop.example/app:1.0", fresh, "vault", "keep/sensitive=true", false);
}

static void begin_agent(void)
{
    static char settings[1000];

    snprintf(settings, sizeof settings, "receive: {port: 0}\nsend: {linger: 0s}\ninventory: {interval: 1s, root: \"%s\"}\nstatus: {interval: 1s}\n"
             "poll: {wait: 2s, interval: 1s}\nwalls: {enabled: %s, cgroup: \"%s\", pins: \"%s\", off_file: \"%s\"}\n",
             has_crun ? g.c.dir : "/nonexistent", has_sensors ? "true" : "false", has_sensors ? g.cgroup : "/sys/fs/cgroup",
             has_sensors ? g.pins : "/nonexistent", has_sensors ? g.off : "/nonexistent");
    agent_open(&agent, &f->keepd, NULL, settings);
    agent_start(&agent);
}

static int open_all(void **state)
{
    has_sensors = ground_open();
    if (!has_sensors)
        printf("the agent's own sensors: left out: %s\n", g.why);
    has_crun = has_sensors || crun_open(&g.c, g.why, sizeof g.why) == 0;
    if (!has_crun)
        printf("real containers: left out: %s\n", g.why);
    fixture_open(state);
    f = *state;
    snprintf(folder, sizeof folder, "/tmp/keep-story-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_key();
    scan_images();
    if (has_crun)
        run_containers();
    begin_agent();
    return 0;
}

static int close_all(void **state)
{
    agent_close(&agent);
    if (has_sensors)
        ground_close();
    else if (has_crun)
        crun_close(&g.c);
    (void)unlink(file_at("ci.key"));
    (void)unlink(file_at("shop.yaml"));
    (void)unlink(file_at("config.json"));
    (void)rmdir(folder);
    return fixture_close(state);
}

#define CTL(role, ...) KEEPCTL(&f->keepd, role, out, __VA_ARGS__)

static void expect(int code, int got)
{
    if (code != got)
        fail_msg("keepctl: exit code %d, expected %d\n%s", got, code, out);
}

static void says(const char *what)
{
    if (strstr(out, what) == NULL)
        fail_msg("not in the output: %s\n%s", what, out);
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

static uint32_t items_of(const char *path)
{
    return json_len(json_get(get(f, path, 200), "items"));
}

/* ---- declared, approved, in force ----------------------------------------------------- */

static bool is_in_force(void)
{
    char path[120];

    snprintf(path, sizeof path, "/v1/nodes/%s", agent.node_id);
    int64_t here = agent_status_int(&agent, "bundle.version");
    return here > 0 && json_int(json_get(get(f, path, 200), "bundle_version"), 0) == here;
}

static bool profile_is_on_the_node(void)
{
    char path[200], text[65536];

    snprintf(path, sizeof path, "%s/bundle/profiles.json", agent.state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, "/bin/inside") != NULL && is_in_force();
}

static void what_ci_declares_counts_once_somebody_approved_it(void **state)
{
    (void)state;
    write_text("config.json", "{\"config\":{\"Entrypoint\":[\"/bin/inside\"],\"ExposedPorts\":{\"8080/tcp\":{}}}}");
    expect(0, CTL(ROLE_CI, "profile", "init", "--config", file_at("config.json"), "--image", "shop.example/app"));
    says("path: /bin/inside");
    says("port: 8080");
    write_text("shop.yaml", profile);                      /* the draft, and whom it talks to */
    expect(0, CTL(ROLE_CI, "profile", "check", file_at("shop.yaml")));
    expect(4, CTL(ROLE_CI, "profile", "push", file_at("shop.yaml")));                       /* not signed */
    expect(0, CTL(ROLE_CI, "profile", "push", file_at("shop.yaml"), "--key", file_at("ci.key")));
    says("declared version 1 of shop.example/app");
    assert_false(profile_is_on_the_node());
    assert_int_not_equal(CTL(ROLE_CI, "profile", "approve", "shop.example/app", "--version", "1", "--reason", "my own"), 0);
    expect(0, CTL(ROLE_POLICY, "profile", "approve", "shop.example/app", "--version", "1", "--reason", "read it"));
    says("in mode monitor");
}

static void the_signed_bundle_brings_it_to_the_node(void **state)
{
    (void)state;
    assert_true(soon(profile_is_on_the_node));
    expect(0, CTL(ROLE_VIEWER, "node", "list"));
    says(agent.node_id);
    says("enrolled");
    const struct json *bundles = get(f, "/v1/bundles", 200), *b = json_at(json_get(bundles, "items"), 0);
    assert_non_null(b);
    assert_string_equal(text_at(b, "scope"), "test");
}

/* ---- what runs -------------------------------------------------------------------------- */

static bool all_are_listed(void)
{
    return items_of("/v1/containers") == 3;
}

static const struct json *container_at(const char *id)
{
    char path[200];

    snprintf(path, sizeof path, "/v1/containers/%s/%s", agent.node_id, id);
    return get(f, path, 200);
}

static void what_runs_is_listed_with_image_digest_and_privileges(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    assert_true(soon(all_are_listed));
    const struct json *c = container_at(SHOP);
    assert_string_equal(text_at(c, "digest"), fresh);
    assert_string_equal(text_at(c, "namespace"), "shop");
    assert_string_equal(text_at(c, "engine"), "crun");
    assert_false(json_bool(json_get(c, "privileged"), true));
    assert_int_equal(json_len(json_path(c, "container.capabilities")), 2);
    c = container_at(OLD);
    assert_string_equal(text_at(c, "digest"), stale);
    assert_true(json_bool(json_get(c, "privileged"), false));
    expect(0, CTL(ROLE_VIEWER, "container", "list"));
    says("shop.example/app");
    says("shop.example/old");
}

static bool vault_is_missed(void)
{
    return items_of("/v1/containers?policy=sandbox-required") == 1;
}

static void a_stale_image_and_a_missing_sandbox_are_listed_as_running(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    const struct json *items = json_get(get(f, "/v1/containers?stale=true", 200), "items");
    assert_int_equal(json_len(items), 1);
    assert_string_equal(text_at(json_at(items, 0), "id"), OLD);
    assert_true(soon(vault_is_missed));
    items = json_get(get(f, "/v1/containers?policy=sandbox-required", 200), "items");
    assert_string_equal(text_at(json_at(items, 0), "id"), VAULT);
    expect(0, CTL(ROLE_VIEWER, "container", "list", "--stale"));
    says("old");
    assert_null(strstr(out, "vault"));
    expect(0, CTL(ROLE_VIEWER, "container", "list", "--policy", "sandbox-required"));
    says("vault");
}

/* ---- what happens, as Falco tells it ------------------------------------------------------ */

static void falco(const char *priority, const char *rule, const char *fields)
{
    char now[TIME_TEXT], body[2400];
    struct client c;

    time_format(time_now_ms(), now);
    snprintf(body, sizeof body, "{\"hostname\":\"worker\",\"output\":\"%s: %s\",\"output_fields\":{\"container.id\":\"%.12s\",\"evt.time\":%lld,%s},"
             "\"priority\":\"%s\",\"rule\":\"%s\",\"source\":\"syscall\",\"tags\":[\"container\"],\"time\":\"%s\"}",
             now, rule, SHOP, (long long)time_now_ms() * 1000000, fields, priority, rule, now);
    client_init(&c, agent.port);
    struct reply r = client_send(&c, &(struct ask){ "POST", "/", NULL, "Content-Type: application/json\r\n", body, strlen(body) });
    assert_int_equal(r.status, 200);
    client_free(&c);
}

#define BY(exe) "\"proc.exepath\":\"" exe "\",\"proc.name\":\"inside\",\"proc.pexepath\":\"/bin/inside\",\"proc.pname\":\"inside\",\"proc.pid\":77,\"user.name\":\"root\","

static void falco_sees_a_program(const char *priority, const char *fields) { falco(priority, "Program started in container", fields); }

static void wait_until_stored(void)
{
    nap_ms(1200);
    assert_true(agent_wait_for(&agent, "spool.events", 0, 20000));
}

static void expected_things_raise_nothing(void **state)
{
    char ignored[256];

    (void)state;
    if (!has_crun)
        skip();
    falco_sees_a_program("Informational", BY("/bin/inside") "\"evt.type\":\"execve\",\"proc.cmdline\":\"inside listen 8080\"");
    falco("Informational", "Server port opened", BY("/bin/inside") "\"evt.type\":\"listen\",\"fd.l4proto\":\"tcp\",\"fd.lport\":8080,\"fd.name\":\"0.0.0.0:8080\"");
    falco("Informational", "Outbound connection", BY("/bin/inside") "\"evt.type\":\"connect\",\"fd.l4proto\":\"tcp\",\"fd.rip\":\"10.20.3.4\",\"fd.rport\":5432,"
          "\"fd.name\":\"10.1.0.5:41000->10.20.3.4:5432\"");
    if (has_sensors) {
        INSIDE(SHOP, ignored, "run", "/bin/inside", "say", "hello");
        INSIDE(SHOP, ignored, "bind", "0.0.0.0", "8080", "tcp");
        INSIDE(SHOP, ignored, "dial", "10.20.3.4", "5432");
        INSIDE(VAULT, ignored, "run", "/bin/inside", "say", "hello");
    }
    wait_until_stored();
    assert_true(items_of("/v1/events") >= 3);
    expect(0, CTL(ROLE_VIEWER, "alert", "list"));
    if (items_of("/v1/alerts") != 0)
        fail_msg("%s", out);
}

static bool three_alerts(void)
{
    return items_of("/v1/alerts") >= 3;
}

static const struct json *alert_of(const char *rule)
{
    char path[160];

    snprintf(path, sizeof path, "/v1/alerts?rule=%s", rule);
    const struct json *items = json_get(get(f, path, 200), "items");
    if (json_len(items) != 1)
        fail_msg("%u alerts of %s", json_len(items), rule);
    snprintf(path, sizeof path, "/v1/alerts/%lld", (long long)json_int(json_get(json_at(items, 0), "id"), 0));
    return get(f, path, 200);
}

static void assert_story(const struct json *a, const char *subject, const char *expected)
{
    assert_string_equal(text_at(a, "subject"), subject);
    assert_string_equal(text_at(a, "state"), "open");
    assert_true(str_starts(text_at(a, "story.chain"), subject[0] == '/' ? subject : "/bin/inside"));
    assert_true(str_starts(SHOP, text_at(a, "story.container.id")));
    assert_string_equal(text_at(a, "story.container.pod"), "shop-0");
    assert_string_equal(text_at(a, "story.image.repository"), "shop.example/app");
    assert_string_equal(text_at(a, "story.image.digest"), fresh);
    assert_string_equal(text_at(a, "story.image.known_by"), "container");
    assert_string_equal(text_at(a, "story.image.freshness"), "fresh");
    assert_non_null(json_path(a, "story.image.verdict"));
    assert_string_equal(text_at(a, "story.profile.name"), "shop");
    assert_string_equal(text_at(a, "story.profile.mode"), "monitor");
    if (strstr(text_at(a, "story.profile.expected"), expected) == NULL)
        fail_msg("expected: %s", text_at(a, "story.profile.expected"));
    assert_string_equal(text_at(a, "story.node.id"), agent.node_id);
}

static void three_stories(void)
{
    assert_story(alert_of("drift/unexpected-executable"), "/bin/evil", "/bin/inside");
    assert_story(alert_of("drift/unexpected-port"), "tcp/4444", "8080");
    assert_story(alert_of("drift/unexpected-peer"), "10.66.0.9 port 443", "10.20.0.0/16");
}

/* Falco calls them alerts itself: still one each. */
static void what_falco_tells_of_unexpected_things_is_one_alert_each_with_its_story(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    for (int i = 0; i < 3; i++) {
        falco_sees_a_program("Warning", BY("/bin/evil") "\"evt.type\":\"execve\",\"proc.cmdline\":\"evil --pool x\"");
        falco("Warning", "Server port opened", BY("/bin/inside") "\"evt.type\":\"listen\",\"fd.l4proto\":\"tcp\",\"fd.lport\":4444,\"fd.name\":\"0.0.0.0:4444\"");
        falco("Notice", "Outbound connection", BY("/bin/inside") "\"evt.type\":\"connect\",\"fd.l4proto\":\"tcp\",\"fd.rip\":\"10.66.0.9\",\"fd.rport\":443,"
              "\"fd.name\":\"10.1.0.5:41000->10.66.0.9:443\"");
    }
    wait_until_stored();
    assert_true(soon(three_alerts));
    assert_int_equal(items_of("/v1/alerts"), 3);
    three_stories();
    assert_int_equal(json_int(json_get(alert_of("drift/unexpected-executable"), "count"), 0), 3);
}

/* ---- and as the agent sees it itself ------------------------------------------------------- */

static int64_t counts(void)
{
    const struct json *items = json_get(get(f, "/v1/alerts", 200), "items");
    int64_t n = 0;

    for (uint32_t i = 0; i < json_len(items); i++)
        n += json_int(json_get(json_at(items, i), "count"), 0);
    return n;
}

static bool sensors_have_told(void)
{
    return counts() >= 12;
}

static void what_the_agent_itself_sees_is_added_to_the_same_alerts(void **state)
{
    char said[256];

    (void)state;
    if (!has_sensors)
        skip();
    INSIDE(SHOP, said, "run", "/bin/evil");
    assert_string_equal(said, "I ran\nstatus 0\n");        /* monitor hinders nobody */
    INSIDE(SHOP, said, "bind", "0.0.0.0", "4444", "tcp");
    assert_string_equal(said, "bind: ok\n");
    INSIDE(SHOP, said, "dial", "10.66.0.9", "443");
    assert_true(soon(sensors_have_told));
    wait_until_stored();
    expect(0, CTL(ROLE_VIEWER, "alert", "list"));
    if (items_of("/v1/alerts") != 3)
        fail_msg("%s", out);
    three_stories();
    static const char *const rules[] = { "drift/unexpected-executable", "drift/unexpected-port", "drift/unexpected-peer" };
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        const struct json *events = json_get(alert_of(rules[i]), "events");
        bool own = false;
        for (uint32_t e = 0; e < json_len(events); e++)
            own |= str_eq(text_at(json_at(events, e), "event.source"), "agent") && str_eq(text_at(json_at(events, e), "event.container.id"), SHOP);
        if (!own)
            fail_msg("%s: the agent's own event is not there", rules[i]);
    }
}

/* ---- what people do with it ------------------------------------------------------------------ */

static void people_see_it_take_it_on_and_end_it(void **state)
{
    char id[32];

    (void)state;
    if (!has_crun)
        skip();
    expect(0, CTL(ROLE_VIEWER, "alert", "list"));
    says("drift/unexpected-executable");
    says("drift/unexpected-port");
    says("drift/unexpected-peer");
    snprintf(id, sizeof id, "%lld", (long long)json_int(json_get(alert_of("drift/unexpected-executable"), "id"), 0));
    expect(0, CTL(ROLE_VIEWER, "alert", "show", id));
    says("/bin/evil <- /bin/inside");
    says("shop.example/app");
    says("NODE ");
    assert_int_not_equal(CTL(ROLE_VIEWER, "alert", "ack", id), 0);
    expect(0, CTL(ROLE_ANALYST, "alert", "ack", id, "--note", "looking"));
    expect(0, CTL(ROLE_ANALYST, "alert", "resolve", id));
    expect(0, CTL(ROLE_VIEWER, "event", "list", "--kind", "exec", "--limit", "50"));
    says("/bin/evil");
    expect(0, CTL(ROLE_VIEWER, "profile", "diff", "shop.example/app"));
    says("/bin/evil");
}

static bool nothing_is_stale(void)
{
    return items_of("/v1/containers?stale=true") == 0;
}

static void what_has_ended_is_not_running(void **state)
{
    (void)state;
    if (!has_crun)
        skip();
    crun_kill(&g.c, OLD, SIGKILL);
    crun_delete(&g.c, OLD);
    assert_true(soon(nothing_is_stale));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ci_declares_counts_once_somebody_approved_it),
        cmocka_unit_test(the_signed_bundle_brings_it_to_the_node),
        cmocka_unit_test(what_runs_is_listed_with_image_digest_and_privileges),
        cmocka_unit_test(a_stale_image_and_a_missing_sandbox_are_listed_as_running),
        cmocka_unit_test(expected_things_raise_nothing),
        cmocka_unit_test(what_falco_tells_of_unexpected_things_is_one_alert_each_with_its_story),
        cmocka_unit_test(what_the_agent_itself_sees_is_added_to_the_same_alerts),
        cmocka_unit_test(people_see_it_take_it_on_and_end_it),
        cmocka_unit_test(what_has_ended_is_not_running),
    };

    return cmocka_run_group_tests_name("from a declaration to an alert", tests, open_all, close_all);
}
