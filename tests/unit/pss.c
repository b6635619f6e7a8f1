/* Pod Security Standards: what each check says of a pod, and of what is no pod. */
#include "core/pss/pss.h"

#include "base/str.h"
#include "wire/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static size_t check(const char *yaml, enum pss_level level, int minor, struct pss_violation **v)
{
    struct err err = { 0 };
    struct json *object = arena_alloc(&arena, sizeof *object);
    size_t n;

    if (yaml_parse(&arena, yaml, strlen(yaml), NULL, object, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(pss_check(object, level, minor, &arena, v, &n, &err), 0);
    return n;
}

/* A pod with this spec, in flow style. */
static const char *pod(const char *spec)
{
    return arena_printf(&arena, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: %s}", spec);
}

static const char *message(const char *yaml, enum pss_level level, const char *version)
{
    struct pss_violation *v;
    int minor;

    assert_true(pss_version_from_text(version, &minor));
    size_t n = check(yaml, level, minor, &v);
    return n == 0 ? "" : pss_message(&arena, level, version, v, n);
}

#define GOOD "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
#define POD_GOOD "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}"

/* ---- words, one row per check ------------------------------------------------------- */

static const struct { const char *spec, *version; enum pss_level level; const char *says; } rows[] = {
    { "{hostNetwork: true, hostPID: true, hostIPC: true}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)" },
    { "{containers: [{name: a, securityContext: {privileged: true}}, {name: b, securityContext: {privileged: true}}]}", "v1.29", PSS_BASELINE,
      "violates PodSecurity \"baseline:v1.29\": privileged (containers \"a\", \"b\" must not set securityContext.privileged=true)" },
    { "{containers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN, NET_RAW, SYS_ADMIN, CHOWN]}}}]}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": non-default capabilities (container \"a\" must not include \"NET_RAW\", \"SYS_ADMIN\" in "
      "securityContext.capabilities.add)" },
    { "{volumes: [{name: x, hostPath: {path: /}}]}", "latest", PSS_BASELINE, "violates PodSecurity \"baseline:latest\": hostPath volumes (volume \"x\")" },
    { "{containers: [{name: a, ports: [{hostPort: 90}, {hostPort: 100}, {hostPort: 0}]}]}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": hostPort (container \"a\" uses hostPorts 100, 90)" },
    { "{containers: [{name: a, livenessProbe: {httpGet: {host: 10.0.0.1}}, lifecycle: {preStop: {tcpSocket: {host: x}}}}]}", "1.34", PSS_BASELINE,
      "violates PodSecurity \"baseline:1.34\": probe or lifecycle host (container \"a\" uses probe or lifecycle hosts \"10.0.0.1\", \"x\")" },
    { "{containers: [{name: a, livenessProbe: {httpGet: {host: 10.0.0.1}}}]}", "1.33", PSS_BASELINE, "" },
    { "{containers: [{name: a, securityContext: {procMount: Unmasked}}]}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")" },
    { "{hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}", "1.35", PSS_BASELINE, "" },
    { "{hostUsers: false, containers: [{name: a, securityContext: {procMount: Unmasked}}]}", "1.34", PSS_BASELINE,
      "violates PodSecurity \"baseline:1.34\": procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")" },
    { "{securityContext: {seLinuxOptions: {type: spc_t, user: u}}, containers: [{name: a, securityContext: {seLinuxOptions: {role: r}}}]}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": seLinuxOptions (pod and container \"a\" set forbidden securityContext.seLinuxOptions: type \"spc_t\"; "
      "user may not be set; role may not be set)" },
    { "{securityContext: {seLinuxOptions: {type: container_engine_t}}}", "1.31", PSS_BASELINE, "" },
    { "{securityContext: {seLinuxOptions: {type: container_engine_t}}}", "1.30", PSS_BASELINE,
      "violates PodSecurity \"baseline:1.30\": seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"container_engine_t\")" },
    { "{securityContext: {seccompProfile: {type: Unconfined}}}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")" },
    { "{securityContext: {sysctls: [{name: kernel.msgmax}, {name: net.ipv4.tcp_rmem}]}}", "1.31", PSS_BASELINE,
      "violates PodSecurity \"baseline:1.31\": forbidden sysctls (kernel.msgmax, net.ipv4.tcp_rmem)" },
    { "{securityContext: {sysctls: [{name: net.ipv4.tcp_rmem}]}}", "1.32", PSS_BASELINE, "" },
    { "{securityContext: {windowsOptions: {hostProcess: true}}}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)" },
    { "{securityContext: {appArmorProfile: {type: Unconfined}}}", "latest", PSS_BASELINE,
      "violates PodSecurity \"baseline:latest\": forbidden AppArmor profile (pod must not set AppArmor profile type to \"Unconfined\")" },
    { "{" POD_GOOD ", containers: [{name: a, " GOOD "}]}", "latest", PSS_RESTRICTED, "" },
    { "{" POD_GOOD ", containers: [{name: a, securityContext: {capabilities: {drop: [ALL]}}}]}", "latest", PSS_RESTRICTED,
      "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"a\" must set securityContext.allowPrivilegeEscalation=false)" },
    { "{" POD_GOOD ", containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CHOWN, NET_BIND_SERVICE]}}}]}", "latest",
      PSS_RESTRICTED, "violates PodSecurity \"restricted:latest\": unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]; "
      "container \"a\" must not include \"CHOWN\" in securityContext.capabilities.add)" },
    { "{" POD_GOOD ", volumes: [{name: a, nfs: {}}, {name: b, hostPath: {path: /}}, {name: c, later: {}}, {name: d}]}", "latest", PSS_RESTRICTED,
      "violates PodSecurity \"restricted:latest\": restricted volume types (volumes \"a\", \"b\", \"c\" use restricted volume types \"hostPath\", \"nfs\", \"unknown\")" },
    { "{securityContext: {runAsNonRoot: true, runAsUser: 0, seccompProfile: {type: Localhost}}, containers: [{name: a, " GOOD "}]}", "latest", PSS_RESTRICTED,
      "violates PodSecurity \"restricted:latest\": runAsUser=0 (pod must not set runAsUser=0)" },
    { "{securityContext: {runAsUser: 0, runAsNonRoot: false, seccompProfile: {type: Localhost}}, hostUsers: false, containers: [{name: a, " GOOD "}]}", "1.35",
      PSS_RESTRICTED, "" },
    { "{securityContext: {seccompProfile: {type: Localhost}}, containers: [{name: a, " GOOD "}]}", "latest", PSS_RESTRICTED,
      "violates PodSecurity \"restricted:latest\": runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)" },
    { "{securityContext: {runAsNonRoot: true}, containers: [{name: a, " GOOD "}]}", "latest", PSS_RESTRICTED,
      "violates PodSecurity \"restricted:latest\": seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")" },
    { "{os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: a}]}", "1.25", PSS_RESTRICTED, "" },
    { "{hostNetwork: true, containers: [{name: a, securityContext: {privileged: true}}]}", "latest", PSS_PRIVILEGED, "" },
    { "hello", "latest", PSS_PRIVILEGED, "" },
};

static void each_check_speaks_as_kubernetes_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        assert_string_equal(message(pod(rows[i].spec), rows[i].level, rows[i].version), rows[i].says);
}

static void annotations_count_where_fields_did_not_exist_yet(void **state)
{
    static const char yaml[] =
        "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    container.seccomp.security.alpha.kubernetes.io/a: \"un\\nconfined\"\n"
        "    container.seccomp.security.alpha.kubernetes.io/gone: unconfined\n    seccomp.security.alpha.kubernetes.io/pod: localhost/x\n"
        "    container.apparmor.security.beta.kubernetes.io/gone: unconfined\n"
        "spec: {containers: [{name: a}]}\n";

    (void)state;
    assert_string_equal(message(yaml, PSS_BASELINE, "1.18"),
                        "violates PodSecurity \"baseline:1.18\": forbidden AppArmor profile (annotation must not set AppArmor profile type to "
                        "\"container.apparmor.security.beta.kubernetes.io/gone=\"unconfined\"\"), seccompProfile (forbidden annotation "
                        "container.seccomp.security.alpha.kubernetes.io/a=\"un\\nconfined\")");
}

/* ---- defaults and types ----------------------------------------------------------------- */

static void port_of_a_pod_on_the_hosts_network_is_the_hosts(void **state)
{
    struct pss_violation *v;

    (void)state;
    assert_int_equal(check(pod("{hostNetwork: true, containers: [{name: a, ports: [{containerPort: 80}]}]}"), PSS_BASELINE, 37, &v), 2);
    assert_string_equal(v[1].id, "hostPorts");
    assert_string_equal(v[1].places[0].path, "$.spec.containers[0].ports[0].containerPort");
}

static void null_is_not_false(void **state)
{
    (void)state;
    assert_string_not_equal(message(pod("{" POD_GOOD ", containers: [{name: a, securityContext: {allowPrivilegeEscalation: null, capabilities: {drop: [ALL]}}}]}"),
                                    PSS_RESTRICTED, "latest"), "");
    assert_string_equal(message(pod("{hostNetwork: null, volumes: null, containers: [{name: a, securityContext: null}]}"), PSS_BASELINE, "latest"), "");
}

static void what_cannot_be_read_does_not_pass(void **state)
{
    static const char *const specs[] = {
        "{containers: [{name: a, securityContext: {privileged: 'true'}}]}", "{hostNetwork: 1}", "{containers: {}}", "{volumes: x}",
        "{containers: [{name: a, securityContext: [privileged]}]}", "hello", "{containers: [7]}",
    };
    struct pss_violation *v;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(specs); i++) {
        assert_int_equal(check(pod(specs[i]), PSS_BASELINE, 37, &v), 1);
        assert_string_equal(v[0].id, "malformed");
    }
    assert_int_equal(check("{apiVersion: apps/v1, kind: Deployment, spec: {template: [1]}}", PSS_BASELINE, 37, &v), 1);
    assert_string_equal(v[0].detail, "$.spec.template is not an object");
}

static void places_name_the_value_in_the_object_given(void **state)
{
    static const char yaml[] =
        "{apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {spec: {template: {spec: {initContainers: [{name: i, "
        "securityContext: {privileged: true}}]}}}}}}";
    struct pss_violation *v;

    (void)state;
    assert_int_equal(check(yaml, PSS_BASELINE, 37, &v), 1);
    assert_string_equal(v[0].places[0].path, "$.spec.jobTemplate.spec.template.spec.initContainers[0].securityContext.privileged");
    assert_memory_equal(yaml + v[0].places[0].at->offset, "true", 4);
}

static void what_bears_no_pod_has_no_violations(void **state)
{
    struct pss_violation *v;

    (void)state;
    assert_int_equal(check("{apiVersion: v1, kind: Service, spec: {hostNetwork: true}}", PSS_RESTRICTED, 37, &v), 0);
    assert_int_equal(check("[1, 2]", PSS_RESTRICTED, 37, &v), 0);
    assert_int_equal(check("null", PSS_RESTRICTED, 37, &v), 0);
}

static void many_containers_are_counted_not_lost(void **state)
{
    struct buf b;
    struct pss_violation *v;

    (void)state;
    buf_init(&b, 1 << 22);
    buf_puts(&b, "{apiVersion: v1, kind: Pod, spec: {containers: [");
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "{name: c%d, securityContext: {privileged: true}},", i);
    buf_puts(&b, "]}}");
    assert_int_equal(check(b.ptr, PSS_BASELINE, 37, &v), 1);
    assert_non_null(strstr(v[0].detail, " and 9000 more must not"));
    assert_int_equal(v[0].n_places, 200);
    buf_free(&b);
}

static void versions_and_levels_are_read_strictly(void **state)
{
    static const char *const bad[] = { "", "1", "2.0", "v1.", "1.x", "1.30.1", "Latest", "v1.-1", "1.99999" };
    enum pss_level level;
    int minor = 7;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(bad); i++)
        assert_false(pss_version_from_text(bad[i], &minor));
    assert_false(pss_version_from_text(NULL, &minor));
    assert_int_equal(minor, 7);
    assert_true(pss_version_from_text("v1.99", &minor) && minor == 99);
    assert_false(pss_level_from_text("Baseline", &level));
    assert_true(pss_level_from_text("baseline", &level) && level == PSS_BASELINE);
}

static void table_is_in_the_order_of_messages(void **state)
{
    enum pss_level level = PSS_BASELINE, before = PSS_BASELINE;
    const char *id, *last = "";
    int since;

    (void)state;
    for (size_t i = 0; (id = pss_check_id(i, &level, &since)) != NULL; i++) {
        if (level == before)
            assert_true(strcmp(last, id) <= 0);
        assert_true(level == before || (before == PSS_BASELINE && level == PSS_RESTRICTED));
        assert_in_range(since, 0, PSS_LATEST);
        last = id;
        before = level;
    }
}

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_check_speaks_as_kubernetes_does), TEST(annotations_count_where_fields_did_not_exist_yet),
        TEST(port_of_a_pod_on_the_hosts_network_is_the_hosts), TEST(null_is_not_false), TEST(what_cannot_be_read_does_not_pass),
        TEST(places_name_the_value_in_the_object_given), TEST(what_bears_no_pod_has_no_violations), TEST(many_containers_are_counted_not_lost),
        TEST(versions_and_levels_are_read_strictly), TEST(table_is_in_the_order_of_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
