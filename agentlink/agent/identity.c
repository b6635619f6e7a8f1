/* identity.c - see identity.h: what is kept of enrolment, and sessions. */
#include "agent/identity.h"
#include "agent/identity_internal.h"
#include "agent/state_file.h"
#include "base/time.h"
#include "client/http.h"
#include "wire/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NODE_JSON_MAX = 64 * 1024, CA_MAX = 64 * 1024, IDENTITY_BYTES = 1 << 20, SESSION_BYTES = 1 << 20, MIN_LIFE_MS = 5000 };

struct identity {
    struct arena arena;                  /* facts */
    struct arena session;                /* the token that is valid, and its making */
    struct privkey *key;
    struct machine machine;
    struct identity_facts facts;
    int dir;
    struct session now;
};

/* ---- opening ---------------------------------------------------------------------- */

/* Its mode is looked at: a key that others could read is not this machine's alone. */
int identity_key_read(int dir, struct privkey **out, struct err *err)
{
    struct stat st;
    struct arena arena;
    struct bytes pem;

    if (fstatat(dir, "node.key", &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "node.key: this machine is not enrolled") : state_fail("node.key", err);
    if ((st.st_mode & 077) != 0)
        return err_set(err, ERR_INVALID, "node.key: others may read it; its mode must be 0600");
    arena_init(&arena, 64 * 1024);
    int rc = state_read(dir, "node.key", PEM_MAX, &arena, &pem, err);
    if (rc == 0) {
        rc = privkey_from_pem((const char *)pem.ptr, pem.len, out, err);
        union { const unsigned char *in; void *out; } secret = { .in = pem.ptr };
        crypto_wipe(secret.out, pem.len);
    }
    arena_clear(&arena);
    return rc != 0 ? err_prefix(err, "node.key") : 0;
}

static const char *text_of(struct identity *id, const struct json *doc, const char *key, bool *failed)
{
    const char *text = json_get_str(doc, key, NULL);
    const char *copy = text != NULL && text[0] != '\0' ? arena_strdup(&id->arena, text) : NULL;

    *failed = *failed || (text != NULL && text[0] != '\0' && copy == NULL);
    return copy;
}

static int read_facts(struct identity *id, const char *dir, struct err *err)
{
    struct bytes text;
    struct json doc;
    bool failed = false;

    if (state_read(id->dir, "node.json", NODE_JSON_MAX, &id->arena, &text, err) != 0)
        return err->kind == ERR_NOT_FOUND ? err_set(err, ERR_NOT_FOUND, "%s/node.json: this machine is not enrolled; keep-agent enroll", dir) : -1;
    if (json_parse(&id->arena, text.ptr, text.len, NULL, &doc, err) != 0)
        return err_prefix(err, "node.json");
    id->facts = (struct identity_facts){
        .dir = arena_strdup(&id->arena, dir), .server = text_of(id, &doc, "server", &failed),
        .node_id = text_of(id, &doc, "node_id", &failed), .cluster = text_of(id, &doc, "cluster", &failed),
        .scope = text_of(id, &doc, "scope", &failed), .labels = text_of(id, &doc, "labels", &failed),
        .cert_file = text_of(id, &doc, "cert_file", &failed), .key_file = text_of(id, &doc, "key_file", &failed),
    };
    if (json_bool(json_get(&doc, "has_ca"), false))
        failed = (id->facts.ca_file = arena_printf(&id->arena, "%s/ca.pem", dir)) == NULL || failed;
    if (failed || id->facts.dir == NULL)
        return err_nomem(err);
    if (id->facts.server == NULL || id->facts.node_id == NULL || id->facts.scope == NULL)
        return err_set(err, ERR_INVALID, "%s/node.json: damaged; enrol again", dir);
    return 0;
}

int identity_open(const char *dir, const struct machine *machine, struct identity **out, struct err *err)
{
    struct identity *id = calloc(1, sizeof *id);

    if (id == NULL)
        return err_nomem(err);
    arena_init(&id->arena, IDENTITY_BYTES);
    arena_init(&id->session, SESSION_BYTES);
    id->machine = *machine;
    id->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = id->dir < 0 ? (errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s: this machine is not enrolled", dir) : state_fail(dir, err))
           : read_facts(id, dir, err) != 0 || identity_key_read(id->dir, &id->key, err) != 0 ? -1 : 0;
    if (rc != 0) {
        identity_close(id);
        return -1;
    }
    *out = id;
    return 0;
}

void identity_close(struct identity *id)
{
    if (id == NULL)
        return;
    if (id->dir >= 0)
        close(id->dir);
    privkey_free(id->key);
    arena_clear(&id->arena);
    arena_clear(&id->session);
    free(id);
}

const struct identity_facts *identity_facts(const struct identity *id)
{
    return &id->facts;
}

const struct privkey *identity_key(const struct identity *id)
{
    return id->key;
}

/* ---- sessions ---------------------------------------------------------------------------- */

static int post(struct identity *id, struct http_client *client, const char *challenge, struct session_reply *out, struct err *err)
{
    struct client_answer answer;
    struct buf body;

    buf_init(&body, 64 * 1024);
    int rc = session_ask(id->key, id->facts.node_id, &id->machine, time_now_ms(), challenge, &id->session, &body, err);
    if (rc == 0) {
        const struct client_request request = {
            .method = "POST", .target = "/v1/agent/session", .body = { (const unsigned char *)body.ptr, body.len },
            .content_type = "application/json",
        };
        rc = http_client_send(client, &request, &id->session, &answer, err);
    }
    if (rc == 0)
        rc = session_read(answer.body, &id->session, out, err);
    buf_free(&body);
    return rc;
}

/* The server's clock decides when ours cannot show that the request is new. */
static int ask(struct identity *id, struct session_reply *out, struct err *err)
{
    const struct client_config config = {
        .base_url = id->facts.server, .ca_file = id->facts.ca_file, .cert_file = id->facts.cert_file, .key_file = id->facts.key_file,
        .agent = "keep-agent", .timeout_ms = 30 * MS_SECOND,
    };
    struct http_client *client;

    if (http_client_open(&config, &client, err) != 0)
        return -1;
    int rc = post(id, client, NULL, out, err);
    if (rc == 0 && out->token == NULL)
        rc = post(id, client, out->challenge, out, err);
    if (rc == 0 && out->token == NULL)
        rc = err_set(err, ERR_UNAVAILABLE, "the server asks for one challenge after another");
    http_client_close(client);
    return rc;
}

/* Who trusts a CA of the server's own learns of the next one here, over a connection that
 * the present one vouches for. */
static void keep_ca(struct identity *id, const char *ca)
{
    struct arena arena;
    struct bytes have;
    struct err ignored = { 0 };

    if (ca == NULL || ca[0] == '\0' || id->facts.ca_file == NULL)
        return;
    arena_init(&arena, 2 * CA_MAX);
    if (state_read(id->dir, "ca.pem", CA_MAX, &arena, &have, &ignored) != 0 || have.len != strlen(ca) || memcmp(have.ptr, ca, have.len) != 0)
        (void)state_write(id->dir, "ca.pem", ca, strlen(ca), &ignored);
    arena_clear(&arena);
}

int identity_session(struct identity *id, bool anew, struct session *out, struct err *err)
{
    struct session_reply reply = { 0 };

    if (!anew && id->now.token != NULL && time_monotonic_ms() < id->now.until_monotonic_ms) {
        *out = id->now;
        return 0;
    }
    id->now = (struct session){ 0 };
    arena_reset(&id->session);
    if (ask(id, &reply, err) != 0)
        return -1;
    keep_ca(id, reply.ca);
    int64_t life = reply.expires_ms - reply.server_time_ms;
    if (life < MIN_LIFE_MS)
        life = MIN_LIFE_MS;
    id->now = (struct session){
        .token = reply.token, .until_monotonic_ms = time_monotonic_ms() + life - life / 4,
        .poll_interval_s = reply.poll_interval_s, .clock_skew_ms = reply.clock_skew_ms,
    };
    *out = id->now;
    return 0;
}
