/* node_enroll.c - a machine becomes a node: it shows a join token and its public key.
 *
 * What the token is worth is counted in the transaction that makes the node.  An
 * answer that was lost costs nothing: the same key with the same token gets the same
 * node again, until it has proved to hold the key. */
#include "base/crypto.h"
#include "base/time.h"
#include "base/token.h"
#include "service/audit_change.h"
#include "service/bundles.h"
#include "service/check.h"
#include "service/nodes.h"
#include "store/join_token.h"
#include "store/node.h"
#include "wire/msg/node.h"

#include <string.h>

struct prepared {
    struct join_token token;
    char fingerprint[FINGERPRINT_LEN + 1];
    const char *public_key;              /* PEM as we write it */
};

static int refuse(struct call *c, const char *why, struct err *err)
{
    nodes_count_refusal(c->app->nodes, NODES_BAD_JOIN);
    nodes_failed(c->app->nodes, c->caller->from);
    return err_set(err, ERR_UNAUTHENTICATED, "the join token %s", why);
}

/* Why a token that is right is of no use; NULL: it is.  Whoever holds it may know. */
static const char *why_not(const struct join_token *t, int64_t now_ms)
{
    if (t->revoked_ms != TIME_UNKNOWN)
        return "was revoked";
    if (t->expires_ms <= now_ms)
        return "has expired";
    return t->n_used >= t->max_uses ? "is used up" : NULL;
}

static int find_token(struct call *c, const char *text, struct join_token *out, struct err *err)
{
    static const uint8_t nobody[JOIN_TOKEN_HASH_LEN];
    uint8_t hash[JOIN_TOKEN_HASH_LEN];
    struct token token;

    if (!token_parse(text, &token) || !str_eq(token.kind, "join"))
        return refuse(c, "is not one", err);
    if (join_token_get(c->db, token.id, c->arena, out, hash, err) != 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        (void)token_matches(&token, nobody);
        return refuse(c, "is not valid", err);
    }
    return token_matches(&token, hash) ? 0 : refuse(c, "is not valid", err);
}

static int read_key(struct call *c, const char *pem, struct prepared *p, struct err *err)
{
    struct pubkey key;
    struct buf b;

    if (pubkey_from_pem(pem, strlen(pem), &key, err) != 0)
        return err_prefix(err, "$.public_key");
    bool right = key.alg == KEY_ED25519;
    memcpy(p->fingerprint, key.fingerprint, sizeof p->fingerprint);
    buf_init(&b, PEM_MAX);
    pubkey_to_pem(&key, &b);
    p->public_key = b.failed ? NULL : arena_strndup(c->arena, b.ptr, b.len);
    buf_free(&b);
    pubkey_clear(&key);
    if (!right)
        return err_set(err, ERR_INVALID, "$.public_key: an Ed25519 key is expected");
    return p->public_key != NULL ? 0 : err_nomem(err);
}

int node_enroll_prepare(struct call *c, const void *in, void *out, struct err *err)
{
    const struct node_enroll *asked = in;
    struct prepared *p = arena_alloc(c->arena, sizeof *p);

    (void)out;
    if (p == NULL)
        return err_nomem(err);
    if (!nodes_may_try(c->app->nodes, c->caller->from, &c->retry_after_s))
        return err_set(err, ERR_RATE_LIMITED, "too many failed enrolments from this address");
    if (check_name("$.name", asked->name, err) != 0 || check_name("$.kernel", asked->kernel, err) != 0 ||
        check_name("$.arch", asked->arch, err) != 0 || check_name("$.agent_version", asked->agent_version, err) != 0 ||
        find_token(c, asked->join_token, &p->token, err) != 0 || read_key(c, asked->public_key, p, err) != 0)
        return -1;
    c->prepared = p;
    return 0;
}

/* ---- in the write transaction ------------------------------------------------------- */

/* "n" and 22 characters of base 62: 131 random bits. */
static const char *new_id(struct arena *arena)
{
    char text[TOKEN_TEXT_MAX + 1];
    struct token token;

    if (!token_make("node", text, &token))
        return NULL;
    const char *secret = text + strlen("keep_node_") + TOKEN_ID_LEN + 1;
    return arena_printf(arena, "n%.22s", secret);
}

static int make_node(struct call *c, const struct node_enroll *asked, const struct prepared *p, struct node *out, struct err *err)
{
    const struct join_token *t = &p->token;
    bool taken;

    if (join_token_use(c->db, t->id, c->now_ms, &taken, err) != 0)
        return -1;
    if (!taken) {
        struct join_token now = *t;
        if (join_token_get(c->db, t->id, c->arena, &now, NULL, err) != 0)
            return -1;
        const char *why = why_not(&now, c->now_ms);
        return refuse(c, why != NULL ? why : "is not valid", err);
    }
    *out = (struct node){
        .node_id = new_id(c->arena), .name = asked->name, .cluster = t->cluster, .labels = t->labels,
        .scope = node_scope(t->cluster, t->labels, c->arena), .fingerprint = p->fingerprint, .public_key = p->public_key,
        .join_token = t->id, .created_ms = c->now_ms, .enrolled_ms = TIME_UNKNOWN, .revoked_ms = TIME_UNKNOWN,
        .last_seen_ms = TIME_UNKNOWN, .bundle_applied_ms = TIME_UNKNOWN, .clock_skew_ms = TIME_UNKNOWN,
        .status_ms = TIME_UNKNOWN, .cloned_ms = TIME_UNKNOWN, .agent_version = asked->agent_version, .kernel = asked->kernel,
        .arch = asked->arch, .problem = "", .certificate = c->caller->certificate != NULL ? c->caller->certificate : "",
        .state = NODE_INVITED,
    };
    if (out->node_id == NULL || out->scope == NULL)
        return err_nomem(err);
    if (node_insert(c->db, out, err) != 0)
        return -1;
    struct caller by = *c->caller;
    by.role = ROLE_NODE;
    by.id = out->node_id;
    by.name = out->name;
    nodes_count_enrolment(c->app->nodes);
    return audit_change_by(c, &by, "enroll", "node", out->node_id, &node_shape, NULL, out, err);
}

/* The same machine asks again, because the answer was lost: 1.  Somebody's key that is a
 * node already: an error. */
static int is_repeated(struct call *c, const struct prepared *p, struct node *out, struct err *err)
{
    struct err none = { 0 };

    if (node_get_by_key(c->db, p->fingerprint, c->arena, out, &none) != 0) {
        if (none.kind == ERR_NOT_FOUND)
            return 0;
        *err = none;
        return -1;
    }
    if (out->revoked_ms == TIME_UNKNOWN && out->enrolled_ms == TIME_UNKNOWN && str_eq(out->join_token, p->token.id))
        return 1;
    nodes_failed(c->app->nodes, c->caller->from);
    return err_set(err, ERR_CONFLICT, "this key is a node already (%s); make a new one", out->node_id);
}

static int put_root(struct call *c, struct node_enrolled *out, struct err *err)
{
    struct root_pin pin;
    struct err none = { 0 };

    if (bundles_root(c->app, c->arena, &pin, &none) != 0) {
        if (none.kind == ERR_UNAVAILABLE && c->app->bundles == NULL)
            return 0;
        *err = none;
        return -1;
    }
    out->root = arena_alloc(c->arena, sizeof *out->root);
    if (out->root == NULL)
        return err_nomem(err);
    *out->root = (struct node_root){ pin.version, pin.envelope };
    return 0;
}

int node_enroll(struct call *c, const void *in, void *out, struct err *err)
{
    const struct prepared *p = c->prepared;
    struct node_enrolled *answer = out;
    struct node node;

    int known = is_repeated(c, p, &node, err);
    if (known < 0 || (known == 0 && make_node(c, in, p, &node, err) != 0))
        return -1;
    *answer = (struct node_enrolled){
        .node_id = node.node_id, .cluster = node.cluster, .labels = node.labels, .scope = node.scope, .server_time_ms = c->now_ms,
    };
    c->status = 201;
    return put_root(c, answer, err);
}
