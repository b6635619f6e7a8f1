/* node_session.c - a signed request becomes a short-lived token.
 *
 * The signature is verified over the bytes before what is signed is parsed.  That the
 * request is new is shown in one of two ways, both kept in the node's row, so that
 * they hold across restarts and across processes:
 *
 *   - its time is within five minutes of ours, and later than that of the node's last
 *     request that was taken for this reason; or
 *   - it answers a challenge of ours, a minute old at most, that was made later than
 *     the one the node answered last.
 *
 * So a node with a wrong clock gets its session with one more question, and is shown
 * with its skew; a copied request gets none. */
#include "base/base64.h"
#include "base/crypto.h"
#include "base/time.h"
#include "service/audit_change.h"
#include "service/bundles.h"
#include "service/check.h"
#include "service/nodes.h"
#include "service/nodes_internal.h"
#include "store/node.h"
#include "store/text_list.h"
#include "wire/envelope.h"
#include "wire/msg/node.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { INSTANCES_MAX = 8, CHALLENGE_LEN = 8 + SHA256_LEN, CA_MAX = 64 * 1024 };
#define WINDOW_MS    (5 * MS_MINUTE)
#define CHALLENGE_MS MS_MINUTE

struct prepared {
    int64_t node;
    struct node_session_ask ask;
    const char *ca;                      /* NULL: nothing to say */
};

static int refuse(struct call *c, struct err *err, const char *why)
{
    nodes_count_refusal(c->app->nodes, NODES_BAD_SESSION);
    return err_set(err, ERR_UNAUTHENTICATED, "the session request %s", why);
}

/* ---- challenges ------------------------------------------------------------------- */

static void challenge_mac(struct nodes *nodes, int64_t node, int64_t at_ms, uint8_t out[SHA256_LEN])
{
    uint8_t text[16 + 16] = "keep challenge";

    for (int i = 0; i < 8; i++) {
        text[16 + i] = (uint8_t)((uint64_t)node >> (56 - 8 * i));
        text[24 + i] = (uint8_t)((uint64_t)at_ms >> (56 - 8 * i));
    }
    hmac_sha256(nodes->key, sizeof nodes->key, text, sizeof text, out);
}

static const char *challenge_new(struct call *c, int64_t node)
{
    uint8_t raw[CHALLENGE_LEN];
    char *text = arena_bytes(c->arena, base64_encoded_len(sizeof raw) + 1);

    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)((uint64_t)c->now_ms >> (56 - 8 * i));
    challenge_mac(c->app->nodes, node, c->now_ms, raw + 8);
    if (text != NULL)
        base64_encode(raw, sizeof raw, BASE64_URL | BASE64_PAD_NEVER, text);
    return text;
}

static bool challenge_read(struct call *c, int64_t node, const char *text, int64_t *at_ms)
{
    uint8_t raw[192], mac[SHA256_LEN];
    size_t len, n = strlen(text);
    uint64_t at = 0;

    if (base64_decoded_max(n) > sizeof raw || base64_decode(text, n, BASE64_URL | BASE64_PAD_NEVER, raw, &len) != 0 ||
        len != CHALLENGE_LEN)
        return false;
    for (int i = 0; i < 8; i++)
        at = at << 8 | raw[i];
    challenge_mac(c->app->nodes, node, (int64_t)at, mac);
    *at_ms = (int64_t)at;
    return crypto_equal(mac, raw + 8, sizeof mac) && *at_ms <= c->now_ms && c->now_ms - *at_ms <= CHALLENGE_MS;
}

/* ---- on a worker: who signed it ------------------------------------------------------ */

static int verify(struct call *c, const struct envelope *env, const struct node *node, struct err *err)
{
    const char *who = arena_printf(c->arena, "%s %s", c->caller->from, node->node_id);
    struct pubkey key;
    struct signers signers;
    struct err wrong = { 0 };

    if (who == NULL)
        return err_nomem(err);
    if (!nodes_may_try(c->app->nodes, who, &c->retry_after_s))
        return err_set(err, ERR_RATE_LIMITED, "too many failed session requests of this node from this address");
    if (pubkey_from_pem(node->public_key, strlen(node->public_key), &key, err) != 0)
        return err_set(err, ERR_INTERNAL, "node %s: damaged key", node->node_id);
    const struct pubkey *const keys[] = { &key };
    int rc = envelope_verify(env, keys, 1, 1, &signers, &wrong);
    pubkey_clear(&key);
    if (rc == 0)
        return 0;
    nodes_failed(c->app->nodes, who);
    return refuse(c, err, "is not signed by the node it names");
}

static int decode(struct call *c, const struct envelope *env, struct node_session_ask *out, struct err *err)
{
    static const struct json_opts bounds = { .max_depth = 4, .max_values = 64 };
    struct json doc;

    if (json_parse(c->arena, env->payload.ptr, env->payload.len, &bounds, &doc, err) != 0)
        return err_prefix(err, "payload");
    shape_init(&node_session_ask_shape, out);
    if (shape_decode(&node_session_ask_shape, &doc, c->arena, out, NULL, err) != 0)
        return err_prefix(err, "payload");
    return check_name("$.kernel", out->kernel, err) != 0 || check_name("$.arch", out->arch, err) != 0 ||
           check_name("$.agent_version", out->agent_version, err) != 0 ? -1 : 0;
}

/* The CAs of our own: whoever trusts us learns of the next one before it takes over. */
static const char *read_ca(struct call *c)
{
    int fd = c->app->tls_ca == NULL ? -1 : open(c->app->tls_ca, O_RDONLY | O_CLOEXEC);
    char *text = fd >= 0 ? arena_bytes(c->arena, CA_MAX + 1) : NULL;
    ssize_t n = text != NULL ? read(fd, text, CA_MAX) : 0;

    if (fd >= 0)
        close(fd);
    if (n <= 0 || n == CA_MAX)
        return NULL;
    text[n] = '\0';
    return text;
}

static int find_node(struct call *c, const struct envelope *env, struct node *node, struct err *err)
{
    const char *keyid = env->sigs[0].keyid;

    if (str_starts(keyid, "sha256:"))
        keyid += strlen("sha256:");
    if (node_get_by_key(c->db, keyid, c->arena, node, err) != 0)
        return err->kind == ERR_NOT_FOUND ? refuse(c, err, "is of a key that is no node's") : -1;
    return 0;
}

int node_session_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    struct prepared *p = arena_alloc(c->arena, sizeof *p);
    struct envelope env;
    struct node node;

    (void)in, (void)out;
    if (p == NULL)
        return err_nomem(err);
    if (envelope_parse(c->arena, c->body.ptr, c->body.len, &env, err) != 0)
        return -1;
    if (!str_eq(env.payload_type, NODE_SESSION_TYPE))
        return err_set(err, ERR_INVALID, "payloadType: %s expected", NODE_SESSION_TYPE);
    if (env.n_sigs != 1)
        return err_set(err, ERR_INVALID, "signatures: one expected, found %zu", env.n_sigs);
    if (find_node(c, &env, &node, err) != 0 || verify(c, &env, &node, err) != 0 || decode(c, &env, &p->ask, err) != 0)
        return -1;
    if (!str_eq(p->ask.node_id, node.node_id))
        return refuse(c, err, "names another node than the one that signed it");
    if (nodes_put(c->app->nodes, &node, err) != 0)
        return -1;
    p->node = node.id;
    p->ca = read_ca(c);
    c->prepared = p;
    return 0;
}

/* ---- in the write transaction: is it new? ------------------------------------------------ */

enum newness { IS_REPLAY = 0, IS_UNCLEAR, IS_NEW };

static enum newness newness_of(struct call *c, const struct node_session_ask *ask, struct node *node, int64_t skew_ms)
{
    int64_t made_ms;

    if (ask->challenge != NULL) {
        if (!challenge_read(c, node->id, ask->challenge, &made_ms) ||
            (node->challenge_ms != TIME_UNKNOWN && made_ms <= node->challenge_ms))
            return IS_REPLAY;
        node->challenge_ms = made_ms;
        return IS_NEW;
    }
    if (node->session_ms == ask->at_ms && str_eq(node->session_nonce, ask->nonce))
        return IS_REPLAY;
    if (skew_ms > WINDOW_MS || skew_ms < -WINDOW_MS || (node->session_ms != TIME_UNKNOWN && ask->at_ms <= node->session_ms))
        return IS_UNCLEAR;
    node->session_ms = ask->at_ms;
    node->session_nonce = ask->nonce;
    return IS_NEW;
}

/* A boot that another has replaced does not come back, unless two machines have one identity. */
static int note_instance(struct call *c, const char *instance, struct node *node, bool *cloned, struct err *err)
{
    const char *const *known;
    const char *list[INSTANCES_MAX];
    size_t n_known, n = 0;

    *cloned = false;
    if (instance == NULL)
        return 0;
    if (!text_list_decode(node->instances, c->arena, &known, &n_known))
        return err_set(err, ERR_INTERNAL, "node %s: damaged list of boots", node->node_id);
    list[n++] = instance;
    for (size_t i = 0; i < n_known; i++) {
        if (!str_eq(known[i], instance)) {
            if (n < INSTANCES_MAX)
                list[n++] = known[i];
        } else if (i > 0) {
            *cloned = true;
        }
    }
    node->instances = text_list_encode(c->arena, list, n);
    return node->instances != NULL ? 0 : err_nomem(err);
}

static int note(struct call *c, const struct node_session_ask *ask, int64_t skew_ms, struct node *node, bool *cloned, struct err *err)
{
    if (note_instance(c, ask->instance, node, cloned, err) != 0)
        return -1;
    if (*cloned)
        node->cloned_ms = c->now_ms;
    if (node->enrolled_ms == TIME_UNKNOWN)
        node->enrolled_ms = c->now_ms;
    node->last_seen_ms = c->now_ms;
    node->last_from = c->caller->from;
    node->agent_version = ask->agent_version;
    node->kernel = ask->kernel;
    node->arch = ask->arch;
    node->clock_skew_ms = skew_ms;
    node->certificate = c->caller->certificate != NULL ? c->caller->certificate : "";
    node->problem = node_problem_text(node, 0, c->arena, c->now_ms);
    if (node->problem == NULL)
        return err_nomem(err);
    return node_update_session(c->db, node, err);
}

static int give_token(struct call *c, const struct prepared *p, struct node_session_answer *out, struct err *err)
{
    const struct node_facts *facts = nodes_facts(c->app->nodes, p->node);

    out->expires_ms = c->now_ms + c->app->settings.node_session_ms;
    out->token = nodes_token(c->app->nodes, facts, c->caller->certificate, c->now_ms, out->expires_ms, c->arena);
    out->ca = p->ca;
    if (out->token == NULL)
        return err_nomem(err);
    nodes_seen(c->app->nodes, p->node, c->now_ms, c->caller->from, -1);
    nodes_count_session(c->app->nodes);
    c->status = 201;
    return 0;
}

int node_session(struct call *c, const void *in, void *out, struct err *err)
{
    const struct prepared *p = c->prepared;
    struct node_session_answer *answer = out;
    struct node before, node;
    bool cloned;

    (void)in;
    if (node_get_stored(c->db, p->node, c->arena, &node, err) != 0)
        return -1;
    before = node;
    if (node.revoked_ms != TIME_UNKNOWN) {
        nodes_count_refusal(c->app->nodes, NODES_REVOKED);
        return err_set(err, ERR_FORBIDDEN, "this node was revoked");
    }
    int64_t skew_ms = p->ask.at_ms - c->now_ms;
    *answer = (struct node_session_answer){
        .expires_ms = TIME_UNKNOWN, .server_time_ms = c->now_ms, .clock_skew_ms = skew_ms,
        .poll_interval_s = c->app->settings.node_poll_ms / MS_SECOND,
    };
    switch (newness_of(c, &p->ask, &node, skew_ms)) {
    case IS_REPLAY:
        return refuse(c, err, "was used before, or answers an old challenge");
    case IS_UNCLEAR:
        answer->challenge = challenge_new(c, node.id);
        return answer->challenge != NULL ? 0 : err_nomem(err);
    case IS_NEW:
        break;
    }
    if (note(c, &p->ask, skew_ms, &node, &cloned, err) != 0 || give_token(c, p, answer, err) != 0)
        return -1;
    if (before.enrolled_ms == TIME_UNKNOWN)
        bundles_changed(c->app, "a node came");
    return cloned ? audit_change(c, "cloned", "node", node.node_id, &node_shape, &before, &node, err) : 0;
}
