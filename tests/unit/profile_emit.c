/* profile_emit.c - profiles in the languages of others: they parse, say what the profile
 * says, and hostile names stay names. */
#include "base/str.h"
#include "core/profile/emit.h"
#include "wire/json.h"
#include "wire/profile_doc.h"
#include "wire/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char shop[] =
    "  executables: [{path: /shop}, {path: /usr/bin/convert, parents: [/shop]}]\n"
    "  listens: [{port: 8080}, {port: 53, protocol: udp}]\n"
    "  egress:\n  - {service: shop/catalogue, ports: [5432], protocol: tcp}\n  - {cidr: 10.1.2.3}\n  - {dns: \"*.example.com\", ports: [443]}\n"
    "  ingress: [{service: \"*/gateway\"}, {cidr: \"fd00::/8\", ports: [8080]}]\n"
    "  writes: [/tmp/**, /var/log/*.log]\n  users: [1000]\n  capabilities: [NET_BIND_SERVICE]\n";

struct fixture {
    struct arena arena;
    struct err err;
    struct buf out;
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 16 << 20);
    buf_init(&f.out, 8 << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_clear(&f->arena);
    buf_free(&f->out);
    return 0;
}

static struct profile parse(struct fixture *f, const char *spec)
{
    const char *text = arena_printf(&f->arena, "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: shop}\nspec:\n  image: acme/shop\n%s", spec);
    struct profile p;

    if (profile_doc_parse(text, strlen(text), &f->arena, NULL, &p, &f->err) != 0)
        fail_msg("%s", f->err.msg);
    return p;
}

static const char *emit(struct fixture *f, const char *as, const struct profile *p)
{
    const struct emit_spec spec = { p, "prod", NULL };
    const struct emitter *e = emitter_find(as);

    assert_non_null(e);
    buf_clear(&f->out);
    if (profile_emit(e, &spec, &f->arena, &f->out, &f->err) != 0)
        fail_msg("%s: %s", as, f->err.msg);
    return f->out.ptr;
}

static const struct json *emit_yaml_doc(struct fixture *f, const char *as, const struct profile *p)
{
    struct json *doc = arena_alloc(&f->arena, sizeof *doc);

    emit(f, as, p);
    if (yaml_parse(&f->arena, f->out.ptr, f->out.len, NULL, doc, &f->err) != 0)
        fail_msg("%s: %s\n%s", as, f->err.msg, f->out.ptr);
    return doc;
}

static bool says(const struct fixture *f, const char *text)
{
    return strstr(f->out.ptr, text) != NULL;
}

static void a_networkpolicy_names_peers_and_says_what_it_cannot(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, shop);
    const struct json *doc = emit_yaml_doc(f, "networkpolicy", &p), *spec = json_get(doc, "spec");

    assert_string_equal(json_get_str(doc, "apiVersion", ""), "networking.k8s.io/v1");
    assert_string_equal(json_get_str(json_get(doc, "metadata"), "namespace", ""), "prod");
    assert_int_equal(json_len(json_get(spec, "policyTypes")), 2);
    assert_int_equal(json_len(json_get(spec, "egress")), 3);              /* DNS itself, the service, the address */
    assert_int_equal(json_len(json_get(spec, "ingress")), 2);
    const struct json *address = json_at(json_get(json_at(json_get(spec, "egress"), 2), "to"), 0);
    assert_string_equal(json_str(json_path(address, "ipBlock.cidr"), ""), "10.1.2.3/32");
    assert_true(says(f, "*.example.com is NOT allowed by it"));
    assert_true(says(f, "Not said here, although the profile covers it: executable"));
}

static void a_profile_that_allows_nothing_closes_both_directions(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  listens: []\n  egress: []\n  ingress: [{cidr: 10.0.0.0/8}]\n");
    const struct json *spec = json_get(emit_yaml_doc(f, "networkpolicy", &p), "spec");

    assert_int_equal(json_len(json_get(spec, "policyTypes")), 2);
    assert_true(json_is(json_get(spec, "ingress"), JSON_ARRAY) && json_len(json_get(spec, "ingress")) == 0);
    assert_true(json_is(json_get(spec, "egress"), JSON_ARRAY) && json_len(json_get(spec, "egress")) == 0);
    spec = json_get(emit_yaml_doc(f, "cilium", &p), "spec");
    assert_int_equal(json_len(json_get(spec, "egress")), 1);              /* one that selects nobody: an empty list would close nothing */
    assert_int_equal(json_n_members(json_at(json_get(spec, "egress"), 0)), 0);
    spec = json_get(emit_yaml_doc(f, "istio", &p), "spec");
    assert_int_equal(json_len(json_get(spec, "rules")), 0);
}

static void cilium_knows_names_and_services_of_every_namespace(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, shop);
    const struct json *spec = json_get(emit_yaml_doc(f, "cilium", &p), "spec");
    const struct json *egress = json_get(spec, "egress"), *ingress = json_get(spec, "ingress");

    assert_int_equal(json_len(egress), 4);
    const struct json *name = json_at(json_get(json_at(egress, 3), "toFQDNs"), 0);
    assert_string_equal(json_get_str(name, "matchPattern", ""), "*.example.com");
    const struct json *gateway = json_at(json_get(json_at(ingress, 0), "fromEndpoints"), 0);
    assert_string_equal(json_get_str(json_at(json_get(gateway, "matchExpressions"), 0), "operator", ""), "Exists");
    const struct json *port = json_at(json_get(json_at(json_get(json_at(egress, 3), "toPorts"), 0), "ports"), 0);
    assert_string_equal(json_get_str(port, "port", ""), "443");
}

static void istio_lets_principals_in_to_ports(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, shop);
    const struct json *rules = json_get(json_get(emit_yaml_doc(f, "istio", &p), "spec"), "rules");

    assert_int_equal(json_len(rules), 2);
    const struct json *source = json_get(json_at(json_get(json_at(rules, 0), "from"), 0), "source");
    assert_string_equal(json_str(json_at(json_get(source, "principals"), 0), ""), "*/sa/gateway");
    const struct json *ports = json_get(json_get(json_at(json_get(json_at(rules, 0), "to"), 0), "operation"), "ports");
    assert_int_equal(json_len(ports), 2);
}

static void falco_rules_are_one_per_part(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, shop);
    const struct json *doc = emit_yaml_doc(f, "falco", &p);

    assert_int_equal(json_len(doc), 6);            /* macro, programs, one parent, ports, writes, users; peers cannot */
    assert_true(says(f, "No rule for connections"));
    const struct json *programs = json_at(doc, 1);
    assert_string_equal(json_get_str(programs, "condition", ""),
                        "keep_image_container and evt.type in (execve, execveat) and not proc.exepath in (/shop, /usr/bin/convert)");
    p = parse(f, "  egress: [{cidr: 10.0.0.0/8}, {dns: api.example.com}]\n");
    doc = emit_yaml_doc(f, "falco", &p);
    assert_int_equal(json_len(doc), 2);
    assert_non_null(strstr(json_get_str(json_at(doc, 1), "condition", ""), "not fd.snet in (\"10.0.0.0/8\") and not fd.sip.name in (\"api.example.com\")"));
}

static void tetragon_kills_only_in_mode_protect(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  executables: [{path: /a}]\n  listens: []\n  egress: [{cidr: 10.0.0.0/8, ports: [443]}]\n");
    const struct json *probes = json_get(json_get(emit_yaml_doc(f, "tetragon", &p), "spec"), "kprobes");

    assert_int_equal(json_len(probes), 3);
    assert_true(says(f, "action: Post") && !says(f, "Sigkill"));
    assert_int_equal(json_len(json_get(json_at(probes, 2), "selectors")), 2);
    p.mode = PROFILE_PROTECT;
    emit_yaml_doc(f, "tetragon", &p);
    assert_true(says(f, "action: Sigkill"));
    p = parse(f, shop);
    assert_int_equal(json_len(json_get(json_get(emit_yaml_doc(f, "tetragon", &p), "spec"), "kprobes")), 2);
}

static void seccomp_refuses_what_ungranted_capabilities_are_for(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  capabilities: [SYS_PTRACE]\n  listens: []\n");
    struct json doc;

    emit(f, "seccomp", &p);
    assert_int_equal(json_parse(&f->arena, f->out.ptr, f->out.len, NULL, &doc, &f->err), 0);
    assert_string_equal(json_get_str(&doc, "defaultAction", ""), "SCMP_ACT_ALLOW");
    assert_true(says(f, "\"init_module\"") && says(f, "\"listen\"") && !says(f, "\"ptrace\""));
    p = parse(f, "  users: [1]\n");
    emit(f, "seccomp", &p);
    assert_false(says(f, "\"init_module\""));      /* capabilities are not covered */
}

static void apparmor_names_programs_and_paths(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, shop);

    emit(f, "apparmor", &p);
    assert_true(says(f, "profile keep-shop ") && says(f, "  \"/shop\" ix,\n") && says(f, "  \"/tmp/**\" rwlk,\n") && says(f, "  capability net_bind_service,\n"));
    assert_false(says(f, "/** ix,") || says(f, "/** wlk,"));
    p = parse(f, "  listens: []\n  egress: []\n");
    emit(f, "apparmor", &p);
    assert_true(says(f, "  network unix,\n") && says(f, "  /** ix,\n") && says(f, "  capability,\n"));
    assert_false(says(f, "  network,\n"));
}

static void hostile_names_stay_names(void **state)
{
    struct fixture *f = *state;
    struct profile p = parse(f, "  executables: [{path: \"/a' or evt.type=x #: \\\" {b}\"}, {path: \"/b, c)\"}]\n  writes: [\"/x {y,z}\\\"\"]\n");
    const struct json *doc = emit_yaml_doc(f, "falco", &p);

    assert_true(says(f, "Left out, because Falco cannot quote it"));
    assert_string_equal(json_get_str(json_at(doc, 1), "condition", ""),
                        "keep_image_container and evt.type in (execve, execveat) and not proc.exepath in (\"/b, c)\")");
    const struct json *probe = json_at(json_get(json_get(emit_yaml_doc(f, "tetragon", &p), "spec"), "kprobes"), 0);
    const struct json *values = json_get(json_at(json_get(json_at(json_get(probe, "selectors"), 0), "matchArgs"), 0), "values");
    assert_string_equal(json_str(json_at(values, 0), ""), p.executables[0].path);
    emit(f, "apparmor", &p);
    assert_true(says(f, "\"/x \\{y\\,z\\}\\\"\" rwlk,"));
}

static void every_language_says_something_of_every_profile(void **state)
{
    static const char *const specs[] = { "", "  executables: []\n  listens: []\n  egress: []\n  ingress: []\n  writes: []\n  users: []\n  capabilities: []\n" };
    struct fixture *f = *state;

    for (size_t s = 0; s < N_ITEMS(specs); s++) {
        struct profile p = parse(f, specs[s]);
        for (size_t i = 0; i < n_emitters; i++) {
            if (str_starts(emitters[i].media, "application/yaml"))
                emit_yaml_doc(f, emitters[i].name, &p);
            else
                emit(f, emitters[i].name, &p);
            assert_true(f->out.len > 100);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_networkpolicy_names_peers_and_says_what_it_cannot),
        TEST(a_profile_that_allows_nothing_closes_both_directions),
        TEST(cilium_knows_names_and_services_of_every_namespace),
        TEST(istio_lets_principals_in_to_ports),
        TEST(falco_rules_are_one_per_part),
        TEST(tetragon_kills_only_in_mode_protect),
        TEST(seccomp_refuses_what_ungranted_capabilities_are_for),
        TEST(apparmor_names_programs_and_paths),
        TEST(hostile_names_stay_names),
        TEST(every_language_says_something_of_every_profile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
