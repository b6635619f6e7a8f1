/* simulate.c - see simulate.h: one loop over all agents and what is due for each. */
#include "agent/simulate.h"

#include "agent/link.h"
#include "base/compress.h"
#include "base/time.h"
#include "client/many.h"
#include "wire/json.h"
#include "wire/msg/container.h"
#include "wire/msg/event.h"
#include "wire/msg/node.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_US = 2000000, TICK_MS = 5, FAILED_LEAST_MS = 500, FAILED_MOST_MS = 30000, BODY_MAX = 4 << 20, NODE_ID_MAX = 80, TOKEN_MAX = 512, ETAG_MAX = 96 };

/* What an agent has under way: each at most once at a time. */
enum lane_kind { LANE_LOGIN = 0, LANE_POLL, LANE_EVENTS, LANE_INVENTORY, LANE_N };

struct node_lane {
    struct sim_node *node;
    bool is_busy;
    unsigned failures;
    int64_t due_ms;                      /* monotonic; INT64_MAX never */
    struct buf body;                     /* of the request under way */
};

struct sim_node {
    struct sim *sim;
    struct privkey *key;
    char node_id[NODE_ID_MAX], token[TOKEN_MAX], etag[ETAG_MAX], stream[33];
    char *challenge;
    struct node_lane lanes[LANE_N];
    int64_t renew_ms;                    /* when a new session is due */
    int64_t next_seq, sent_seq, generation;
    bool is_ready, is_revoked, has_newest;
};

struct sim {
    const struct simulate_config *config;
    struct simulate_result *out;
    struct many *many;
    struct sim_node *nodes;
    struct machine machine;
    struct buf event;                    /* one event as JSON, without its '{' */
    int64_t newest_ms;                   /* when the newest bundle was first seen */
    size_t n_logins, n_ready;
    int64_t run_from_ms;                 /* 0: still enrolling */
};

static int64_t spread(int64_t ms)
{
    return ms <= 0 ? 0 : (int64_t)((uint64_t)random_u32() * (uint64_t)ms >> 32);
}

static void problem(struct sim *s, const char *what, const struct many_answer *a)
{
    snprintf(s->out->problem, sizeof s->out->problem, "%s: %u %.150s", what, a->status,
             a->status != 0 ? (const char *)a->body.ptr : a->problem);
}

static int start(struct sim_node *n, enum lane_kind kind, struct many_request *r, struct err *err)
{
    struct node_lane *l = &n->lanes[kind];

    r->of = l;
    r->lane = (size_t)(n - n->sim->nodes);
    if (l->body.failed)
        return err_nomem(err);
    if (r->method[0] == 'P') {
        r->body = (struct bytes){ (const unsigned char *)l->body.ptr, l->body.len };
        r->content_type = "application/json";
    }
    if (many_send(n->sim->many, r, err) != 0)
        return -1;
    l->is_busy = true;
    return 0;
}

/* ---- coming in ------------------------------------------------------------------------- */

static int ask_enroll(struct sim_node *n, struct err *err)
{
    struct sim *s = n->sim;
    char name[128];
    struct node_enroll ask = { .join_token = s->config->token, .name = name, .kernel = s->machine.kernel, .arch = s->machine.arch,
                               .agent_version = s->machine.version };
    struct many_request r = { .method = "POST", .target = "/v1/agent/enroll" };
    struct buf pem;

    if (privkey_generate(KEY_ED25519, &n->key, err) != 0)
        return -1;
    snprintf(name, sizeof name, "%s-%06zu", s->config->prefix, (size_t)(n - s->nodes));
    buf_init(&pem, PEM_MAX);
    pubkey_to_pem(privkey_public(n->key), &pem);
    ask.public_key = pem.ptr;
    buf_clear(&n->lanes[LANE_LOGIN].body);
    shape_encode(&node_enroll_shape, &ask, &n->lanes[LANE_LOGIN].body);
    buf_free(&pem);
    return start(n, LANE_LOGIN, &r, err);
}

static int ask_session(struct sim_node *n, struct err *err)
{
    struct many_request r = { .method = "POST", .target = "/v1/agent/session" };
    struct arena arena;

    arena_init(&arena, 1 << 20);
    buf_clear(&n->lanes[LANE_LOGIN].body);
    int rc = session_ask(n->key, n->node_id, &n->sim->machine, time_now_ms(), n->challenge, &arena, &n->lanes[LANE_LOGIN].body, err);
    arena_clear(&arena);
    free(n->challenge);
    n->challenge = NULL;
    return rc != 0 ? -1 : start(n, LANE_LOGIN, &r, err);
}

static bool took_enroll(struct sim_node *n, const struct many_answer *a)
{
    struct arena arena;
    struct json doc;
    struct err err = { 0 };

    if (a->status != 201)
        return false;
    arena_init(&arena, 1 << 20);
    if (json_parse(&arena, a->body.ptr, a->body.len, NULL, &doc, &err) == 0)
        snprintf(n->node_id, sizeof n->node_id, "%s", json_get_str(&doc, "node_id", ""));
    arena_clear(&arena);
    n->sim->out->enrolled += n->node_id[0] != '\0';
    return n->node_id[0] != '\0';
}

static void become_ready(struct sim_node *n)
{
    struct sim *s = n->sim;
    int64_t now = time_monotonic_ms(), interval = s->config->poll_interval_ms;

    if (n->is_ready)
        return;
    n->is_ready = true;
    s->n_ready++;
    n->lanes[LANE_POLL].due_ms = now + (s->config->wait_s > 0 ? 0 : spread(interval));
    if (s->config->containers > 0)
        n->lanes[LANE_INVENTORY].due_ms = now;
}

/* 1 done, 0 again at once (a challenge), -1 failed */
static int took_session(struct sim_node *n, const struct many_answer *a)
{
    struct session_reply reply;
    struct arena arena;
    struct err err = { 0 };
    int rc = -1;

    if (a->status == 401 || a->status == 403)
        n->is_revoked = a->status == 403;
    if (a->status != 200 && a->status != 201)
        return -1;
    arena_init(&arena, 1 << 20);
    if (session_read(a->body, &arena, &reply, &err) == 0 && reply.token != NULL && strlen(reply.token) < sizeof n->token) {
        memcpy(n->token, reply.token, strlen(reply.token) + 1);
        n->renew_ms = time_monotonic_ms() + (reply.expires_ms - reply.server_time_ms) * 8 / 10;
        n->sim->out->sessions++;
        become_ready(n);
        rc = 1;
    } else if (err.kind == 0 && reply.challenge != NULL) {
        n->challenge = strdup(reply.challenge);
        rc = 0;
    }
    arena_clear(&arena);
    return rc;
}

static int start_login(struct sim_node *n, struct err *err)
{
    int rc = n->node_id[0] == '\0' ? ask_enroll(n, err) : ask_session(n, err);

    n->sim->n_logins += rc == 0;
    return rc;
}

/* ---- bundles ----------------------------------------------------------------------------- */

static int start_poll(struct sim_node *n, struct err *err)
{
    const char *dash = strchr(n->etag, '-');      /* "SCOPE-VERSION" or "SCOPE-VERSION-gz" */
    long long version = dash != NULL ? strtoll(dash + 1, NULL, 10) : 0;
    char target[80];
    struct many_request r = { .method = "GET", .target = target, .token = n->token, .wait_s = n->sim->config->wait_s,
                              .if_none_match = n->etag[0] != '\0' ? n->etag : NULL };

    snprintf(target, sizeof target, "/v1/agent/bundle?applied=%lld", version);
    return start(n, LANE_POLL, &r, err);
}

static void saw_bundle(struct sim_node *n, const char *etag)
{
    struct sim *s = n->sim;
    int64_t now = time_monotonic_ms();

    snprintf(n->etag, sizeof n->etag, "%s", etag);
    if (!str_eq(s->out->etag, etag)) {
        snprintf(s->out->etag, sizeof s->out->etag, "%s", etag);
        s->newest_ms = now;
        s->out->spread_nodes = 0;
    }
    s->out->spread_nodes++;
    s->out->spread_ms = now - s->newest_ms;
}

static bool took_poll(struct sim_node *n, const struct many_answer *a)
{
    const struct simulate_config *c = n->sim->config;
    struct node_lane *l = &n->lanes[LANE_POLL];

    if (a->status != 200 && a->status != 304 && a->status != 404)
        return false;
    if (a->status == 200)
        saw_bundle(n, a->etag);
    l->due_ms = time_monotonic_ms() + (c->wait_s > 0 && a->status != 404 ? spread(100) :
                                       c->poll_interval_ms * 4 / 5 + spread(c->poll_interval_ms * 2 / 5));
    return true;
}

/* ---- events ------------------------------------------------------------------------------- */

static void make_event(struct sim *s)
{
    static const char *const tags[] = { "container", "process" };
    struct event e;

    shape_init(&event_shape, &e);
    e.at_ms = time_now_ms();
    e.source = SOURCE_FALCO;
    e.kind = EVENT_EXEC;
    e.severity = 5;
    e.rule = "Simulated program";
    e.message = "a simulated container ran a simulated program (user=root program=server command=server --listen 8080)";
    e.tags = tags;
    e.n_tags = N_ITEMS(tags);
    e.container = (struct event_container){ .id = "0123456789ab", .name = "shop", .image = "registry.example/shop/app:1.0" };
    e.place = (struct event_place){ .namespace = "shop", .pod = "app-5d4f8", .workload = "app" };
    e.process.exe = "/usr/bin/server";
    e.process.name = "server";
    e.process.args = "server --listen 8080";
    e.process.parent_exe = "/sbin/init";
    e.process.pid = 4711;
    e.process.uid = 0;
    buf_init(&s->event, 64 * 1024);
    shape_encode(&event_shape, &e, &s->event);
}

static int start_events(struct sim_node *n, struct err *err)
{
    struct sim *s = n->sim;
    struct node_lane *l = &n->lanes[LANE_EVENTS];
    struct many_request r = { .method = "POST", .target = "/v1/agent/events", .token = n->token, .content_encoding = "zstd" };
    struct buf text;

    s->out->repeated += n->sent_seq >= n->next_seq;
    n->sent_seq = n->next_seq + s->config->batch - 1;
    buf_init(&text, BODY_MAX);
    buf_printf(&text, "{\"stream\":\"%s\",\"first_seq\":%lld,\"last_seq\":%lld,\"events\":[", n->stream, (long long)n->next_seq,
               (long long)n->sent_seq);
    for (int64_t i = 0; i < s->config->batch; i++) {
        buf_printf(&text, "%s{\"seq\":%lld,", i > 0 ? "," : "", (long long)(n->next_seq + i));
        buf_put(&text, s->event.ptr + 1, s->event.len - 1);
    }
    buf_puts(&text, "],\"dropped\":[]}");
    buf_clear(&l->body);
    int rc = text.failed ? err_nomem(err) : zstd_deflate(text.ptr, text.len, 1, &l->body, err);
    buf_free(&text);
    return rc != 0 ? -1 : start(n, LANE_EVENTS, &r, err);
}

static bool took_events(struct sim_node *n, const struct many_answer *a)
{
    struct sim *s = n->sim;
    struct arena arena;
    struct json doc;
    struct err err = { 0 };
    int64_t through = -1, slow = 0;

    arena_init(&arena, 1 << 20);
    if (a->status == 200 && json_parse(&arena, a->body.ptr, a->body.len, NULL, &doc, &err) == 0) {
        through = json_int(json_get(&doc, "accepted_through"), -1);
        slow = json_int(json_get(&doc, "slow_ms"), 0);
    }
    arena_clear(&arena);
    s->out->refused += a->status == 409;
    if (through < n->sent_seq)
        return false;
    s->out->events += s->config->batch;
    s->out->batches++;
    n->next_seq = through + 1;
    /* Each agent keeps its own pace: what it could not send in time it sends later. */
    int64_t period = s->config->nodes * s->config->batch * MS_SECOND / s->config->events_per_s, now = time_monotonic_ms();
    n->lanes[LANE_EVENTS].due_ms += period;
    if (n->lanes[LANE_EVENTS].due_ms < now + slow)
        n->lanes[LANE_EVENTS].due_ms = now + slow;
    return true;
}

/* ---- inventory ------------------------------------------------------------------------------ */

static int start_inventory(struct sim_node *n, struct err *err)
{
    struct sim *s = n->sim;
    struct node_lane *l = &n->lanes[LANE_INVENTORY];
    struct many_request r = { .method = "POST", .target = "/v1/agent/inventory", .token = n->token };
    struct container list[256];
    struct inventory_report report = { .base = n->generation, .generation = n->generation + 1, .containers = list };
    char ids[256][48];

    report.n_containers = (size_t)(s->config->containers < 256 ? s->config->containers : 256);
    for (size_t i = 0; i < report.n_containers; i++) {
        shape_init(&container_shape, &list[i]);
        snprintf(ids[i], sizeof ids[i], "%08zx%08zx", (size_t)(n - s->nodes), i);
        list[i].id = ids[i];
        list[i].name = "app";
        list[i].image = "registry.example/shop/app:1.0";
        list[i].engine = "containerd";
        list[i].namespace = "shop";
        list[i].pod = ids[i];
        list[i].workload = "app";
        list[i].pid = 1000 + (int64_t)i;
    }
    buf_clear(&l->body);
    shape_encode(&inventory_report_shape, &report, &l->body);
    return start(n, LANE_INVENTORY, &r, err);
}

static bool took_inventory(struct sim_node *n, const struct many_answer *a)
{
    if (a->status == 409)
        n->generation = 0;
    if (a->status != 200)
        return false;
    n->sim->out->containers += n->sim->config->containers;
    n->generation++;
    n->lanes[LANE_INVENTORY].due_ms = time_monotonic_ms() + n->sim->config->inventory_interval_ms;
    return true;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static bool took(struct sim_node *n, enum lane_kind kind, const struct many_answer *a)
{
    struct node_lane *l = &n->lanes[LANE_LOGIN];

    switch (kind) {
    case LANE_POLL: return took_poll(n, a);
    case LANE_EVENTS: return took_events(n, a);
    case LANE_INVENTORY: return took_inventory(n, a);
    case LANE_LOGIN: case LANE_N: break;
    }
    n->sim->n_logins--;
    if (n->node_id[0] == '\0') {
        l->due_ms = 0;
        return took_enroll(n, a);
    }
    int rc = took_session(n, a);
    l->due_ms = rc == 1 ? n->renew_ms : 0;
    return rc >= 0;
}

static enum simulate_kind kind_of(const struct sim_node *n, enum lane_kind kind, const struct many_answer *a)
{
    bool is_held = n->sim->config->wait_s > 0 && a->took_us > HELD_US;

    switch (kind) {
    case LANE_LOGIN: return n->node_id[0] == '\0' ? SIM_ENROLL : SIM_SESSION;
    case LANE_POLL: return is_held ? SIM_POLL_HELD : a->status == 200 ? SIM_POLL_NEW : SIM_POLL_SAME;
    case LANE_EVENTS: return SIM_EVENTS;
    case LANE_INVENTORY: case LANE_N: break;
    }
    return SIM_INVENTORY;
}

static void on_done(void *arg, void *of, const struct many_answer *a)
{
    static const char *const words[LANE_N] = { "enrolment or session", "poll", "events", "inventory" };
    struct sim *s = arg;
    struct node_lane *l = of;
    struct sim_node *n = l->node;
    enum lane_kind kind = (enum lane_kind)(l - n->lanes);
    struct simulate_times *t = &s->out->times[kind_of(n, kind, a)];

    l->is_busy = false;
    if (took(n, kind, a)) {
        simulate_time(t, a->took_us);
        l->failures = 0;
        return;
    }
    t->failed++;
    problem(s, words[kind], a);
    if (a->status == 401 && kind != LANE_LOGIN)
        n->lanes[LANE_LOGIN].due_ms = 0;             /* a new session first */
    int64_t pause = backoff_ms(l->failures++, FAILED_LEAST_MS, FAILED_MOST_MS, random_u32());
    l->due_ms = time_monotonic_ms() + (pause > a->retry_after_ms ? pause : a->retry_after_ms);
}

static int start_due(struct sim_node *n, int64_t now, struct err *err)
{
    struct sim *s = n->sim;
    int (*const starts[LANE_N])(struct sim_node *, struct err *) = { start_login, start_poll, start_events, start_inventory };

    for (int k = 0; k < LANE_N; k++) {
        struct node_lane *l = &n->lanes[k];
        if (l->is_busy || l->due_ms > now || n->is_revoked)
            continue;
        if (k == LANE_LOGIN && s->n_logins >= (size_t)s->config->at_once)
            continue;
        if (starts[k](n, err) != 0)
            return -1;
    }
    return 0;
}

/* From here the time counts, and events flow. */
static void begin_run(struct sim *s, int64_t now)
{
    const struct simulate_config *c = s->config;

    s->run_from_ms = now;
    s->out->enroll_ms = now - s->out->enroll_ms;
    for (int64_t i = 0; i < c->nodes && c->events_per_s > 0; i++)
        s->nodes[i].lanes[LANE_EVENTS].due_ms = now + spread(c->nodes * c->batch * MS_SECOND / c->events_per_s);
}

static int loop(struct sim *s, const bool *stop, struct err *err)
{
    const struct simulate_config *c = s->config;
    int64_t revoked = 0;

    s->out->enroll_ms = time_monotonic_ms();
    while (!*(const volatile bool *)stop) {
        int64_t now = time_monotonic_ms();
        if (s->run_from_ms == 0 && (int64_t)s->n_ready + revoked == c->nodes)
            begin_run(s, now);
        if (s->run_from_ms != 0 && now - s->run_from_ms >= c->duration_ms)
            break;
        revoked = 0;
        for (int64_t i = 0; i < c->nodes; i++) {
            revoked += s->nodes[i].is_revoked;
            if (start_due(&s->nodes[i], now, err) != 0)
                return -1;
        }
        for (int64_t until = now + TICK_MS; time_monotonic_ms() < until;)
            many_run(s->many, (int)(until - time_monotonic_ms() > 0 ? until - time_monotonic_ms() : 0));
    }
    s->out->revoked = revoked;
    s->out->run_ms = s->run_from_ms == 0 ? 0 : time_monotonic_ms() - s->run_from_ms;
    return 0;
}

static int nodes_make(struct sim *s, struct err *err)
{
    s->nodes = calloc((size_t)s->config->nodes, sizeof *s->nodes);
    if (s->nodes == NULL)
        return err_nomem(err);
    for (int64_t i = 0; i < s->config->nodes; i++) {
        struct sim_node *n = &s->nodes[i];
        uint8_t stream[16];
        random_bytes(stream, sizeof stream);
        hex_encode(stream, sizeof stream, n->stream);
        n->sim = s;
        n->next_seq = 1;
        for (int k = 0; k < LANE_N; k++) {
            n->lanes[k] = (struct node_lane){ .node = n, .due_ms = k == LANE_LOGIN ? 0 : INT64_MAX };
            buf_init(&n->lanes[k].body, BODY_MAX);
        }
    }
    return 0;
}

static void nodes_free(struct sim *s)
{
    for (int64_t i = 0; s->nodes != NULL && i < s->config->nodes; i++) {
        privkey_free(s->nodes[i].key);
        free(s->nodes[i].challenge);
        for (int k = 0; k < LANE_N; k++)
            buf_free(&s->nodes[i].lanes[k].body);
    }
    free(s->nodes);
}

int simulate_run(const struct simulate_config *c, const bool *stop, struct simulate_result *out, struct err *err)
{
    struct sim s = { .config = c, .out = out };
    struct many_config many = { .base_url = c->server, .ca_file = c->ca_file, .agent = "keep-agent-simulate/" KEEP_VERSION,
                                .lanes = (size_t)c->nodes, .answer_max = 16 << 20, .done = on_done, .arg = &s };

    memset(out, 0, sizeof *out);
    machine_read(KEEP_VERSION, &s.machine);
    make_event(&s);
    int rc = s.event.failed ? err_nomem(err) : many_open(&many, &s.many, err);
    if (rc == 0)
        rc = nodes_make(&s, err);
    if (rc == 0)
        rc = loop(&s, stop, err);
    many_close(s.many);
    nodes_free(&s);
    buf_free(&s.event);
    return rc;
}
