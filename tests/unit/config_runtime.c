/* docker inspect, docker run and OCI runtime settings as configuration. */
#include "tests/unit/config_fixture.h"

static const char inspect[] =
    "[{\"Id\":\"c1\",\"Name\":\"/web\",\"Config\":{\"Image\":\"nginx:1.25\",\"User\":\"\",\"Env\":[\"DB_PASSWORD=hunter22\"],\"Healthcheck\":{\"Test\":[\"NONE\"]}},\n"
    "\"HostConfig\":{\"Privileged\":true,\"Binds\":[\"/var/run/docker.sock:/s:ro\"],\"NetworkMode\":\"host\",\"CapAdd\":[\"CAP_SYS_ADMIN\"],\n"
    "\"SecurityOpt\":[\"seccomp=unconfined\"],\"Memory\":0,\"NanoCpus\":5000,\"Devices\":[{\"PathOnHost\":\"/dev/sda\"}],\n"
    "\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]},\"LogConfig\":{\"Type\":\"none\"}},\n"
    "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"Destination\":\"/d\",\"RW\":true,\"Propagation\":\"rshared\"}]}]";

static void inspected_container_is_judged(void **state)
{
    static const char *const rules[] = { "engine-socket", "host-network", "cap-code", "seccomp-unconfined", "device-host", "port-all-interfaces", "log-none",
                                         "memory-limit", "propagation-shared", "env-secret", "healthcheck", "host-path-sensitive" };

    (void)state;
    check(CONFIG_AUTO, inspect);
    assert_at("privileged", DECISION_FAIL, 2, "$[0].HostConfig.Privileged");
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        if (reason(rules[i]) == NULL)
            fail_msg("no %s", rules[i]);
    }
    assert_null(reason("cpu-limit"));
    assert_string_equal(now.config.objects[0].name, "container web");
}

static void inspected_image_is_refused(void **state)
{
    (void)state;
    assert_refused(CONFIG_AUTO, "[{\"Id\":\"sha256:1\",\"RootFS\":{},\"Config\":{}}]", "describes an image");
    assert_refused(CONFIG_INSPECT, "[1]", "HostConfig is missing");
}

/* ---- docker run ------------------------------------------------------------------------ */

static const struct { const char *command, *rule; int effect; } commands[] = {
    { "docker run --privileged x:1", "privileged", DECISION_FAIL }, { "docker run --privileged=false x:1 --privileged", "privileged", DECISION_PASS },
    { "docker run -v /var/run/docker.sock:/s x:1", "engine-socket", DECISION_FAIL }, { "docker run -v\"$S\":/data x:1", "engine-socket", DECISION_UNKNOWN },
    { "sudo docker container run -it --rm --net=host x:1", "host-network", DECISION_FAIL }, { "docker run -p80:80 x:1", "port-all-interfaces", DECISION_WARN },
    { "docker run --publish=127.0.0.1:8080:80 x:1", "port-all-interfaces", DECISION_PASS }, { "docker run --mount type=bind,source=/,target=/h x:1", "host-path-root", DECISION_FAIL },
    { "docker run -e API_TOKEN=abcdef x:1", "env-secret", DECISION_FAIL }, { "docker run -e API_TOKEN=$(cat t) x:1", "env-secret", DECISION_PASS },
    { "docker run --security-opt \\\n  seccomp=unconfined x:1", "seccomp-unconfined", DECISION_FAIL }, { "podman run --pid host x:1", "host-pid", DECISION_FAIL },
    { "docker run \"$IMAGE\"", "image-tag", DECISION_WARN }, { "docker run -itd x", "image-tag", DECISION_WARN }, { "docker run -u0 x:1", "user-root", DECISION_WARN },
    { "docker run --tmpfs /t:exec x:1", "tmpfs-exec", DECISION_WARN }, { "docker run -- x:1", "user-unset", DECISION_WARN },
};

static void commands_are_read_by_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(commands); i++) {
        check(CONFIG_AUTO, commands[i].command);
        bool agreed = commands[i].effect == DECISION_PASS ? reason(commands[i].rule) == NULL : count(commands[i].rule, commands[i].effect) > 0;
        if (!agreed)
            fail_msg("%s: %s", commands[i].command, commands[i].rule);
    }
}

static void words_of_a_command_have_places(void **state)
{
    (void)state;
    check(CONFIG_RUN, "docker run \\\n  --cap-add NET_ADMIN \\\n  x:1\n");
    assert_at("cap-host", DECISION_FAIL, 2, "--cap-add");
    assert_int_equal(reason("cap-host")->column, 3);
}

static void unknown_options_are_refused(void **state)
{
    (void)state;
    assert_refused(CONFIG_RUN, "docker run --privilegd x", "f:1:12: an option that docker run does not have");
    assert_refused(CONFIG_RUN, "docker run -Z x", "does not have");
    assert_refused(CONFIG_RUN, "docker run -v", "without its value");
    assert_refused(CONFIG_RUN, "docker run --rm", "no image is named");
}

static void arguments_become_one_text_and_words_again(void **state)
{
    static const char *const argv[] = { "run", "-e", "A='b c' $D", "--name", "", "x:1" };

    (void)state;
    const char *text = config_command_text(&now.arena, argv, N_ITEMS(argv));
    check(CONFIG_RUN, text);
    const struct json *env = json_get(json_at(json_path(now.config.objects[0].object, "spec.containers"), 0), "env");
    assert_string_equal(json_get_str(json_at(env, 0), "value", ""), "'b c' $D");
}

/* ---- OCI ----------------------------------------------------------------------------------- */

static const char oci[] =
    "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":1000},\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}},\n"
    "\"root\":{\"path\":\"r\",\"readonly\":true},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}%s],\n"
    "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"},\"maskedPaths\":[\"/proc/kcore\"],\"resources\":{\"memory\":{\"limit\":1},\"pids\":{\"limit\":1},"
    "\"cpu\":{\"quota\":1}},\n\"namespaces\":[{\"type\":\"network\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"cgroup\"}]}}";

static void careful_bundle_passes(void **state)
{
    (void)state;
    check(CONFIG_AUTO, arena_printf(&now.arena, oci, ""));
    assert_int_equal(now.answer.n_reasons, 0);
}

static void what_a_bundle_leaves_out_is_open(void **state)
{
    static const char *const rules[] = { "host-network", "host-pid", "host-ipc", "seccomp-unconfined", "systempaths-unconfined", "user-root", "no-new-privileges" };

    (void)state;
    check(CONFIG_AUTO, "{\"ociVersion\":\"1.0.2\",\"process\":{},\"root\":{\"path\":\"r\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]}}");
    for (size_t i = 0; i < N_ITEMS(rules); i++) {
        if (reason(rules[i]) == NULL)
            fail_msg("no %s", rules[i]);
    }
    check(CONFIG_AUTO, arena_printf(&now.arena, oci, ",{\"destination\":\"/h\",\"type\":\"bind\",\"source\":\"/run\",\"options\":[\"rbind\",\"ro\"]}"));
    assert_at("engine-socket", DECISION_FAIL, 2, "$.mounts[1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(inspected_container_is_judged), TEST(inspected_image_is_refused), TEST(commands_are_read_by_table), TEST(words_of_a_command_have_places),
        TEST(unknown_options_are_refused), TEST(arguments_become_one_text_and_words_again), TEST(careful_bundle_passes), TEST(what_a_bundle_leaves_out_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
