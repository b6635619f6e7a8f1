/* surroundings.c - what is around the scans: images nobody scanned, what runs in
 * the clusters, accepted risks. */
#include "demo/internal.h"
#include "demo/nodes.h"

#include "base/str.h"

#include <string.h>

static int register_unscanned(struct seeder *s, struct err *err)
{
    struct buf body;
    int rc = 0;

    buf_init(&body, 4096);
    for (size_t i = 0; i < s->fleet->n_unscanned && rc == 0; i++) {
        const struct demo_image *m = &s->fleet->unscanned[i];
        buf_clear(&body);
        buf_printf(&body, "{\"image\":\"%s/%s:%s@%s\",\"team\":\"%s\"}", DEMO_REGISTRY, m->repository->name, m->tag, m->digest,
                   m->repository->team);
        rc = seed_post(s, "/v1/images", &body, NULL, NULL, err);
    }
    buf_free(&body);
    return rc;
}

/* A cluster without agents on its nodes: somebody tells its whole set. */
static int report_cluster(struct seeder *s, const char *cluster, struct err *err)
{
    struct client_config config = { .base_url = s->config->url, .token = s->agent_token, .agent = "keep-demo/" KEEP_VERSION, .retries = 5 };
    struct http_client *agent;
    struct client_answer answer;
    struct buf body;
    const char *comma = "";

    buf_init(&body, 4 << 20);
    buf_printf(&body, "{\"cluster\":\"%s\",\"workloads\":[", cluster);
    for (size_t i = 0; i < s->fleet->n_workloads; i++) {
        const struct demo_workload *w = &s->fleet->workloads[i];
        if (!str_eq(w->cluster, cluster))
            continue;
        buf_printf(&body, "%s{\"namespace\":\"%s\",\"workload\":\"%s-%u\",\"container\":\"main\",\"image\":\"%s/%s:%s@%s\",\"replicas\":%d}",
                   comma, w->namespace, w->workload, w->image->line * 10 + w->image->build, DEMO_REGISTRY, w->image->repository->name,
                   w->image->tag, w->image->digest, w->replicas);
        comma = ",";
    }
    buf_puts(&body, "]}");
    struct client_request request = { .method = "POST", .target = "/v1/running", .content_type = "application/json",
                                      .body = { (const unsigned char *)body.ptr, body.len } };
    int rc = body.failed ? err_nomem(err) : http_client_open(&config, &agent, err);
    if (rc == 0) {
        rc = http_client_send(agent, &request, s->arena, &answer, err);
        http_client_close(agent);
    }
    buf_free(&body);
    return rc != 0 ? err_prefix(err, "cluster %s", cluster) : 0;
}

/* ---- accepted risks ------------------------------------------------------------------------ */

#define SCOPE(pattern) "\"repository\":\"" DEMO_REGISTRY "/" pattern "\","
#define UNTIL(time) "\"expires_in\":\"" time "\"}"

static const char *const exceptions[] = {
    "{\"vulnerability\":\"CVE-2023-44487\"," SCOPE("platform/**")
        "\"reason\":\"The load balancer ends HTTP/2; streams are limited there.\",\"owner\":\"platform-team\"," UNTIL("45d"),
    "{\"vulnerability\":\"CVE-2014-0160\"," SCOPE("edge/gateway")
        "\"reason\":\"The devices speak no TLS; they are replaced in the first quarter.\",\"owner\":\"edge-team\"," UNTIL("90d"),
    "{\"vulnerability\":\"CVE-2024-5535\"," SCOPE("support/**")
        "\"reason\":\"No program here calls SSL_select_next_proto.\",\"owner\":\"support-team\"," UNTIL("5d"),
    "{\"rule\":\"serious-fixable/fixable\"," SCOPE("sandbox/**")
        "\"reason\":\"Experiments, never deployed.\",\"owner\":\"data-team\"," UNTIL("30d"),
    "{\"vulnerability\":\"CVE-2024-32002\"," SCOPE("platform/builder")
        "\"reason\":\"Only our own repositories are cloned.\",\"owner\":\"platform-team\"," UNTIL("1m"),
};

/* The one that ends soon: Log4Shell, accepted for one image for a day and a half. */
static int accept_log4shell(struct seeder *s, struct err *err)
{
    struct buf body;

    buf_init(&body, 4096);
    for (size_t i = 0; i < s->fleet->n_images; i++) {
        const struct demo_image *m = &s->fleet->images[i];
        if (!str_eq(m->repository->name, "payments/ledger-batch") || m->line != 0 || m->build != 0)
            continue;
        buf_printf(&body, "{\"vulnerability\":\"CVE-2021-44228\",\"digest\":\"%s\",\"reason\":\"JNDI lookups are off; the next release has 2.17.1.\","
                          "\"owner\":\"payments-team\",\"expires_in\":\"36h\"}", m->digest);
    }
    int rc = body.len > 0 ? seed_post(s, "/v1/exceptions", &body, NULL, NULL, err) : 0;
    buf_free(&body);
    return rc;
}

static int accept_and_revoke(struct seeder *s, struct err *err)
{
    struct buf body;
    struct client_answer answer;
    const char *id = "";

    buf_init(&body, 4096);
    buf_puts(&body, "{\"vulnerability\":\"CVE-2023-38545\"," SCOPE("checkout/**")
                    "\"reason\":\"No SOCKS proxy is configured.\",\"owner\":\"checkout-team\"," UNTIL("30d"));
    int rc = seed_post(s, "/v1/exceptions", &body, "id", &id, err);
    buf_free(&body);
    const char *target = rc == 0 ? arena_printf(s->arena, "/v1/exceptions/%s", id) : NULL;
    if (target == NULL)
        return rc != 0 ? rc : err_nomem(err);
    return http_client_send(s->admin, &(struct client_request){ .method = "DELETE", .target = target }, s->arena, &answer, err);
}

int seed_surroundings(struct seeder *s, struct err *err)
{
    if (register_unscanned(s, err) != 0)
        return -1;
    for (size_t i = 0; demo_clusters[i] != NULL; i++) {
        if (!cluster_has_agents(demo_clusters[i]) && report_cluster(s, demo_clusters[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < N_ITEMS(exceptions); i++) {
        struct buf body;
        buf_init(&body, 4096);
        buf_puts(&body, exceptions[i]);
        int rc = seed_post(s, "/v1/exceptions", &body, NULL, NULL, err);
        buf_free(&body);
        if (rc != 0)
            return -1;
    }
    return accept_log4shell(s, err) != 0 ? -1 : accept_and_revoke(s, err);
}
