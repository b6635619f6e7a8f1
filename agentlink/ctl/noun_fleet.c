/* noun_fleet.c - questions about all images at once, and what runs where. */
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "wire/jsonw.h"
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { WORKLOADS_FILE_MAX = 128 * 1024 * 1024, WORKLOADS_MAX = 100000 };

/* ---- posture ---------------------------------------------------------------------------- */

static const struct column posture_columns[] = {
    { "IMAGES", "images", COLUMN_NUMBER }, { "PASS", "verdicts.pass", COLUMN_NUMBER }, { "WARN", "verdicts.warn", COLUMN_NUMBER },
    { "FAIL", "verdicts.fail", COLUMN_NUMBER }, { "UNKNOWN", "verdicts.unknown", COLUMN_NUMBER }, { "FRESH", "freshness.fresh", COLUMN_NUMBER },
    { "STALE SCAN", "freshness.stale_scan", COLUMN_NUMBER }, { "STALE DATABASE", "freshness.stale_database", COLUMN_NUMBER },
    { "NEVER SCANNED", "freshness.never_scanned", COLUMN_NUMBER }, { "CRITICAL", "counts.critical", COLUMN_NUMBER }, { "HIGH", "counts.high", COLUMN_NUMBER },
    { "KNOWN EXPLOITED", "counts.kev", COLUMN_NUMBER }, { "FIXABLE", "counts.fixable", COLUMN_NUMBER }, { "SECRETS", "counts.secrets", COLUMN_NUMBER },
    { "MALWARE", "counts.malware", COLUMN_NUMBER }, { "RUNNING", "running.images", COLUMN_NUMBER }, { "RUNNING AND FAILING", "running.failing", COLUMN_NUMBER },
    { "RUNNING AND STALE", "running.stale", COLUMN_NUMBER }, { "UNSIGNED", "unsigned", COLUMN_NUMBER }, { "EXCEPTIONS", "exceptions.active", COLUMN_NUMBER },
    { "EXPIRING SOON", "exceptions.expiring_soon", COLUMN_NUMBER }, { "AT", "at", COLUMN_TIME },
};
static const struct column action_columns[] = { { "WHAT TO DO", "text", COLUMN_TEXT }, { "COUNT", "count", COLUMN_NUMBER } };
static const struct column trend_columns[] = {
    { "DAY", "day", COLUMN_TEXT }, { "IMAGES", "images", COLUMN_NUMBER }, { "CRITICAL", "critical", COLUMN_NUMBER }, { "HIGH", "high", COLUMN_NUMBER },
    { "MEDIUM", "medium", COLUMN_NUMBER }, { "LOW", "low", COLUMN_NUMBER }, { "KEV", "kev", COLUMN_NUMBER },
};
static const struct api_call posture_call = { .method = "GET", .target = "/v1/posture", .columns = posture_columns, .n_columns = N_ITEMS(posture_columns) };
static const struct api_call trend_call = { .method = "GET", .target = "/v1/posture/trend", .columns = trend_columns, .n_columns = N_ITEMS(trend_columns) };
static const struct command_option trend_options[] = {
    { "days", "N", "How many days back (90).", false }, { "team", "NAME", "Only of this team.", false },
};

static int posture(struct ctl *c)
{
    struct json answer;
    struct err err = { 0 };
    struct buf b;

    int rc = ctl_get(c, "/v1/posture", &answer);
    if (rc == 0)
        rc = call_print(c, &answer);
    const struct json *actions = rc == 0 ? json_get(&answer, "actions") : NULL;
    if (rc != 0 || json_len(actions) == 0 || !str_eq(c->outs[0].format->name, "table") || c->outs[0].file != NULL)
        return rc;
    const struct listing l = { action_columns, N_ITEMS(action_columns), actions, actions };
    buf_init(&b, OUT_TEXT_MAX);
    buf_putc(&b, '\n');
    if (out_table_list(&l, &c->look, &c->arena, &b, &err) == 0 && !b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
    return 0;
}

static int posture_trend(struct ctl *c)
{
    struct json answer;
    const char *target = call_target(c);

    int rc = target != NULL ? ctl_get(c, target, &answer) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    const struct listing l = { trend_columns, N_ITEMS(trend_columns), json_get(&answer, "days"), &answer };
    return out_list(c, &l);
}

/* ---- running report ------------------------------------------------------------------------ */

struct place { const char *namespace, *workload, *container, *image; int64_t replicas; };
struct places { struct place *items; size_t n; };

static int by_place(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    int order = strcmp(a->namespace, b->namespace);

    order = order != 0 ? order : strcmp(a->workload, b->workload);
    order = order != 0 ? order : strcmp(a->container, b->container);
    return order != 0 ? order : strcmp(a->image, b->image);
}

/* A pod's controller names the workload; a replica set's hash is dropped, so that
 * all its generations are one deployment. */
static const char *workload_of(struct ctl *c, const struct json *pod)
{
    const struct json *owners = json_path(pod, "metadata.ownerReferences");
    const char *name = json_str(json_path(pod, "metadata.name"), "pod"), *kind = "Pod";

    if (json_len(owners) > 0) {
        kind = json_get_str(json_at(owners, 0), "kind", kind);
        name = json_get_str(json_at(owners, 0), "name", name);
    }
    const char *dash = strrchr(name, '-');
    if (str_eq(kind, "ReplicaSet") && dash != NULL)
        return arena_printf(&c->arena, "Deployment/%.*s", (int)(dash - name), name);
    return arena_printf(&c->arena, "%s/%s", kind, name);
}

/* The digest is in imageID; the name people know is in image. */
static const char *image_of(struct ctl *c, const struct json *status)
{
    const char *image = json_get_str(status, "image", ""), *id = json_get_str(status, "imageID", ""), *at = strstr(id, "sha256:");

    if (at == NULL || strstr(image, "@sha256:") != NULL || str_starts(image, "sha256:"))
        return at != NULL && str_starts(image, "sha256:") ? id : image;
    return arena_printf(&c->arena, "%s@%.71s", image, at);
}

static int add_pod(struct ctl *c, const struct json *pod, struct places *out)
{
    static const char *const lists[] = { "status.containerStatuses", "status.initContainerStatuses", "status.ephemeralContainerStatuses" };
    const char *namespace = json_str(json_path(pod, "metadata.namespace"), "default"), *workload = workload_of(c, pod);

    for (size_t k = 0; k < N_ITEMS(lists); k++) {
        const struct json *list = json_path(pod, lists[k]);
        for (uint32_t i = 0; i < json_len(list) && out->n < WORKLOADS_MAX; i++) {
            const char *image = image_of(c, json_at(list, i));
            if (json_path(json_at(list, i), "state.terminated") != NULL || image == NULL || image[0] == '\0')
                continue;
            out->items[out->n++] = (struct place){ namespace, workload, json_get_str(json_at(list, i), "name", ""), image, 1 };
        }
    }
    return workload != NULL ? 0 : -1;
}

static void put_place(struct jsonw *w, const struct place *p)
{
    jsonw_object(w);
    jsonw_kstr(w, "namespace", p->namespace);
    jsonw_kstr(w, "workload", p->workload);
    jsonw_kstr(w, "container", p->container);
    jsonw_kstr(w, "image", p->image);
    jsonw_kint(w, "replicas", p->replicas);
    jsonw_object_end(w);
}

static int put_pods(struct ctl *c, const struct json *pods, struct jsonw *w)
{
    struct places places = { .items = arena_array(&c->arena, WORKLOADS_MAX, sizeof(struct place)) };

    if (places.items == NULL)
        return -1;
    for (uint32_t i = 0; i < json_len(pods); i++) {
        if (add_pod(c, json_at(pods, i), &places) != 0)
            return -1;
    }
    qsort(places.items, places.n, sizeof *places.items, by_place);
    for (size_t i = 0; i < places.n; i++) {
        struct place one = places.items[i];
        while (i + 1 < places.n && by_place(&places.items[i], &places.items[i + 1]) == 0) {
            one.replicas++;
            i++;
        }
        put_place(w, &one);
    }
    return 0;
}

static int running_body(struct ctl *c, const struct json *doc, const char *cluster, struct buf *b)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "cluster", cluster);
    jsonw_key(&w, "workloads");
    if (json_is(json_get(doc, "workloads"), JSON_ARRAY)) {
        jsonw_value(&w, json_get(doc, "workloads"));
    } else {
        jsonw_array(&w);
        if (put_pods(c, json_get(doc, "items"), &w) != 0)
            return -1;
        jsonw_array_end(&w);
    }
    jsonw_object_end(&w);
    return b->failed ? -1 : 0;
}

static const struct column result_columns[] = {
    { "CLUSTER", "cluster", COLUMN_TEXT }, { "CONTAINERS", "containers", COLUMN_NUMBER }, { "IMAGES", "images", COLUMN_NUMBER },
    { "NEVER SCANNED", "unknown_images", COLUMN_NUMBER },
};
static const struct api_call report_call = { .method = "POST", .target = "/v1/running", .columns = result_columns, .n_columns = N_ITEMS(result_columns) };
static const struct command_option report_options[] = { { "cluster", "NAME", "The cluster; else what the file says.", false } };

static int running_report(struct ctl *c)
{
    const struct json_opts opts = { .max_values = 10000000, .big_numbers = true };
    struct client_request r = { .method = "POST", .target = "/v1/running", .content_type = "application/json" };
    struct bytes text;
    struct json doc, answer;
    struct err err = { 0 };
    struct buf b;

    if (file_read(&c->arena, ctl_arg(c, 0), WORKLOADS_FILE_MAX, &text, &err) != 0 ||
        yaml_parse(&c->arena, text.ptr, text.len, &opts, &doc, &err) != 0)
        return ctl_fail(c, &err, NULL);
    const char *cluster = ctl_option(c, "cluster") != NULL ? ctl_option(c, "cluster") : json_get_str(&doc, "cluster", NULL);
    if (cluster == NULL)
        return ctl_wrong(c, "--cluster NAME", "which cluster is this?");
    if (!json_is(json_get(&doc, "workloads"), JSON_ARRAY) && !json_is(json_get(&doc, "items"), JSON_ARRAY))
        return ctl_wrong(c, "kubectl get pods -A -o json | keepctl running report - --cluster NAME",
                         "%s: expected a list of pods, or an object with \"workloads\"", ctl_arg(c, 0));
    buf_init(&b, WORKLOADS_FILE_MAX);
    int rc = running_body(c, &doc, cluster, &b) != 0 ? ctl_wrong(c, NULL, "out of memory") : 0;
    r.body = (struct bytes){ (const unsigned char *)b.ptr, b.len };
    if (rc == 0)
        rc = ctl_send(c, &r, &answer, NULL);
    if (rc == 0)
        rc = call_print(c, &answer);
    buf_free(&b);
    if (rc == 0 && json_int(json_get(&answer, "unknown_images"), 0) > 0)
        ctl_next(c, "keepctl image list --running --freshness never_scanned");
    return rc;
}

/* ---- package images ---------------------------------------------------------------------------- */

static size_t count_holders(const struct json *items, bool *more)
{
    size_t n = 0;

    for (uint32_t i = 0; i < json_len(items); i++) {
        uint32_t listed = json_len(json_get(json_at(items, i), "image_list"));
        *more |= json_int(json_get(json_at(items, i), "images"), 0) > (int64_t)listed;
        n += listed;
    }
    return n;
}

/* A row per image of each version: {"image": ..., "package": ...}. */
static int spread_holders(struct ctl *c, const struct json *items, size_t n, struct json *out)
{
    struct json *rows_ = arena_array(&c->arena, n, sizeof *rows_);
    size_t k = 0;

    if (rows_ == NULL)
        return -1;
    for (uint32_t i = 0; i < json_len(items); i++) {
        const struct json *item = json_at(items, i), *list = json_get(item, "image_list");
        for (uint32_t m = 0; m < json_len(list); m++) {
            struct json_member *members = arena_array(&c->arena, 2, sizeof *members);
            if (members == NULL)
                return -1;
            members[0] = (struct json_member){ .key = "image", .value = *json_at(list, m) };
            members[1] = (struct json_member){ .key = "package", .value = *item };
            rows_[k++] = (struct json){ .type = JSON_OBJECT, .n = 2, .members = members };
        }
    }
    *out = (struct json){ .type = JSON_ARRAY, .n = (uint32_t)k, .items = rows_ };
    return 0;
}

static int package_images(struct ctl *c)
{
    const char *target = call_target(c);
    struct json answer, rows_of;
    size_t limit;
    bool more = false;

    int rc = limit_of(c, &limit);
    if (rc == 0)
        rc = target != NULL ? ctl_list(c, target, limit, &answer, &more) : ctl_wrong(c, NULL, "out of memory");
    if (rc != 0)
        return rc;
    const struct json *items = json_get(&answer, "items");
    if (spread_holders(c, items, count_holders(items, &more), &rows_of) != 0)
        return ctl_wrong(c, NULL, "out of memory");
    const struct listing l = { c->command->call->columns, c->command->call->n_columns, &rows_of, &answer };
    rc = out_list(c, &l);
    if (rows_of.n == 0)
        ctl_say(c, "nothing found");
    if (more)
        ctl_say(c, "these are the first of each version; all: keepctl image list --package %s", ctl_arg(c, 0));
    return rc;
}

/* ---- lists --------------------------------------------------------------------------------- */

static const struct column holder_columns[] = {
    { "VULNERABILITY", "finding.vulnerability", COLUMN_TEXT }, { "SEVERITY", "finding.severity", COLUMN_WORD }, { "IMAGE", "image.reference", COLUMN_TEXT },
    { "DIGEST", "image.digest", COLUMN_DIGEST }, { "PACKAGE", "finding.package", COLUMN_TEXT }, { "INSTALLED", "finding.version", COLUMN_TEXT },
    { "FIXED IN", "finding.fixed_version", COLUMN_TEXT }, { "RUNS", "image.running", COLUMN_NUMBER }, { "TEAM", "image.team", COLUMN_TEXT },
    { "EXCEPTED UNTIL", "finding.exception.expires_at", COLUMN_TIME },
};
static const struct command_option holder_options[] = {
    { "vulnerability", "ID", "Which one; the argument does the same.", false }, { "team", "NAME", "Only of this team.", false },
    { "running", NULL, "Only in images that run.", false }, { "fixable", NULL, "Only those with a fix.", false }, LIMIT_OPTION,
};
static const struct column vulnerability_columns[] = {
    { "VULNERABILITY", "name", COLUMN_TEXT }, { "SEVERITY", "severity", COLUMN_WORD }, { "CVSS", "cvss", COLUMN_SCORE }, { "EPSS", "epss", COLUMN_PERCENT },
    { "KEV", "kev", COLUMN_FLAG }, { "IMAGES", "images", COLUMN_NUMBER }, { "RUNNING", "running", COLUMN_NUMBER }, { "FIXABLE", "fixable", COLUMN_NUMBER },
    { "TITLE", "title", COLUMN_TEXT },
};
static const struct command_option vulnerability_options[] = {
    { "q", "TEXT", "Beginning of the name.", false }, { "kev", NULL, "Only those known to be exploited.", false },
    { "severity", "SEVERITY", "Only this severity.", false }, LIMIT_OPTION,
};
static const struct column package_columns[] = {
    { "PACKAGE", "package.name|name", COLUMN_TEXT }, { "VERSION", "package.version|version", COLUMN_TEXT }, { "ECOSYSTEM", "package.ecosystem|ecosystem", COLUMN_TEXT },
    { "IMAGES", "images", COLUMN_NUMBER }, { "PURL", "package.purl|purl", COLUMN_TEXT },
};
static const struct command_option package_options[] = {
    { "version", "RANGE", "Only versions in it, like '< 2.17.1'.", false }, { "ecosystem", "NAME", "Only of this ecosystem: npm, Maven, Debian:12 ...", false }, LIMIT_OPTION,
};
static const struct column holder_package_columns[] = {
    { "IMAGE", "image.reference", COLUMN_TEXT }, { "DIGEST", "image.digest", COLUMN_DIGEST }, { "PACKAGE", "package.package.name|package.name", COLUMN_TEXT },
    { "VERSION", "package.package.version|package.version", COLUMN_TEXT }, { "RUNS", "image.running", COLUMN_NUMBER }, { "TEAM", "image.team", COLUMN_TEXT },
};
static const struct column running_columns[] = {
    { "CLUSTER", "cluster|place.cluster", COLUMN_TEXT }, { "NAMESPACE", "namespace|place.namespace", COLUMN_TEXT }, { "WORKLOAD", "workload|place.workload", COLUMN_TEXT },
    { "CONTAINER", "container|place.container", COLUMN_TEXT }, { "N", "replicas|place.replicas", COLUMN_NUMBER }, { "IMAGE", "image.reference", COLUMN_TEXT },
    { "DIGEST", "image.digest", COLUMN_DIGEST }, { "VERDICT", "image.verdict", COLUMN_WORD }, { "FRESHNESS", "image.freshness", COLUMN_WORD }, { "SEEN", "seen_at", COLUMN_TIME },
};
static const struct command_option running_options[] = {
    { "cluster", "NAME", "Only in this cluster.", false }, { "namespace", "NAME", "Only in this namespace.", false }, { "image", "DIGEST", "Only this image.", false },
    { "verdict", "VERDICT", "pass, warn, fail or unknown.", false }, { "stale", NULL, "Only what is stale or was never scanned.", false }, LIMIT_OPTION,
};
static const struct api_call holders = { .method = "GET", .target = "/v1/findings", .columns = holder_columns, .n_columns = N_ITEMS(holder_columns), .arg_key = "vulnerability" };
static const struct api_call vulnerabilities = { .method = "GET", .target = "/v1/vulnerabilities", .columns = vulnerability_columns, .n_columns = N_ITEMS(vulnerability_columns),
    .next = "keepctl finding list CVE" };
static const struct api_call package_find = { .method = "GET", .target = "/v1/packages", .columns = package_columns, .n_columns = N_ITEMS(package_columns), .arg_key = "name" };
static const struct api_call holders_call = { .method = "GET", .target = "/v1/packages", .columns = holder_package_columns,
    .n_columns = N_ITEMS(holder_package_columns), .arg_key = "name" };
static const struct api_call running = { .method = "GET", .target = "/v1/running", .columns = running_columns, .n_columns = N_ITEMS(running_columns) };

static const struct ctl_command rows[] = {
    { ROW("finding list", "[CVE]", 0, 1, "List which images have a vulnerability.", holder_options, NULL), call_list, &holders },
    { ROW("vulnerability list", "", 0, 0, "List vulnerabilities by the number of images that have them.", vulnerability_options, NULL), call_list, &vulnerabilities },
    { ROW("package find", "NAME", 1, 1, "Find a package's versions in all images.", package_options, NULL), call_list, &package_find },
    { ROW("package images", "NAME", 1, 1, "List the images that hold a package.", package_options, NULL), package_images, &holders_call },
    { ROW("running list", "", 0, 0, "List what runs where.", running_options, NULL), call_list, &running },
    { ROW("running report", "FILE", 1, 1, "Tell Keep what runs in a cluster.", report_options,
          "FILE (-: standard input) is what `kubectl get pods -A -o json` prints, or an object with a list \"workloads\".\n"
          "It replaces what was known of that cluster."), running_report, &report_call },
    { ROW("posture trend", "", 0, 0, "Show open findings day by day.", trend_options, NULL), posture_trend, &trend_call },
    { PLAIN("posture", "", 0, 0, "Show the state of all images, and what to do first."), posture, &posture_call },
};
const struct ctl_commands fleet_commands = { rows, N_ITEMS(rows) };
