/* noun_k8s.c - k8s, admission: what to apply to a cluster, and what it was told. */
#include "base/time.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/k8s_manifest.h"
#include "ctl/nouns.h"

#include <string.h>

enum { FILE_BYTES = 4 << 20 };

/* NULL when the option is not given. */
static int read_option(struct ctl *c, const char *option, const char **text, struct err *err)
{
    struct bytes b;

    *text = NULL;
    if (ctl_option(c, option) == NULL)
        return 0;
    if (file_read(&c->arena, ctl_option(c, option), FILE_BYTES, &b, err) != 0)
        return -1;
    *text = (const char *)b.ptr;
    return 0;
}

static int k8s_manifest(struct ctl *c)
{
    const char *mode = ctl_option(c, "mode"), *cluster = ctl_option(c, "cluster"), *namespace = ctl_option(c, "namespace");
    struct k8s_manifest m = { .url = ctl_option(c, "url"), .service = ctl_option(c, "service") != NULL };
    struct err err = { 0 };
    struct buf b;

    if (mode == NULL || (!str_eq(mode, "audit") && !str_eq(mode, "enforce")))
        return ctl_wrong(c, "keepctl k8s manifest --mode audit --url https://KEEP", "--mode: expected audit or enforce");
    m.enforce = str_eq(mode, "enforce");
    m.cluster = cluster != NULL ? cluster : "default";
    m.namespace = namespace != NULL ? namespace : "keep";
    buf_init(&b, FILE_BYTES);
    int rc = read_option(c, "ca", &m.ca, &err) != 0 || k8s_manifest_write(&m, &b, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
    if (rc == 0)
        fputs(b.ptr, stdout);
    buf_free(&b);
    return rc;
}

static int k8s_off(struct ctl *c)
{
    struct buf b;

    (void)c;
    buf_init(&b, FILE_BYTES);
    k8s_off_write(&b);
    fputs(b.ptr != NULL ? b.ptr : "", stdout);
    buf_free(&b);
    return 0;
}

static int k8s_status(struct ctl *c)
{
    const char *file = ctl_arg(c, 0) != NULL ? ctl_arg(c, 0) : "-", *ca;
    struct bytes text;
    struct json doc;
    struct err err = { 0 };
    struct buf b;

    if (read_option(c, "ca", &ca, &err) != 0 || file_read(&c->arena, file, FILE_BYTES, &text, &err) != 0 ||
        json_parse(&c->arena, text.ptr, text.len, NULL, &doc, &err) != 0)
        return ctl_fail(c, &err, NULL);
    buf_init(&b, FILE_BYTES);
    unsigned n = k8s_status_write(&doc, ca, time_now_ms(), &b);
    fputs(n > 0 && b.ptr != NULL ? b.ptr : "", stdout);
    buf_free(&b);
    ctl_say(c, n == 0 ? "the webhook configuration is as it should be" : "%u things are wrong", n);
    return n == 0 ? CODE_PASS : CODE_POLICY;
}

static const struct command_option manifest_options[] = {
    { "mode", "MODE", "audit: nothing is refused, and nothing waits for Keep; or enforce.", false },
    { "url", "URL", "https://HOST[:PORT] of Keep, as the API server reaches it.", false },
    { "ca", "FILE", "Certificates the API server is to trust (keepd ca); -: standard input.", false },
    { "cluster", "NAME", "What Keep is to call this cluster (default).", false },
    { "namespace", "NAME", "Keep's own namespace, which is never judged (keep).", false },
    { "service", NULL, "Reach Keep through a Service; the URL then holds an IP address.", false },
};
static const struct command_option status_options[] = {
    { "ca", "FILE", "What it should trust now (keepd ca).", false },
};

static const struct column admission_columns[] = {
    { "AT", "at", COLUMN_TIME }, { "CLUSTER", "cluster", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT }, { "KIND", "kind", COLUMN_TEXT },
    { "NAME", "name", COLUMN_TEXT }, { "OPERATION", "operation", COLUMN_TEXT }, { "OUTCOME", "outcome", COLUMN_WORD }, { "USER", "user", COLUMN_TEXT },
};
static const struct command_option admission_options[] = {
    LIMIT_OPTION,
    { "cluster", "NAME", "Only this cluster.", false },
    { "namespace", "NAME", "Only this namespace.", false },
    { "kind", "KIND", "Only objects of this kind.", false },
    { "name", "NAME", "Only objects of this name.", false },
    { "outcome", "WORD", "denied, warned, allowed or break_glass.", false },
};
static const struct api_call admission_list = { .method = "GET", .target = "/v1/admissions", .columns = admission_columns,
    .n_columns = N_ITEMS(admission_columns), .empty = "no reviews: keepctl k8s manifest --mode audit --url https://KEEP" };

static const struct ctl_command rows[] = {
    { ROW("k8s manifest", "", 0, 0, "Print everything to apply so that a cluster asks Keep.", manifest_options,
          "Nothing is judged until a namespace has the label " K8S_LABEL "=enabled.\n"
          "Start with --mode audit; look at keepctl admission list; then --mode enforce."), k8s_manifest, NULL },
    { ROW("k8s status", "[FILE]", 0, 1, "Say what is wrong with a cluster's webhook configuration. Exit 2 when something is.", status_options,
          "Reads what kubectl get validatingwebhookconfiguration -o json prints, from FILE or standard input."), k8s_status, NULL },
    { PLAIN("k8s off", "", 0, 0, "Print the commands that switch admission off."), k8s_off, NULL },
    { ROW("admission list", "", 0, 0, "List what clusters asked and were told, newest first.", admission_options, NULL), call_list, &admission_list },
};
const struct ctl_commands k8s_commands = { rows, N_ITEMS(rows) };
