/* Every route as every role and as nobody, against a matrix written by hand; and
 * the description of the API against what is really answered. */
#include "tests/flow/upload.h"
#include "tests/flow/schema.h"
#include "tests/support/node.h"

/* A ninth column says what a node's session may; without one: what anybody may. */
enum { ROWS_MAX = 256, COLUMNS = 9, NOBODY = 7, NODE = 8 };

struct row { char method[8], path[64]; bool may[COLUMNS]; };
struct matrix { size_t n; struct row row[ROWS_MAX]; };

static void read_matrix(struct matrix *m)
{
    char line[256];
    FILE *f = fopen("tests/flow/matrix.tsv", "r");

    if (f == NULL)
        fail_msg("tests/flow/matrix.tsv: run me where the sources are");
    m->n = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        char may[COLUMNS];
        if (line[0] == '#')
            continue;
        struct row *r = &m->row[m->n];
        assert_true(m->n++ < ROWS_MAX);
        int got = sscanf(line, "%7s %63s %c %c %c %c %c %c %c %c %c", r->method, r->path, &may[0], &may[1], &may[2], &may[3],
                         &may[4], &may[5], &may[6], &may[NOBODY], &may[NODE]);
        if (got < 10)
            fail_msg("matrix.tsv: %s", line);
        if (got == 10)
            may[NODE] = may[NOBODY];
        for (int i = 0; i < COLUMNS; i++) {
            assert_true(may[i] == 'y' || may[i] == 'n');
            r->may[i] = may[i] == 'y';
        }
    }
    fclose(f);
}

static const struct json *description(struct fixture *t)
{
    return keepd_ask(&t->client, NULL, "GET", "/v1/openapi.json", NULL, 200);
}

static void lower(const char *in, char *out)
{
    while ((*out++ = (char)(*in >= 'A' && *in <= 'Z' ? *in | 0x20 : *in)) != '\0')
        in++;
}

/* Every row is served, and everything that is served has a row. */
static void the_matrix_has_every_route_and_no_other(void **state)
{
    static struct matrix m;
    char method[8];
    size_t served = 0;

    read_matrix(&m);
    const struct json *paths = json_get(description(*state), "paths");
    for (size_t i = 0; i < m.n; i++) {
        lower(m.row[i].method, method);
        if (json_get(json_get(paths, m.row[i].path), method) == NULL)
            fail_msg("%s %s is in matrix.tsv but not served", m.row[i].method, m.row[i].path);
    }
    for (uint32_t i = 0; i < json_n_members(paths); i++)
        for (uint32_t k = 0; k < json_n_members(&paths->members[i].value); k++, served++) {
            bool found = false;
            for (size_t r = 0; r < m.n && !found; r++) {
                lower(m.row[r].method, method);
                found = strcmp(m.row[r].path, paths->members[i].key) == 0 && strcmp(method, paths->members[i].value.members[k].key) == 0;
            }
            if (!found)
                fail_msg("%s %s is served but not in matrix.tsv", paths->members[i].value.members[k].key, paths->members[i].key);
        }
    assert_int_equal(served, m.n);
}

/* Placeholders become something that is well-formed and does not exist. */
static void fill(const char *path, char *out, size_t max)
{
    size_t n = 0;

    for (; *path != '\0' && n + 80 < max; path++) {
        if (*path != '{') {
            out[n++] = *path;
            continue;
        }
        const char *value = strncmp(path, "{digest}", 8) == 0 ? "sha256:00000000000000000000000000000000000000000000000000000000000000ff"
                          : strncmp(path, "{seq}", 5) == 0 ? "999999" : "none";
        n += (size_t)snprintf(out + n, max - n, "%s", value);
        path = strchr(path, '}');
    }
    out[n] = '\0';
}

static void as_everybody(struct fixture *t, const struct row *r, const char *node)
{
    char path[200];
    /* Size is looked at before anything else: no body where none is taken. */
    bool bare = str_ends(r->path, "/login-link") || str_ends(r->path, "/bundle-key") || str_ends(r->path, "able");
    bool writes = (strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0) && !bare;

    fill(r->path, path, sizeof path);
    for (int i = 0; i < COLUMNS; i++) {
        struct ask ask = { r->method, path, i == NODE ? node : i < KEEPD_ROLES ? t->keepd.token[i] : NULL,
                           writes ? "Content-Type: application/json\r\n" : NULL, writes ? "{}" : NULL, writes ? 2 : 0 };
        struct reply got = client_send(&t->client, &ask);
        int refusal = i == NOBODY ? 401 : 403;
        bool ok = r->may[i] ? got.status != 401 && got.status != 403 && got.status != 0 && got.status < 500 : got.status == refusal;
        if (!ok)
            fail_msg("%s %s as %s: expected %s, got %d: %.*s", r->method, r->path,
                     i == NODE ? "node" : i < KEEPD_ROLES ? role_word((enum role)(1 << i)) : "nobody",
                     r->may[i] ? "that it may" : "a refusal", got.status, (int)(got.len < 300 ? got.len : 300), got.body ? got.body : "");
    }
}

static void everybody_may_what_the_matrix_says(void **state)
{
    static struct matrix m;
    struct fixture *t = *state;
    struct test_node node;

    read_matrix(&m);
    test_node_join(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "matrix", NULL, &node);
    for (size_t i = 0; i < m.n; i++)
        as_everybody(t, &m.row[i], node.token);
    test_node_free(&node);
}

static void other_methods_are_refused_everywhere(void **state)
{
    static struct matrix m;
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "TRACE" };
    struct fixture *t = *state;
    char path[200];

    read_matrix(&m);
    for (size_t i = 0; i < m.n; i++)
        for (size_t k = 0; k < N_ITEMS(methods); k++) {
            bool known = false;
            for (size_t r = 0; r < m.n; r++)
                known |= strcmp(m.row[r].path, m.row[i].path) == 0 && strcmp(m.row[r].method, methods[k]) == 0;
            if (known)
                continue;
            fill(m.row[i].path, path, sizeof path);
            struct ask ask = { methods[k], path, keepd_token(&t->keepd, ROLE_ADMIN), NULL, NULL, 0 };
            int status = client_send(&t->client, &ask).status;
            if (status != 405 && status != 501)
                fail_msg("%s %s: %d", methods[k], path, status);
        }
}

/* ---- the description --------------------------------------------------------------- */

static void every_reference_resolves(void **state)
{
    const char *broken = schema_broken_ref(description(*state));

    if (broken != NULL)
        fail_msg("%s does not resolve", broken);
}

/* A fleet with one of everything. */
static void populate(struct fixture *t)
{
    struct report_spec s = spec_of(1);
    char body[400], digest[72];

    upload(t, &s, 201);
    s.scanned_ms += 1000;
    s.findings = 8;
    upload(t, &s, 201);
    image_digest(1, digest);
    snprintf(body, sizeof body, "{\"cluster\":\"prod\",\"workloads\":[{\"namespace\":\"n\",\"workload\":\"w\",\"container\":\"c\",\"image\":\"shop.example/app@%s\"}]}", digest);
    send_json(t, "POST", "/v1/running", body, 200);
    struct test_node node;
    test_node_join(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "prod", "{\"zone\":\"a\"}", &node);
    test_node_free(&node);
    keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_AGENT), "POST", "/v1/falco",
              "{\"output\":\"a shell\",\"priority\":\"Warning\",\"rule\":\"Terminal shell in container\",\"time\":\"2026-11-25T13:00:00.123456789Z\","
              "\"output_fields\":{\"container.id\":\"0123456789ab\",\"proc.exepath\":\"/bin/bash\",\"proc.name\":\"bash\"},\"source\":\"syscall\","
              "\"tags\":[],\"hostname\":\"n1\"}", 200);
    char approve[80];
    snprintf(approve, sizeof approve, "/v1/profiles/%s/approve", text_at(send_json(t, "POST", "/v1/profiles",
        "{\"apiVersion\":\"keep/v1\",\"kind\":\"Profile\",\"metadata\":{\"name\":\"app\"},\"spec\":{\"image\":\"shop.example/app\","
        "\"executables\":[{\"path\":\"/app\"}],\"egress\":[{\"dns\":\"example.com\",\"ports\":[443]}]}}", 201), "profile_id"));
    send_json(t, "POST", approve, "{\"source\":\"declared\"}", 200);
    send_json(t, "POST", "/v1/suppressions", "{\"rule\":\"falco/*\",\"reason\":\"only for tests\",\"expires_in\":\"1h\"}", 201);
    send_json(t, "POST", "/v1/repositories", "{\"name\":\"shop.example/app\",\"team\":\"shop\"}", 200);
    send_json(t, "POST", "/v1/unsigned-allowances", "{\"pattern\":\"elsewhere.example/*\",\"reason\":\"only for tests\",\"expires_in\":\"1h\"}", 201);
}

static void copy_id(char *out, size_t max, const struct json *list, const char *key)
{
    snprintf(out, max, "%s", json_get_str(json_at(json_get(list, "items"), 0), key, "none"));
}

/* Real things in place of the placeholders. */
static void example_of(struct fixture *t, const char *path, char *out, size_t max)
{
    static const struct { const char *path, *list, *key; } rows[] = {
        { "/v1/scans/{id}", "/v1/scans", "id" }, { "/v1/evidence/{id}", "/v1/scans", "evidence" }, { "/v1/users/{id}", "/v1/users", "id" },
        { "/v1/tokens/{id}", "/v1/tokens", "id" }, { "/v1/signers/{id}", "/v1/signers", "id" },
        { "/v1/exceptions/{id}", "/v1/exceptions", "id" }, { "/v1/policies/{name}", "/v1/policies", "name" },
        { "/v1/images/{digest}", "/v1/images", "digest" }, { "/v1/nodes/{id}", "/v1/nodes", "id" }, { "/v1/profiles/{id}", "/v1/profiles", "id" },
    };
    char id[128] = "1";
    const char *open = strchr(path, '{'), *query = strcmp(path, "/v1/findings") == 0 ? "?vulnerability=CVE-2026-0001"
        : strcmp(path, "/v1/packages") == 0 || strcmp(path, "/v1/packages/images") == 0 ? "?name=libcore0" : strcmp(path, "/v1/vex") == 0 ? "?repository=shop.example/app" : "";

    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (strncmp(path, rows[i].path, strlen(rows[i].path)) == 0)
            copy_id(id, sizeof id, get(t, rows[i].list, 200), rows[i].key);
    if (open == NULL)
        snprintf(out, max, "%s%s", path, query);
    else
        snprintf(out, max, "%.*s%s%s", (int)(open - path), path, id, strchr(path, '}') + 1);
}

static void answers_are_what_the_description_says(void **state)
{
    struct fixture *t = *state;
    struct client about;
    size_t checked = 0;

    populate(t);
    send_json(t, "POST", "/v1/exceptions", "{\"vulnerability\":\"CVE-2026-0001\",\"reason\":\"not reachable here\",\"owner\":\"team-a\",\"expires_in\":\"1d\"}", 201);
    client_init(&about, t->keepd.port);
    const struct json *api = keepd_ask(&about, NULL, "GET", "/v1/openapi.json", NULL, 200);
    const struct json *paths = json_get(api, "paths");
    for (uint32_t i = 0; i < json_n_members(paths); i++) {
        const struct json *op = json_get(&paths->members[i].value, "get");
        const struct json *media = json_get(json_get(json_get(json_get(op, "responses"), "2XX"), "content"), "application/json");
        char url[300], where[300] = "$", wrong[400];
        /* containers.c asks for a container: it takes a node to have one */
        if (op == NULL || media == NULL || str_eq(paths->members[i].key, "/v1/containers/{node}/{id}"))
            continue;
        example_of(t, paths->members[i].key, url, sizeof url);
        const struct json *answer = get(t, url, 200);
        if (answer == NULL)
            fail_msg("GET %s: no JSON", url);
        if (!schema_holds(api, json_get(media, "schema"), answer, where, wrong, sizeof wrong))
            fail_msg("GET %s: %s", url, wrong);
        checked++;
    }
    assert_true(checked >= 25);
    client_free(&about);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_matrix_has_every_route_and_no_other),
        cmocka_unit_test(everybody_may_what_the_matrix_says),
        cmocka_unit_test(other_methods_are_refused_everywhere),
        cmocka_unit_test(every_reference_resolves),
        cmocka_unit_test(answers_are_what_the_description_says),
    };

    return cmocka_run_group_tests_name("who may what", tests, fixture_open, fixture_close);
}
