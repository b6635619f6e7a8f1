/* nodes_identify.c - session tokens, who may try, and figures; see nodes.h. */
#include "service/nodes_internal.h"
#include "base/crypto.h"
#include "base/time.h"
#include "core/node_state.h"
#include "store/node.h"

#include <string.h>

/* An older token goes on for so long after a newer one was given out: requests are on
 * their way.  Then it is worth nothing, so two machines with one identity take it from
 * each other, and that shows. */
enum { OVERLAP_MS = 120000 };

uint64_t nodes_hash(const struct nodes *nodes, const char *text)
{
    uint64_t h = nodes->seed ^ 0xcbf29ce484222325ULL;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
    h ^= h >> 32;
    return h == 0 ? 1 : h;
}

/* ---- tokens --------------------------------------------------------------------------- */

static bool certificate_bytes(const char *hex, uint8_t out[MAC_TOKEN_CERTIFICATE_LEN])
{
    uint8_t all[SHA256_LEN];

    memset(out, 0, MAC_TOKEN_CERTIFICATE_LEN);
    if (hex == NULL || hex[0] == '\0')
        return true;
    if (!hex_decode(hex, all, sizeof all))
        return false;
    memcpy(out, all, MAC_TOKEN_CERTIFICATE_LEN);
    return true;
}

const char *nodes_token(struct nodes *nodes, const struct node_facts *facts, const char *certificate, int64_t issued_ms,
                        int64_t expires_ms, struct arena *arena)
{
    struct mac_claims claims = { .node = facts->id, .issued_ms = issued_ms, .expires_ms = expires_ms, .scope = facts->scope_hash };
    struct place *p = nodes_place(nodes, facts->id);
    char *text = arena_bytes(arena, MAC_TOKEN_TEXT + 1);

    if (text == NULL || !certificate_bytes(certificate, claims.certificate))
        return NULL;
    mac_token_make(nodes->key, &claims, text);
    if (p != NULL)
        atomic_store_explicit(&p->issued_ms, issued_ms, memory_order_relaxed);
    return text;
}

bool nodes_is_token(const char *text)
{
    return mac_token_looks_like(text);
}

static int refuse(struct nodes *nodes, enum nodes_refusal why, struct err *err)
{
    nodes_count_refusal(nodes, why);
    return err_set(err, ERR_UNAUTHENTICATED, "the token is not valid, has expired or was revoked");
}

/* A token bound to a TLS key is good only with that key's certificate. */
static bool bound_here(const struct mac_claims *claims, const char *certificate)
{
    static const uint8_t none[MAC_TOKEN_CERTIFICATE_LEN];
    uint8_t here[MAC_TOKEN_CERTIFICATE_LEN];

    if (memcmp(claims->certificate, none, sizeof none) == 0)
        return true;
    return certificate != NULL && certificate_bytes(certificate, here) && crypto_equal(here, claims->certificate, sizeof here);
}

static int load_one(struct app *app, struct db *reader, int64_t id, struct arena *arena, struct err *err)
{
    struct node node;

    if (node_get_stored(reader, id, arena, &node, err) != 0)
        return err->kind == ERR_NOT_FOUND ? refuse(app->nodes, NODES_BAD_TOKEN, err) : -1;
    return nodes_put(app->nodes, &node, err);
}

int nodes_identify(struct app *app, struct db *reader, const char *token, const char *certificate, const char *from,
                   struct arena *arena, int64_t now_ms, struct caller *out, struct err *err)
{
    struct nodes *nodes = app->nodes;
    struct mac_claims claims;

    if (nodes == NULL)
        return err_set(err, ERR_UNAUTHENTICATED, "the token is not valid, has expired or was revoked");
    if (mac_token_check(nodes->key, token, now_ms, &claims) != MAC_TOKEN_GOOD)
        return refuse(nodes, NODES_BAD_TOKEN, err);
    if (!bound_here(&claims, certificate))
        return refuse(nodes, NODES_NO_CERTIFICATE, err);
    const struct node_facts *facts = nodes_facts(nodes, claims.node);
    if (facts == NULL) {
        if (reader == NULL)
            return 1;
        if (load_one(app, reader, claims.node, arena, err) != 0)
            return -1;
        facts = nodes_facts(nodes, claims.node);
    }
    struct place *p = nodes_place(nodes, claims.node);
    if (!nodes_admit(nodes, claims.node))
        return refuse(nodes, NODES_REVOKED, err);
    if (claims.scope != facts->scope_hash ||
        claims.issued_ms + OVERLAP_MS < atomic_load_explicit(&p->issued_ms, memory_order_relaxed))
        return refuse(nodes, NODES_BAD_TOKEN, err);
    nodes_seen(nodes, claims.node, now_ms, from, -1);
    *out = (struct caller){
        .role = ROLE_NODE, .id = facts->node_id, .name = facts->name, .from = from, .node = facts->id, .scope = facts->scope,
        .issued_ms = claims.issued_ms, .until_ms = claims.expires_ms,
    };
    return 0;
}

bool nodes_still(struct app *app, const struct caller *caller, int64_t now_ms)
{
    const struct place *p = app->nodes == NULL ? NULL : nodes_place(app->nodes, caller->node);

    if (p == NULL || now_ms >= caller->until_ms || !nodes_admit(app->nodes, caller->node) ||
        caller->issued_ms + OVERLAP_MS < atomic_load_explicit(&p->issued_ms, memory_order_relaxed))
        return false;
    nodes_seen(app->nodes, caller->node, now_ms, caller->from, -1);
    return true;
}

/* ---- who may try ------------------------------------------------------------------------ */

enum { TRY_BURST = 20, MILLI = 1000, TRY_PER_S = 1 };

/* Under its lock.  Another's bucket in the same place is made this one's, full: a table
 * that is contested lets more through, and never locks anybody out. */
static struct try_bucket *bucket_of(struct nodes *nodes, const char *from, int64_t now_ms)
{
    uint64_t key = nodes_hash(nodes, from);
    struct try_bucket *b = &nodes->tries[key % TRIES_N];

    if (b->key != key) {
        *b = (struct try_bucket){ key, now_ms, TRY_BURST * MILLI };
    } else if (now_ms > b->at_ms) {
        int64_t room = TRY_BURST * MILLI - b->milli, gained = (now_ms - b->at_ms) * TRY_PER_S;
        b->milli += gained < room ? gained : room;
        b->at_ms = now_ms;
    }
    return b;
}

bool nodes_may_try(struct nodes *nodes, const char *from, int64_t *retry_after_s)
{
    pthread_mutex_lock(&nodes->tries_lock);
    struct try_bucket *b = bucket_of(nodes, from, time_monotonic_ms());
    bool ok = b->milli >= MILLI;
    if (!ok)
        *retry_after_s = 1 + (MILLI - b->milli) / (TRY_PER_S * 1000);
    pthread_mutex_unlock(&nodes->tries_lock);
    if (!ok)
        nodes_count_refusal(nodes, NODES_TOO_MANY);
    return ok;
}

void nodes_failed(struct nodes *nodes, const char *from)
{
    pthread_mutex_lock(&nodes->tries_lock);
    struct try_bucket *b = bucket_of(nodes, from, time_monotonic_ms());
    b->milli = b->milli > MILLI ? b->milli - MILLI : 0;
    pthread_mutex_unlock(&nodes->tries_lock);
}

/* ---- figures ---------------------------------------------------------------------------- */

void nodes_count_refusal(struct nodes *nodes, enum nodes_refusal why)
{
    atomic_fetch_add_explicit(&nodes->refused[why], 1, memory_order_relaxed);
}

void nodes_count_session(struct nodes *nodes)
{
    atomic_fetch_add_explicit(&nodes->sessions, 1, memory_order_relaxed);
}

void nodes_count_enrolment(struct nodes *nodes)
{
    atomic_fetch_add_explicit(&nodes->enrolments, 1, memory_order_relaxed);
}

void nodes_metrics(struct app *app, struct buf *out)
{
    static const char *const why[NODES_REFUSAL_N] = {
        [NODES_BAD_TOKEN] = "token", [NODES_REVOKED] = "revoked", [NODES_BAD_JOIN] = "join_token", [NODES_BAD_SESSION] = "session",
        [NODES_TOO_MANY] = "too_many", [NODES_NO_CERTIFICATE] = "certificate",
    };
    struct nodes *nodes = app->nodes;

    if (nodes == NULL)
        return;
    buf_puts(out, "# HELP keepd_nodes Nodes by state.\n# TYPE keepd_nodes gauge\n");
    for (int i = 0; i < NODE_STATE_N; i++)
        buf_printf(out, "keepd_nodes{state=\"%s\"} %lld\n", node_state_words[i], (long long)atomic_load(&nodes->by_state[i]));
    buf_printf(out, "# HELP keepd_node_enrolments_total Nodes that came by a join token.\n# TYPE keepd_node_enrolments_total counter\n"
                    "keepd_node_enrolments_total %lld\n", (long long)atomic_load(&nodes->enrolments));
    buf_printf(out, "# HELP keepd_node_sessions_total Sessions given to nodes.\n# TYPE keepd_node_sessions_total counter\n"
                    "keepd_node_sessions_total %lld\n", (long long)atomic_load(&nodes->sessions));
    buf_puts(out, "# HELP keepd_node_refused_total Requests of nodes that were refused.\n# TYPE keepd_node_refused_total counter\n");
    for (int i = 0; i < NODES_REFUSAL_N; i++)
        buf_printf(out, "keepd_node_refused_total{why=\"%s\"} %lld\n", why[i], (long long)atomic_load(&nodes->refused[i]));
}
