/* node.c - see node.h. */
#include "tests/support/node.h"

#include "base/time.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests: node: %s: %s\n", what, why);
    abort();
}

static const struct json *send_json(struct client *c, const char *token, const char *path, const char *body, size_t len, int *status)
{
    struct ask ask = { "POST", path, token, "Content-Type: application/json\r\n", body, len };
    struct reply r = client_send(c, &ask);

    *status = r.status;
    return client_json(c, &r);
}

static void copy(char *to, size_t max, const struct json *doc, const char *key)
{
    snprintf(to, max, "%s", json_get_str(doc, key, ""));
}

void test_node_init(struct test_node *n)
{
    struct err err = { 0 };

    *n = (struct test_node){ 0 };
    machine_read("0.1-test", &n->machine);
    if (crypto_init(&err) != 0 || privkey_generate(KEY_ED25519, &n->key, &err) != 0)
        die("key", err.msg);
}

void test_node_free(struct test_node *n)
{
    privkey_free(n->key);
    n->key = NULL;
}

void test_node_invite(struct client *c, const char *admin, const char *body, char join[128])
{
    int status;
    const struct json *made = send_json(c, admin, "/v1/join-tokens", body, strlen(body), &status);

    if (status != 201)
        die("join token", made != NULL ? json_get_str(made, "detail", "?") : "no answer");
    copy(join, 128, made, "token");
}

int test_node_enroll(struct client *c, struct test_node *n)
{
    struct buf body, pem;
    struct jsonw w;
    int status;

    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(privkey_public(n->key), &pem);
    buf_init(&body, 1 << 16);
    jsonw_init(&w, &body);
    jsonw_object(&w);
    const struct { const char *key, *value; } fields[] = {
        { "join_token", n->join }, { "public_key", pem.ptr }, { "name", n->machine.name }, { "kernel", n->machine.kernel },
        { "arch", n->machine.arch }, { "agent_version", n->machine.version },
    };
    for (size_t i = 0; i < N_ITEMS(fields); i++)
        jsonw_kstr(&w, fields[i].key, fields[i].value);
    jsonw_object_end(&w);
    const struct json *answer = send_json(c, NULL, "/v1/agent/enroll", body.ptr, body.len, &status);
    if (status == 201) {
        copy(n->node_id, sizeof n->node_id, answer, "node_id");
        copy(n->scope, sizeof n->scope, answer, "scope");
    }
    buf_free(&pem);
    buf_free(&body);
    return status;
}

void test_node_envelope(struct test_node *n, const char *node_id, const char *challenge, struct buf *out)
{
    struct arena arena;
    struct err err = { 0 };

    arena_init(&arena, 1 << 20);
    buf_init(out, 1 << 16);
    if (session_ask(n->key, node_id, &n->machine, time_now_ms() + n->clock_ms, challenge, &arena, out, &err) != 0)
        die("session request", err.msg);
    arena_clear(&arena);
}

int test_node_post(struct client *c, const struct buf *envelope)
{
    int status;

    send_json(c, NULL, "/v1/agent/session", envelope->ptr, envelope->len, &status);
    return status;
}

static int ask_once(struct client *c, struct test_node *n, char challenge[256])
{
    struct buf envelope;
    int status;

    test_node_envelope(n, n->node_id, challenge[0] != '\0' ? challenge : NULL, &envelope);
    const struct json *answer = send_json(c, NULL, "/v1/agent/session", envelope.ptr, envelope.len, &status);
    buf_free(&envelope);
    copy(challenge, 256, answer, "challenge");
    if (status == 201)
        copy(n->token, sizeof n->token, answer, "token");
    return status;
}

int test_node_ask(struct client *c, struct test_node *n)
{
    char challenge[256] = "";
    int status = ask_once(c, n, challenge);

    return status == 200 && challenge[0] != '\0' ? ask_once(c, n, challenge) : status;
}

void test_node_session(struct client *c, struct test_node *n)
{
    int status = test_node_ask(c, n);
    char text[16];

    snprintf(text, sizeof text, "%d", status);
    if (status != 201)
        die("session", text);
}

void test_node_join(struct client *c, const char *admin, const char *cluster, const char *labels, struct test_node *out)
{
    char body[1024];

    test_node_init(out);
    snprintf(body, sizeof body, "{\"cluster\":\"%s\",\"max_uses\":1000%s%s}", cluster, labels != NULL ? ",\"labels\":" : "", labels != NULL ? labels : "");
    test_node_invite(c, admin, body, out->join);
    if (test_node_enroll(c, out) != 201)
        die("enrolment", "refused");
    test_node_session(c, out);
}
