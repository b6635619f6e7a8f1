/* enroll.c - how a machine becomes a node; see identity.h.
 *
 * In this order, so that it can be repeated after any failure: the key; whom to trust;
 * the server's answer; the root of trust compared with what was named; then what is
 * kept, node.json last; and a first session. */
#include "agent/identity.h"
#include "agent/identity_internal.h"
#include "agent/state_file.h"
#include "agent/update.h"
#include "client/http.h"
#include "client/pin.h"
#include "client/url.h"
#include "wire/envelope.h"
#include "wire/json.h"
#include "wire/jsonw.h"
#include "wire/json_util.h"
#include "wire/msg/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_MAX = 64 * 1024, BODY_MAX = 64 * 1024 };

struct enrolling {
    const struct enroll_request *r;
    const struct machine *machine;
    struct arena *arena;
    int dir;
    char *server;                        /* as url_base gives it */
    const char *ca_file;                 /* NULL: the system's */
    struct privkey *key;
};

/* ---- the key -------------------------------------------------------------------- */

static int make_key(struct enrolling *e, struct err *err)
{
    struct buf pem;

    if (privkey_generate(KEY_ED25519, &e->key, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    int rc = privkey_to_pem(e->key, &pem, err);
    if (rc == 0)
        rc = state_write(e->dir, "node.key", pem.ptr, pem.len, err);
    if (pem.ptr != NULL)
        crypto_wipe(pem.ptr, pem.len);
    buf_free(&pem);
    return rc;
}

static int take_key(struct enrolling *e, struct err *err)
{
    if (identity_key_read(e->dir, &e->key, err) == 0)
        return privkey_public(e->key)->alg == KEY_ED25519 ? 0 : err_set(err, ERR_INVALID, "node.key: not an Ed25519 key");
    return err->kind == ERR_NOT_FOUND ? make_key(e, err) : -1;
}

/* ---- whom to trust ----------------------------------------------------------------- */

static int hex_of(const char *what, const char *text, const char **hex, struct err *err)
{
    const char *s = str_starts(text, "sha256:") ? text + 7 : text;
    uint8_t raw[SHA256_LEN];

    if (!hex_decode(s, raw, sizeof raw))
        return err_set(err, ERR_INVALID, "%s: sha256: and 64 hex digits expected, got %.100s", what, text);
    *hex = s;
    return 0;
}

static int copy_ca(struct enrolling *e, struct err *err)
{
    char *text = arena_bytes(e->arena, CA_MAX);
    int fd = open(e->r->ca_file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && text != NULL ? read(fd, text, CA_MAX) : -1;

    if (fd >= 0)
        close(fd);
    if (n <= 0 || n == CA_MAX)
        return err_set(err, ERR_INVALID, "%s: cannot be read, or is too long", e->r->ca_file);
    return state_write(e->dir, "ca.pem", text, (size_t)n, err);
}

static int take_ca(struct enrolling *e, struct err *err)
{
    const char *pin, *pem;

    if (e->r->ca_pin == NULL && e->r->ca_file == NULL)
        return 0;
    if (e->r->ca_pin != NULL) {
        if (hex_of("--ca-pin", e->r->ca_pin, &pin, err) != 0 || client_pin_find(e->server, pin, e->arena, &pem, err) != 0 ||
            state_write(e->dir, "ca.pem", pem, strlen(pem), err) != 0)
            return -1;
    } else if (copy_ca(e, err) != 0) {
        return -1;
    }
    e->ca_file = arena_printf(e->arena, "%s/ca.pem", e->r->dir);
    return e->ca_file != NULL ? 0 : err_nomem(err);
}

/* ---- the server ------------------------------------------------------------------------ */

static void write_body(struct enrolling *e, struct buf *body)
{
    struct buf pem;

    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(privkey_public(e->key), &pem);
    const struct node_enroll ask = {
        .join_token = e->r->token, .public_key = pem.ptr, .name = e->r->name != NULL ? e->r->name : e->machine->name,
        .kernel = e->machine->kernel, .arch = e->machine->arch, .agent_version = e->machine->version,
    };
    if (pem.failed)
        body->failed = true;
    else
        shape_encode(&node_enroll_shape, &ask, body);
    buf_free(&pem);
}

static int send(struct enrolling *e, struct json *answer, struct err *err)
{
    const struct client_config config = { .base_url = e->server, .ca_file = e->ca_file, .cert_file = e->r->cert_file,
                                          .key_file = e->r->key_file, .agent = "keep-agent", .retries = 2 };
    struct http_client *client;
    struct client_answer got;
    struct buf body;

    if (http_client_open(&config, &client, err) != 0)
        return -1;
    buf_init(&body, BODY_MAX);
    write_body(e, &body);
    const struct client_request request = { .method = "POST", .target = "/v1/agent/enroll", .content_type = "application/json",
                                            .body = { (const unsigned char *)body.ptr, body.len } };
    int rc = body.failed ? err_nomem(err) : http_client_send(client, &request, e->arena, &got, err);
    if (rc == 0)
        rc = json_parse(e->arena, got.body.ptr, got.body.len, NULL, answer, err);
    buf_free(&body);
    http_client_close(client);
    return rc;
}

/* The root is the one that was named: SHA-256 of what is signed. */
static int check_root(struct enrolling *e, const char *envelope, struct enrolled *out, struct err *err)
{
    struct envelope env;
    const char *want;
    uint8_t hash[SHA256_LEN];

    if (envelope == NULL)
        return e->r->trust == NULL ? 0 : err_set(err, ERR_FORBIDDEN, "the server has no root of trust, and one was named");
    if (envelope_parse(e->arena, envelope, strlen(envelope), &env, err) != 0)
        return err_prefix(err, "root");
    sha256(env.payload.ptr, env.payload.len, hash);
    hex_encode(hash, sizeof hash, out->root);
    if (e->r->trust == NULL)
        return 0;
    if (hex_of("--trust", e->r->trust, &want, err) != 0)
        return -1;
    if (!str_eq(want, out->root))
        return err_set(err, ERR_FORBIDDEN, "the server's root of trust is sha256:%s, not the one that was named", out->root);
    return 0;
}

static int pin_root(struct enrolling *e, const char *envelope, struct err *err)
{
    struct bytes have;

    if (envelope == NULL)
        return 0;
    if (update_pin(e->r->dir, envelope, strlen(envelope), err) == 0)
        return 0;
    /* Of an attempt before this one. */
    if (err->kind == ERR_CONFLICT && state_read(e->dir, "root.json", 256 * 1024, e->arena, &have, err) == 0 &&
        have.len == strlen(envelope) && memcmp(have.ptr, envelope, have.len) == 0)
        return 0;
    return err->kind == ERR_CONFLICT ? err_set(err, ERR_CONFLICT, "%s/root.json is another server's root of trust; remove it first", e->r->dir) : -1;
}

/* ---- what is kept ------------------------------------------------------------------------ */

/* In full: the agent runs elsewhere. */
static void put_path(struct enrolling *e, struct jsonw *w, const char *key, const char *path)
{
    char *full = path != NULL ? realpath(path, NULL) : NULL;
    const char *kept = full != NULL ? arena_strdup(e->arena, full) : path;

    jsonw_kstr(w, key, kept != NULL ? kept : "");
    free(full);
}

static int write_node(struct enrolling *e, const struct json *answer, struct err *err)
{
    const char *fields[] = { "node_id", "cluster", "scope" };
    struct buf b, labels;
    struct jsonw w;

    buf_init(&b, BODY_MAX);
    buf_init(&labels, BODY_MAX);
    if (json_get(answer, "labels") != NULL)
        json_print(json_get(answer, "labels"), &labels);
    else
        buf_puts(&labels, "{}");
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "server", e->server);
    for (size_t i = 0; i < N_ITEMS(fields); i++)
        jsonw_kstr(&w, fields[i], json_get_str(answer, fields[i], ""));
    jsonw_kstr(&w, "labels", labels.failed ? "{}" : labels.ptr);
    jsonw_kbool(&w, "has_ca", e->ca_file != NULL);
    put_path(e, &w, "cert_file", e->r->cert_file);
    put_path(e, &w, "key_file", e->r->key_file);
    jsonw_object_end(&w);
    int rc = b.failed || labels.failed ? err_nomem(err) : state_write(e->dir, "node.json", b.ptr, b.len, err);
    buf_free(&b);
    buf_free(&labels);
    return rc;
}

static int prove(struct enrolling *e, struct enrolled *out, struct err *err)
{
    struct identity *id;
    struct session session;

    if (identity_open(e->r->dir, e->machine, &id, err) != 0)
        return -1;
    int rc = identity_session(id, true, &session, err);
    if (rc == 0)
        out->clock_skew_ms = session.clock_skew_ms;
    identity_close(id);
    return rc != 0 ? err_prefix(err, "enrolled, but the first session failed") : 0;
}

static int enroll(struct enrolling *e, struct enrolled *out, struct err *err)
{
    struct json answer;

    if (faccessat(e->dir, "node.json", F_OK, 0) == 0)
        return err_set(err, ERR_CONFLICT, "%s: this machine is enrolled already; stop the agent and remove the folder to enrol it anew", e->r->dir);
    if (take_key(e, err) != 0 || take_ca(e, err) != 0 || send(e, &answer, err) != 0)
        return -1;
    const struct json *root = json_get(&answer, "root");
    const char *envelope = json_get_str(root, "envelope", NULL);
    *out = (struct enrolled){
        .node_id = json_get_str(&answer, "node_id", NULL), .cluster = json_get_str(&answer, "cluster", ""),
        .scope = json_get_str(&answer, "scope", NULL), .root_version = json_int(json_get(root, "version"), 0),
    };
    if (out->node_id == NULL || out->scope == NULL)
        return err_set(err, ERR_INVALID, "the server's answer names no node");
    if (check_root(e, envelope, out, err) != 0 || pin_root(e, envelope, err) != 0 || write_node(e, &answer, err) != 0)
        return -1;
    return prove(e, out, err);
}

int identity_enroll(const struct enroll_request *r, const struct machine *machine, struct arena *arena, struct enrolled *out,
                    struct err *err)
{
    struct enrolling e = { .r = r, .machine = machine, .arena = arena, .dir = -1 };
    struct enrolled done = { 0 };

    if (mkdir(r->dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_INVALID, "%s: %s", r->dir, strerror(errno));
    if ((e.dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return err_set(err, ERR_INVALID, "%s: %s", r->dir, strerror(errno));
    int rc = crypto_init(err) != 0 || url_base(r->server, &e.server, err) != 0 ? -1 : enroll(&e, &done, err);
    privkey_free(e.key);
    free(e.server);
    close(e.dir);
    if (rc == 0)
        *out = done;
    return rc;
}
