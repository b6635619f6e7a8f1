/* nodes_profiles.c - what the demo's developers declare of their images. */
#include "demo/nodes_internal.h"

#include "base/str.h"

#include <string.h>

#define PROFILE(name, image, mode, rest) \
    "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: " name "}\nspec:\n  image: " DEMO_REGISTRY "/" image "\n  mode: " mode "\n" rest

static const struct { const char *text, *repository; bool is_approved; } declared[] = {
    { PROFILE("search", "checkout/search", "monitor",
        "  executables: [{path: /usr/bin/java, parents: [/usr/bin/tini]}, {path: /usr/bin/tini}]\n"
        "  listens: [{port: 8080, protocol: tcp}]\n"
        "  egress:\n    - {service: checkout/*, ports: [6379, 8080]}\n    - {dns: telemetry.acme.example, ports: [443]}\n"
        "  writes: [/tmp/**, /var/cache/search/**]\n  users: [1000]\n  capabilities: []\n"),
      DEMO_REGISTRY "/checkout/search", true },
    { PROFILE("wallet", "payments/wallet", "monitor",
        "  executables: [{path: /app/wallet}]\n  listens: [{port: 8443, protocol: tcp}]\n"
        "  egress:\n    - {service: payments/*, ports: [8443]}\n    - {dns: api.bank.example, ports: [443]}\n"
        "  ingress:\n    - {service: payments/*}\n    - {service: checkout/*}\n  writes: []\n  users: [10001]\n  capabilities: []\n"),
      DEMO_REGISTRY "/payments/wallet", true },
    { PROFILE("cache", "checkout/cache", "monitor",
        "  executables: [{path: /usr/local/bin/redis-server}]\n  listens: [{port: 6379, protocol: tcp}]\n  egress: []\n"
        "  writes: [/data/**]\n  users: [999]\n"),
      DEMO_REGISTRY "/checkout/cache", true },
    { PROFILE("till", "edge/till", "discover", "  executables: [{path: /usr/bin/java}]\n  listens: [{port: 9000, protocol: tcp}]\n"), DEMO_REGISTRY "/edge/till", false },
};

static int declare(struct nodes *s, const char *text, struct err *err)
{
    struct client_request request = { .method = "POST", .target = "/v1/profiles", .content_type = "application/yaml",
                                      .body = { (const unsigned char *)text, strlen(text) } };
    struct client_answer answer;

    http_client_token(s->client, s->config->token);
    return http_client_send(s->client, &request, s->arena, &answer, err) != 0 ? err_prefix(err, "POST /v1/profiles") : 0;
}

static int list(struct nodes *s, struct json *doc, struct err *err)
{
    struct client_request request = { .method = "GET", .target = "/v1/profiles?limit=100" };
    struct client_answer answer;

    http_client_token(s->client, s->config->token);
    if (http_client_send(s->client, &request, s->arena, &answer, err) != 0)
        return err_prefix(err, "GET /v1/profiles");
    return json_parse(s->arena, answer.body.ptr, answer.body.len, NULL, doc, err);
}

static bool is_approved(const char *repository)
{
    for (size_t i = 0; i < N_ITEMS(declared); i++)
        if (declared[i].is_approved && str_eq(declared[i].repository, repository))
            return true;
    return false;
}

static int approve(struct nodes *s, const char *id, struct err *err)
{
    const char *target = arena_printf(s->arena, "/v1/profiles/%s/approve", id);
    struct buf body;

    if (target == NULL)
        return err_nomem(err);
    buf_init(&body, 1024);
    buf_puts(&body, "{\"source\":\"declared\",\"reason\":\"reviewed with the team that declared it\"}");
    int rc = nodes_post(s, s->config->token, target, &body, NULL, err);
    buf_free(&body);
    return rc;
}

int profiles_declare(struct nodes *s, struct err *err)
{
    struct json doc;

    for (size_t i = 0; i < N_ITEMS(declared); i++)
        if (declare(s, declared[i].text, err) != 0)
            return -1;
    if (list(s, &doc, err) != 0)
        return -1;
    const struct json *items = json_get(&doc, "items");
    for (uint32_t i = 0; i < json_len(items); i++)
        if (is_approved(json_get_str(json_at(items, i), "repository", "")) && approve(s, json_get_str(json_at(items, i), "id", ""), err) != 0)
            return -1;
    return 0;
}
