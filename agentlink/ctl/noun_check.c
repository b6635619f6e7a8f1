/* noun_check.c - check: configuration judged before anything runs, offline with the
 * policies that come with Keep and one's own, or by the server, which knows images. */
#include "client/url.h"
#include "core/config/config.h"
#include "core/policy_asks.h"
#include "core/shipped.h"
#include "ctl/documents.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "model/image.h"
#include "wire/msg/check.h"

#include <string.h>

enum { POLICIES_MAX = 200 };

static const struct command_option check_options[] = {
    { "kind", "KIND", "auto, kubernetes, compose, inspect, oci or run (auto).", false },
    { "command", NULL, "The arguments are a docker run command line: keepctl check --command -- docker run ...", false },
    { "env-file", "FILE", "Compose: values of variables; nothing else is known of them.", false },
    { "profile", "NAME", "Compose: judge only services of these profiles, and those without.", true },
    { "kubernetes", "VERSION", "Version of the Pod Security Standards, like 1.30 (latest).", false },
    { "policy", "FILE", "Policies of your own, too.", true },
    { "no-shipped", NULL, "Leave out the policies that come with Keep.", false },
    { "namespace", "NAME", "Namespace of objects that name none.", false },
    { "cluster", "NAME", "Cluster they are going to.", false },
    { "remote", NULL, "Let the server judge: with its policies, exceptions and what it knows of the images.", false },
    { "fail-on", "WHAT", "fail, warn, never, critical, high, medium or low (fail; what is unknown counts as fail).", false },
};

/* ---- offline -------------------------------------------------------------------------- */

struct offline { struct ctl *c; const struct policy *items[POLICIES_MAX]; size_t n; bool pod_security; };

/* Rules about images need the server; here nothing is known of any. */
static int add_policy(struct offline *o, const char *text, size_t len, struct err *err)
{
    struct policy *policy = NULL;

    if (policy_compile(text, len, &o->c->arena, NULL, &policy, err) != 0)
        return -1;
    if ((policy_asks(policy) & POLICY_ASKS_IMAGES) != 0 || (policy_info(policy)->stages & STAGE_DEPLOY) == 0)
        return 0;
    if (o->n == POLICIES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d policies", POLICIES_MAX);
    o->pod_security |= str_starts(policy_info(policy)->name, "pod-security");
    o->items[o->n++] = policy;
    return 0;
}

static int gather_policies(struct offline *o, struct err *err)
{
    const char *file;

    for (size_t i = 0; i < n_shipped_policies && ctl_option(o->c, "no-shipped") == NULL; i++) {
        const struct shipped_policy *s = &shipped_policies[i];
        if (s->enabled && add_policy(o, s->document, strlen(s->document), err) != 0)
            return err_prefix(err, "shipped policy %s", s->name);
    }
    for (size_t i = 0; (file = command_get_nth(o->c->cl, "policy", i)) != NULL; i++) {
        struct documents docs = { 0 };
        struct bytes text;
        if (file_read(&o->c->arena, file, DOCUMENTS_FILE_MAX, &text, err) != 0 || documents_split(&o->c->arena, file, text, &docs, err) != 0)
            return -1;
        for (size_t k = 0; k < docs.n; k++) {
            if (add_policy(o, (const char *)docs.items[k].text.ptr, docs.items[k].text.len, err) != 0)
                return err_prefix(err, "%.80s", file);
        }
    }
    return 0;
}

static int read_input(struct ctl *c, enum config_kind kind, struct config_input *in, struct err *err)
{
    const char *env = ctl_option(c, "env-file"), *profile;
    bool command = ctl_option(c, "command") != NULL;
    size_t n = command ? 1 : c->cl->n_args;
    struct config_file *files = arena_array(&c->arena, n + 1, sizeof *files);
    const char **profiles = arena_array(&c->arena, COMMAND_VALUES_MAX, sizeof *profiles);
    struct bytes text;

    if (files == NULL || profiles == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n && !command; i++) {
        if (file_read(&c->arena, c->cl->args[i], CONFIG_FILE_MAX, &text, err) != 0)
            return -1;
        files[i] = (struct config_file){ c->cl->args[i], (const char *)text.ptr, text.len };
    }
    if (command) {
        const char *line = config_command_text(&c->arena, c->cl->args, c->cl->n_args);
        if (line == NULL)
            return err_nomem(err);
        files[0] = (struct config_file){ "command line", line, strlen(line) };
    }
    *in = (struct config_input){ .kind = command ? CONFIG_RUN : kind, .files = files, .n_files = n, .profiles = profiles };
    while ((profile = command_get_nth(c->cl, "profile", in->n_profiles)) != NULL && in->n_profiles < COMMAND_VALUES_MAX)
        profiles[in->n_profiles++] = profile;
    if (env == NULL)
        return 0;
    if (file_read(&c->arena, env, CONFIG_FILE_MAX, &text, err) != 0)
        return -1;
    files[n] = (struct config_file){ env, (const char *)text.ptr, text.len };
    in->env = &files[n];
    return 0;
}

static int check_offline(struct ctl *c, enum config_kind kind, struct json *out, struct err *err)
{
    struct offline *o = arena_alloc(&c->arena, sizeof *o);
    struct check_answer answer;
    struct config_input in;
    struct config config;
    struct buf b;

    if (o == NULL)
        return err_nomem(err);
    o->c = c;
    if (gather_policies(o, err) != 0 || read_input(c, kind, &in, err) != 0 || config_read(&in, &c->arena, &config, err) != 0)
        return -1;
    struct policy_set set = { .items = o->items, .n = o->n };
    struct config_judge how = { .policies = &set, .cluster = ctl_option(c, "cluster"), .namespace = ctl_option(c, "namespace"),
                                .no_pod_security = o->pod_security && ctl_option(c, "kubernetes") == NULL, .fail_at = PSS_BASELINE,
                                .warn_at = PSS_RESTRICTED, .pss_version = ctl_option(c, "kubernetes"), .now_ms = c->look.now_ms };
    if (config_judge(&config, &how, &c->arena, &answer, err) != 0)
        return -1;
    buf_init(&b, OUT_TEXT_MAX);
    shape_encode(&check_answer_shape, &answer, &b);
    int rc = b.failed ? err_nomem(err) : json_parse(&c->arena, b.ptr, b.len, NULL, out, err);
    buf_free(&b);
    return rc;
}

/* ---- by the server ------------------------------------------------------------------------ */

static const char *remote_target(struct ctl *c, const char *kind, const char *file)
{
    struct buf b;

    buf_init(&b, 8192);
    buf_puts(&b, "/v1/check");
    url_query(&b, "kind", kind);
    url_query(&b, "name", file);
    url_query(&b, "cluster", ctl_option(c, "cluster"));
    url_query(&b, "namespace", ctl_option(c, "namespace"));
    url_query(&b, "kubernetes", ctl_option(c, "kubernetes"));
    const char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* One file is one question: what needs several together is judged offline. */
static int check_remote(struct ctl *c, enum config_kind kind, struct json *out)
{
    struct client_request r = { .method = "POST", .content_type = "application/yaml" };
    struct config_input in;
    struct err err = { 0 };

    if (read_input(c, kind, &in, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (in.n_files != 1 || in.env != NULL || in.n_profiles > 0 || ctl_option(c, "policy") != NULL)
        return ctl_wrong(c, "one file, or leave out --remote", "--remote takes one file, without --env-file, --profile or --policy");
    r.target = remote_target(c, config_kind_words[in.kind], in.files[0].name);
    r.body = (struct bytes){ (const unsigned char *)in.files[0].text, in.files[0].len };
    if (r.target == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    return ctl_send(c, &r, out, NULL);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static int code_of(const struct gate *gate, const struct json *answer, const char **why)
{
    const char *decision = json_get_str(answer, "decision", "unknown");
    const struct json *reasons = json_get(answer, "reasons");

    *why = "nothing stands against it";
    if (gate->never)
        return CODE_PASS;
    *why = str_eq(decision, "unknown") ? "not everything could be judged" : "a rule is broken";
    if (str_eq(decision, "fail") || str_eq(decision, "unknown") || (gate->warn && str_eq(decision, "warn")))
        return CODE_POLICY;
    for (uint32_t i = 0; i < json_len(reasons) && gate->severity != 0; i++) {
        if (severity_index(json_get_str(json_at(reasons, i), "severity", "")) >= gate->severity)
            return CODE_POLICY;
    }
    *why = str_eq(decision, "warn") ? "there are only warnings" : "nothing stands against it";
    return CODE_PASS;
}

static int check(struct ctl *c)
{
    const char *word = ctl_option(c, "kind");
    enum config_kind kind = CONFIG_AUTO;
    struct gate gate;
    struct json answer = { 0 };
    struct err err = { 0 };
    const char *why;

    if (gate_parse(ctl_option(c, "fail-on"), NULL, &gate, &err) != 0)
        return ctl_fail(c, &err, NULL);
    while (word != NULL && config_kind_words[kind] != NULL && !str_eq(config_kind_words[kind], word))
        kind++;
    if (kind == CONFIG_KIND_N)
        return ctl_wrong(c, NULL, "--kind: expected auto, kubernetes, compose, inspect, oci or run, got '%.40s'", word);
    if (ctl_option(c, "remote") != NULL) {
        int rc = check_remote(c, kind, &answer);
        if (rc != 0)
            return ctl_code(rc);
    } else if (check_offline(c, kind, &answer, &err) != 0) {
        return ctl_fail(c, &err, NULL);
    }
    int code = code_of(&gate, &answer, &why);
    return out_check(c, &answer, why) != 0 ? CODE_LOCAL : code;
}

static const struct ctl_command rows[] = {
    { ROW("check", "FILE...", 1, COMMAND_ARGS_MAX, "Judge manifests, Compose files, containers or commands before they run. Exit 2 when a rule is broken.",
          check_options,
          "Understood are Kubernetes manifests (all kinds that bear pods, lists, several documents), Compose files (the first and those that override it, "
          "in order), docker inspect, OCI config.json and docker run commands. A value behind ${VAR} that --env-file does not give is unknown, never a pass."),
      check, NULL },
};
const struct ctl_commands check_commands = { rows, N_ITEMS(rows) };
