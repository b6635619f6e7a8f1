/* Compose files as configuration: variables, overrides, extends, profiles, mounts. */
#include "tests/unit/config_fixture.h"

#define IN(service) "services:\n  a:\n    image: x:1\n" service

static void setting_is_judged_with_its_line(void **state)
{
    (void)state;
    check(CONFIG_AUTO, IN("    privileged: true\n    cap_add:\n      - NET_ADMIN\n      - cap_sys_admin\n    pid: host\n"));
    assert_at("privileged", DECISION_FAIL, 4, "$.services.a.privileged");
    assert_at("cap-host", DECISION_FAIL, 6, "$.services.a.cap_add[0]");
    assert_at("cap-code", DECISION_FAIL, 7, "$.services.a.cap_add[1]");
    assert_at("host-pid", DECISION_FAIL, 8, "$.services.a.pid");
    assert_int_equal(now.answer.decision, DECISION_FAIL);
}

/* ---- mounts -------------------------------------------------------------------------- */

static const struct { const char *volumes, *rule; int effect; } mounts[] = {
    { "[/var/run/docker.sock:/s]", "engine-socket", DECISION_FAIL }, { "['/run/:/host:ro']", "engine-socket", DECISION_FAIL },
    { "[/:/host]", "engine-socket", DECISION_FAIL }, { "[/var/run/../run:/x]", "engine-socket", DECISION_FAIL },
    { "['${XDG_RUNTIME_DIR}/podman/podman.sock:/x']", "engine-socket", DECISION_FAIL },
    { "['${S}:/var/run/docker.sock']", "engine-socket", DECISION_FAIL }, { "['${S}:/data']", "engine-socket", DECISION_UNKNOWN },
    { "['${S}']", "engine-socket", DECISION_UNKNOWN }, { "['${S:-/var/run/docker.sock}:/s']", "engine-socket", DECISION_FAIL },
    { "[{type: bind, source: /run/containerd, target: /x}]", "engine-socket", DECISION_FAIL },
    { "[hidden:/x]", "engine-socket", DECISION_FAIL }, { "[/etc:/x]", "host-path-root", DECISION_FAIL },
    { "['/etc/shadow:/x:ro']", "host-path-sensitive", DECISION_WARN }, { "['~/.ssh:/x']", "host-path-sensitive", DECISION_WARN },
    { "[{type: bind, source: /srv/a, target: /x, bind: {propagation: rshared}}]", "propagation-shared", DECISION_FAIL },
};

static void mounts_are_seen_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(mounts); i++) {
        check(CONFIG_COMPOSE, arena_printf(&now.arena, IN("    volumes: %s\n") "volumes: {hidden: {driver_opts: {type: none, o: bind, device: /run}}}\n", mounts[i].volumes));
        if (count(mounts[i].rule, mounts[i].effect) != 1)
            fail_msg("%s: no %s", mounts[i].volumes, mounts[i].rule);
    }
}

static void ordinary_mounts_say_nothing(void **state)
{
    static const char *const rules[] = { "engine-socket", "host-path-root", "host-path-sensitive", "propagation-shared" };

    (void)state;
    check(CONFIG_COMPOSE, IN("    volumes: [data:/var/lib/docker, ./src:/app, /anonymous, /etc/localtime:/etc/localtime:ro, /srv/shop:/shop]\nvolumes: {data: {}}\n"));
    for (size_t i = 0; i < N_ITEMS(rules); i++)
        assert_null(reason(rules[i]));
}

/* ---- variables -------------------------------------------------------------------------- */

static void value_behind_a_variable_is_unknown_never_pass(void **state)
{
    (void)state;
    check(CONFIG_COMPOSE,
          "services:\n  a:\n    image: app:${TAG}\n    privileged: ${P}\n    network_mode: $N\n    ports: ['${PORT}:80']\n");
    assert_at("privileged", DECISION_UNKNOWN, 4, "$.services.a.privileged");
    assert_at("host-network", DECISION_UNKNOWN, 5, "$.services.a.network_mode");
    assert_non_null(strstr(reason("image-tag")->message, "app:${TAG} has no value here"));
    assert_non_null(strstr(reason("port-all-interfaces")->message, "cannot be judged"));
    assert_int_equal(now.answer.decision, DECISION_UNKNOWN);
}

static void variables_follow_the_specification(void **state)
{
    static const struct { const char *text, *network; } rows[] = {
        { "${A:-host}", "host" }, { "${SET:-bridge}", "host" }, { "${EMPTY:-host}", "host" }, { "${EMPTY-host}", NULL }, { "${A-${B:-host}}", "host" },
        { "$SET", "host" }, { "${SET:+host}", "host" }, { "${QUOTED}", "host" }, { "$$SET", NULL }, { "${SET?must}", "host" },
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        const char *text = arena_printf(&now.arena, IN("    network_mode: \"%s\"\n"), rows[i].text);
        struct config_file file = { "compose.yml", text, strlen(text) };
        assert_int_equal(read_files(CONFIG_COMPOSE, &file, 1, "# c\nSET=host # x\nEMPTY=\nexport QUOTED=\"host\"\n", NULL), 0);
        judge();
        if ((reason("host-network") != NULL) != (rows[i].network != NULL) || count("host-network", DECISION_UNKNOWN) > 0)
            fail_msg("%s", rows[i].text);
    }
    assert_refused(CONFIG_COMPOSE, IN("    user: ${A\n"), "f:4:11: a variable that does not end");
    assert_refused(CONFIG_COMPOSE, IN("    user: ${}\n"), "without a name");
    assert_refused(CONFIG_COMPOSE, IN("    user: ${A!b}\n"), "not understood");
}

/* ---- several files -------------------------------------------------------------------------- */

static void override_adds_and_replaces(void **state)
{
    static const char base[] = IN("    privileged: true\n    cap_add: [KILL]\n    environment: {A: b}\n    volumes: ['/etc:/x']\n");
    static const char over[] = "services:\n  a:\n    privileged: false\n    cap_add: [SYS_ADMIN]\n    environment: ['DB_PASSWORD=hunter22']\n    volumes: ['/srv/y:/x']\n";
    struct config_file files[] = { { "compose.yml", base, sizeof base - 1 }, { "compose.override.yml", over, sizeof over - 1 } };

    (void)state;
    assert_int_equal(read_files(CONFIG_AUTO, files, 2, NULL, NULL), 0);
    judge();
    assert_null(reason("privileged"));
    assert_null(reason("host-path-root"));
    assert_at("cap-code", DECISION_FAIL, 4, "$.services.a.cap_add[1]");
    assert_string_equal(reason("cap-code")->file, "compose.override.yml");
    assert_at("env-secret", DECISION_FAIL, 5, "$.services.a.environment[1]");
}

static void extends_is_followed_within_the_files_given(void **state)
{
    static const char main_text[] = "services:\n  a:\n    extends: {file: ./common.yml, service: base}\n  b:\n    extends: a\n  c:\n    extends: {file: gone.yml, service: x}\n";
    static const char common[] = "services:\n  base:\n    image: x:1\n    ipc: host\n";
    struct config_file files[] = { { "compose.yml", main_text, sizeof main_text - 1 }, { "dir/common.yml", common, sizeof common - 1 } };

    (void)state;
    assert_int_equal(read_files(CONFIG_AUTO, files, 2, NULL, NULL), 0);
    judge();
    assert_int_equal(count("host-ipc", DECISION_FAIL), 3);      /* base, a, b */
    assert_at("incomplete", DECISION_UNKNOWN, 7, "$.services");
    assert_refused(CONFIG_COMPOSE, "services:\n  a: {extends: b}\n  b: {extends: a}\n", "round in circles");
}

static void profiles_choose_when_named(void **state)
{
    static const char text[] = "services:\n  a: {image: 'x:1', profiles: [debug], privileged: true}\n  b: {image: 'x:1'}\n";
    struct config_file file = { "f", text, sizeof text - 1 };

    (void)state;
    check(CONFIG_COMPOSE, text);
    assert_non_null(reason("privileged"));
    assert_int_equal(read_files(CONFIG_COMPOSE, &file, 1, NULL, "prod"), 0);
    judge();
    assert_null(reason("privileged"));
    assert_int_equal(now.answer.objects, 1);
}

static void files_of_version_1_and_fragments_are_refused(void **state)
{
    (void)state;
    assert_refused(CONFIG_AUTO, "web:\n  image: nginx\n", "version 1");
    assert_refused(CONFIG_COMPOSE, "volumes: {a: {}}\n", "without `services:`");
    assert_refused(CONFIG_COMPOSE, "services: {a: 7}\n", "a service is a mapping");
    assert_refused(CONFIG_COMPOSE, "services: [a]\n", "services is not a mapping");
}

/* ---- the rest ----------------------------------------------------------------------------------- */

static const struct { const char *service, *rule; } rows[] = {
    { "security_opt: ['seccomp:unconfined']", "seccomp-unconfined" }, { "security_opt: [apparmor=unconfined]", "apparmor-unconfined" },
    { "security_opt: ['label:disable']", "label-disabled" }, { "security_opt: [systempaths=unconfined]", "systempaths-unconfined" },
    { "userns_mode: host", "host-userns" }, { "uts: host", "host-uts" }, { "cgroup: host", "host-cgroup" }, { "devices: [/dev/sda:/dev/sda]", "device-host" },
    { "devices: [/dev/kvm]", "device" }, { "device_cgroup_rules: ['a *:* rwm']", "device-rule" }, { "group_add: [docker]", "group-privileged" },
    { "ports: ['80:80']", "port-all-interfaces" }, { "ports: ['0.0.0.0:8080:80']", "port-all-interfaces" }, { "ports: ['[::1]:443:443']", "port-privileged" },
    { "ports: [{target: 80, published: 8080}]", "port-all-interfaces" }, { "user: '0:1000'", "user-root" }, { "user: root", "user-root" }, { "environment: {A: b}", "user-unset" },
    { "tmpfs: ['/tmp:exec']", "tmpfs-exec" }, { "logging: {driver: none}", "log-none" }, { "healthcheck: {disable: true}", "healthcheck" },
    { "oom_kill_disable: true", "oom-protected" }, { "volumes_from: [b]", "mounts-from" }, { "use_api_socket: true", "engine-socket" },
    { "build: {context: ., privileged: true}", "build-privileged" }, { "post_start: [{command: x, privileged: true}]", "privileged" },
    { "environment: [AWS=AKIAABCDEFGHIJKLMNOP]", "env-secret" }, { "environment: {URL: 'postgres://u:secret@db/x'}", "env-secret" },
    { "build: {context: ., args: {NPM_TOKEN: abcdef}}", "env-secret" }, { "image: nginx", "image-tag" }, { "image: 'nginx:latest'", "image-tag" },
    { "image: 'nginx:1.25'", "image-digest" }, { "image: 'Bad Name'", "unreadable" }, { "cap_add: [NO_SUCH]", "cap-unknown" }, { "privileged: maybe", "unreadable" },
};

static void each_rule_finds_its_setting(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        check(CONFIG_COMPOSE, arena_printf(&now.arena, "services:\n  a:\n    %s\n", rows[i].service));
        if (reason(rows[i].rule) == NULL)
            fail_msg("%s: no %s", rows[i].service, rows[i].rule);
    }
}

static void careful_service_passes(void **state)
{
    (void)state;
    check(CONFIG_COMPOSE,
          "services:\n  a:\n    image: x@sha256:1111111111111111111111111111111111111111111111111111111111111111\n    user: '1000'\n    read_only: true\n"
          "    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n    security_opt: ['no-new-privileges:true']\n    mem_limit: 100m\n    cpus: 0.5\n    pids_limit: 50\n"
          "    ports: ['127.0.0.1:8080:80']\n    environment: {DB_PASSWORD: '${DB_PASSWORD}', TOKEN_FILE: /run/secrets/t, PASSWORD_LENGTH: '12'}\n");
    assert_int_equal(now.answer.n_reasons, 0);
    assert_int_equal(now.answer.decision, DECISION_PASS);
}

static void secret_is_never_shown(void **state)
{
    (void)state;
    check(CONFIG_COMPOSE, IN("    environment: {DB_PASSWORD: hunter22}\n"));
    assert_null(strstr(reason("env-secret")->message, "hunter22"));
}

/* ---- policies ------------------------------------------------------------------------------- */

static void policies_see_a_service_as_a_pod(void **state)
{
    static const char text[] = "services:\n  a:\n    image: x:1\n    runtime: runsc\n    labels: {tier: gold}\n    privileged: true\n    volumes: ['/srv/a:/a']\n";
    static const char own[] = "apiVersion: keep/v1\nkind: Policy\nmetadata: {name: own}\nspec:\n  stages: [deploy]\n  mode: enforce\n  match: {labels: {tier: gold}}\n"
                              "  validations:\n    - {name: no-host, each: object.spec.volumes, expression: \"!has(item.hostPath)\", message: host path}\n"
                              "    - {name: runtime, expression: \"object.spec.runtimeClassName == 'gvisor'\", message: other runtime}\n";
    struct config_file file = { "f", text, sizeof text - 1 };
    struct policy *policy = NULL;

    (void)state;
    assert_int_equal(policy_compile(own, sizeof own - 1, &now.arena, NULL, &policy, &now.err), 0);
    const struct policy *items[] = { policy };
    struct policy_set set = { .items = items, .n = 1 };
    struct config_judge how = { .policies = &set };
    assert_int_equal(read_files(CONFIG_AUTO, &file, 1, NULL, NULL), 0);
    assert_int_equal(config_judge(&now.config, &how, &now.arena, &now.answer, &now.err), 0);
    assert_non_null(reason("no-host"));
    assert_int_equal(reason("no-host")->line, 7);
    assert_int_equal(reason("runtime")->effect, DECISION_FAIL);
    assert_non_null(reason("privileged"));
    assert_null(reason("hostPathVolumes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(setting_is_judged_with_its_line), TEST(mounts_are_seen_through), TEST(ordinary_mounts_say_nothing),
        TEST(value_behind_a_variable_is_unknown_never_pass), TEST(variables_follow_the_specification), TEST(override_adds_and_replaces),
        TEST(extends_is_followed_within_the_files_given), TEST(profiles_choose_when_named), TEST(files_of_version_1_and_fragments_are_refused),
        TEST(each_rule_finds_its_setting), TEST(careful_service_passes), TEST(secret_is_never_shown), TEST(policies_see_a_service_as_a_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
