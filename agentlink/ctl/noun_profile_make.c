/* noun_profile_make.c - profile init, check, generate, simulate: without a server, or
 * with what it has. */
#include "client/url.h"
#include "core/profile/emit.h"
#include "core/profile/simulate.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "ctl/profile_init.h"
#include "wire/event/event.h"
#include "wire/msg/profile.h"
#include "wire/profile_doc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_MAX = 4 << 20, SBOM_MAX = 64 << 20, EVENTS_MAX = 512 << 20, LINE_ARENA = 16 << 20 };

static int deliver_text(struct ctl *c, struct buf *b)
{
    const struct out_spec plain = { &out_formats[0], NULL };

    return out_deliver(c, &plain, b);
}

/* ---- init -------------------------------------------------------------------------------- */

static int read_option(struct ctl *c, const char *option, size_t max, struct bytes *out, struct err *err)
{
    const char *path = ctl_option(c, option);

    if (path == NULL)
        return 0;
    return file_read(&c->arena, path, max, out, err) != 0 ? err_prefix(err, "--%s", option) : 0;
}

static int init(struct ctl *c)
{
    struct profile_init_spec spec = { .image = ctl_option(c, "image") };
    struct err err = { 0 };
    struct buf b;

    if (read_option(c, "config", CONFIG_MAX, &spec.config, &err) != 0 || read_option(c, "sbom", SBOM_MAX, &spec.sbom, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (spec.config.len == 0 && spec.sbom.len == 0)
        return ctl_wrong(c, "docker image inspect IMAGE | keepctl profile init --config -", "give --config, --sbom, or both");
    buf_init(&b, 4 * PROFILE_DOC_MAX);
    int rc = profile_init(&spec, &c->arena, &b, &err) != 0 ? ctl_fail(c, &err, NULL) : deliver_text(c, &b);
    buf_free(&b);
    return rc;
}

/* ---- check ------------------------------------------------------------------------------------ */

static int read_profile(struct ctl *c, const char *path, struct complaints *all, struct profile *out, struct err *err)
{
    struct bytes text;

    if (file_read(&c->arena, path, PROFILE_DOC_MAX, &text, err) != 0)       /* names the file itself */
        return -1;
    if (profile_doc_parse(text.ptr, text.len, &c->arena, all, out, err) != 0)
        return err_prefix(err, "%s", path);
    return 0;
}

static int check_one(struct ctl *c, const char *path)
{
    struct complaints all = { .arena = &c->arena };
    struct err err = { 0 };
    struct profile p;
    struct buf b;

    if (read_profile(c, path, &all, &p, &err) == 0) {
        printf("%s: ok, profile %s of %s%s%s\n", path, p.name, p.repository, p.digest != NULL ? "@" : "", p.digest != NULL ? p.digest : "");
        for (int part = 0; part < PROFILE_PART_N; part++) {
            if (!profile_covers(&p, (enum profile_part)part))
                ctl_say(c, "not judged: %s", profile_part_words[part]);
        }
        return 0;
    }
    if (all.first == NULL)
        return ctl_fail(c, &err, NULL);
    buf_init(&b, 1 << 20);
    for (const struct complaint *w = all.first; w != NULL; w = w->next) {
        put_safe(&b, path);
        buf_putc(&b, ':');
        put_safe(&b, w->message);          /* begins with LINE:COLUMN */
        buf_puts(&b, " (");
        put_safe(&b, w->path);
        buf_puts(&b, ")\n");
    }
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
    return CODE_POLICY;
}

static int check(struct ctl *c)
{
    int code = 0;

    for (size_t i = 0; i < c->cl->n_args; i++) {
        int rc = check_one(c, c->cl->args[i]);
        code = code == 0 ? rc : code;
    }
    return code;
}

/* ---- generate ------------------------------------------------------------------------------------- */

static bool is_file(const char *text)
{
    return str_eq(text, "-") || access(text, F_OK) == 0;
}

static int unknown_language(struct ctl *c, const char *as)
{
    struct buf b;

    buf_init(&b, 4096);
    for (size_t i = 0; i < n_emitters; i++)
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", emitters[i].name);
    int rc = ctl_wrong(c, NULL, "--as: %s; one of %s", as != NULL ? as : "is needed", b.ptr != NULL ? b.ptr : "");
    buf_free(&b);
    return rc;
}

static int generate_here(struct ctl *c, const struct emitter *e, struct buf *out)
{
    struct err err = { 0 };
    struct profile p;

    if (read_profile(c, c->cl->args[0], NULL, &p, &err) != 0)
        return ctl_fail(c, &err, NULL);
    const struct emit_spec spec = { &p, ctl_option(c, "namespace"), ctl_option(c, "workload") };
    return profile_emit(e, &spec, &c->arena, out, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
}

static int generate_there(struct ctl *c, const struct emitter *e, struct buf *out)
{
    struct client_request r = { .method = "GET" };
    struct client_answer answer;
    const char *id;
    struct buf target;

    int rc = profile_id_of(c, c->cl->args[0], &id);
    if (rc != 0)
        return rc;
    buf_init(&target, 8192);
    url_path(&target, "/v1/profiles/{}/generated", &id, 1);
    url_query(&target, "as", e->name);
    url_query(&target, "source", ctl_option(c, "source"));
    url_query(&target, "namespace", ctl_option(c, "namespace"));
    url_query(&target, "workload", ctl_option(c, "workload"));
    r.target = target.failed ? NULL : target.ptr;
    rc = r.target == NULL ? ctl_wrong(c, NULL, "out of memory") : ctl_send(c, &r, NULL, &answer);
    if (rc == 0)
        buf_put(out, answer.body.ptr, answer.body.len);
    buf_free(&target);
    return rc;
}

static int generate(struct ctl *c)
{
    const char *as = ctl_option(c, "as");
    const struct emitter *e = as != NULL ? emitter_find(as) : NULL;
    struct buf b;

    if (e == NULL)
        return unknown_language(c, as);
    buf_init(&b, 16 << 20);
    int rc = is_file(c->cl->args[0]) ? generate_here(c, e, &b) : generate_there(c, e, &b);
    if (rc == 0)
        rc = deliver_text(c, &b);
    buf_free(&b);
    return ctl_code(rc);
}

/* ---- simulate ----------------------------------------------------------------------------------------- */

static const struct column departure_columns[] = {
    { "RULE", "rule", COLUMN_TEXT }, { "WHAT", "subject", COLUMN_TEXT }, { "EVENTS", "count", COLUMN_NUMBER }, { "LAST", "last_at", COLUMN_TIME },
    { "WHERE", "workloads", COLUMN_TEXTS }, { "ALLOWED", "expected", COLUMN_TEXT },
};

static int show_simulation(struct ctl *c, const struct json *answer)
{
    const struct json *items = json_get(answer, "departures");
    const struct listing l = { departure_columns, N_ITEMS(departure_columns), items, answer };
    int64_t departing = json_int(json_get(answer, "departing"), 0);
    int rc = out_list(c, &l);

    ctl_say(c, "%" PRId64 " of %" PRId64 " recorded events would have been reported, and in mode protect denied: %u different%s", departing,
            json_int(json_get(answer, "examined"), 0), json_len(items),
            json_bool(json_get(answer, "complete"), true) ? "" : "; there were more events than were looked at");
    return rc != 0 ? rc : departing > 0 ? CODE_PENDING : CODE_PASS;
}

static int simulate_there(struct ctl *c)
{
    const char *hours = ctl_option(c, "hours"), *id;
    struct client_request r = { .method = "POST", .content_type = "text/yaml" };
    bool file = is_file(c->cl->args[0]);
    struct err err = { 0 };
    struct json answer;
    struct buf target;
    int rc;

    buf_init(&target, 8192);
    if (file) {
        buf_puts(&target, "/v1/profiles/simulation");
        rc = file_read(&c->arena, c->cl->args[0], PROFILE_DOC_MAX, &r.body, &err) != 0 ? ctl_fail(c, &err, NULL) : 0;
    } else {
        r = (struct client_request){ .method = "GET" };
        rc = profile_id_of(c, c->cl->args[0], &id);
        if (rc == 0)
            url_path(&target, "/v1/profiles/{}/simulation", &id, 1);
    }
    url_query(&target, "hours", hours);
    url_query(&target, "source", file ? NULL : ctl_option(c, "source"));
    r.target = target.ptr;
    if (rc == 0)
        rc = target.failed ? ctl_wrong(c, NULL, "out of memory") : ctl_send(c, &r, &answer, NULL);
    buf_free(&target);
    return rc != 0 ? ctl_code(rc) : show_simulation(c, &answer);
}

/* Each line is an event: ours, or of any source that is understood. */
static int take_lines(struct simulation *s, struct bytes text, size_t *n_skipped, struct err *err)
{
    const char *at = (const char *)text.ptr, *end = at + text.len;
    struct arena arena;
    struct event event;
    int rc = 0;

    arena_init(&arena, LINE_ARENA);
    while (rc == 0 && at < end) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((nl != NULL ? nl : end) - at);
        int got = len > 0 ? event_decode(EVENT_SOURCE_N, at, len, &arena, &event, err) : 1;
        *n_skipped += got < 0;
        if (got == 0)
            rc = simulation_add(s, &event, err);
        arena_reset(&arena);
        at += len + 1;
    }
    arena_clear(&arena);
    return rc;
}

static int view_simulation(struct ctl *c, const struct simulation *s, struct json *out, struct err *err)
{
    struct departure_answer *list = arena_array(&c->arena, s->n + 1, sizeof *list);
    struct buf b;

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < s->n; i++) {
        const struct departure *d = &s->departures[i];
        list[i] = (struct departure_answer){ drift_rule_words[d->finding.rule], d->finding.subject, d->finding.message, d->finding.expected,
                                             d->finding.severity, d->n, d->first_ms, d->last_ms, d->workloads, d->n_workloads };
    }
    const struct simulation_answer answer = { s->examined, s->examined - s->departing, s->departing, !s->is_cut, list, s->n };
    buf_init(&b, 16 << 20);
    shape_encode(&simulation_answer_shape, &answer, &b);
    int rc = b.failed ? err_nomem(err) : json_parse(&c->arena, b.ptr, b.len, NULL, out, err);
    buf_free(&b);
    return rc;
}

static int simulate_here(struct ctl *c)
{
    struct profile_compiled *compiled;
    struct err err = { 0 };
    struct simulation s;
    struct profile p;
    struct json answer;
    struct bytes events;
    size_t skipped = 0;

    if (read_profile(c, c->cl->args[0], NULL, &p, &err) != 0 || profile_compile(&p, &c->arena, &compiled, &err) != 0 ||
        simulation_init(&s, compiled, &c->arena, &err) != 0 || file_read(&c->arena, c->cl->args[1], EVENTS_MAX, &events, &err) != 0 ||
        take_lines(&s, events, &skipped, &err) != 0)
        return ctl_fail(c, &err, NULL);
    simulation_sort(&s);
    if (view_simulation(c, &s, &answer, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (skipped > 0)
        ctl_say(c, "%zu lines are no events that are understood", skipped);
    return show_simulation(c, &answer);
}

static int simulate(struct ctl *c)
{
    return c->cl->n_args > 1 ? simulate_here(c) : simulate_there(c);
}

static const struct command_option init_options[] = {
    { "image", "REF", "REPOSITORY or REPOSITORY@sha256:..., if the configuration does not name it.", false },
    { "config", "FILE", "The image's configuration, or what docker or podman inspect print (-: standard input).", false },
    { "sbom", "FILE", "A list of its packages, in any format that scan upload takes.", false },
};
#define PLACE_OPTIONS \
    { "source", "SOURCE", "Of IMAGE: enforced (when absent), declared or learned.", false }
static const struct command_option generate_options[] = {
    { "as", "LANGUAGE", "networkpolicy, cilium, istio, falco, tetragon, seccomp or apparmor.", false },
    { "namespace", "NAME", "Of the workload (default).", false },
    { "workload", "NAME", "Its label app (the profile's name).", false }, PLACE_OPTIONS,
};
static const struct command_option simulate_options[] = { { "hours", "N", "How far back the server looks (24).", false }, PLACE_OPTIONS };

static const struct ctl_command rows[] = {
    { ROW("profile init", "", 0, 0, "Draft a profile from what an image says of itself.", init_options, NULL), init, NULL },
    { PLAIN("profile check", "FILE...", 1, COMMAND_ARGS_MAX, "Check profiles offline; every error with its line. Exit 2 when there is one."), check, NULL },
    { ROW("profile generate", "FILE|IMAGE", 1, 1, "Write a profile in another's language, with what it cannot say there.", generate_options, NULL), generate, NULL },
    { ROW("profile simulate", "FILE|IMAGE [EVENTS]", 1, 2, "Ask what a profile would have reported, and denied. Exit 8 when something.", simulate_options,
          "Without EVENTS the server looks through the events it has recorded of the image; with EVENTS, a file of one JSON event\n"
          "a line (ours, or of Falco, Tracee, Tetragon, Hubble, KubeArmor or the Kubernetes audit log), no server is asked."), simulate, NULL },
};
const struct ctl_commands profile_make_commands = { rows, N_ITEMS(rows) };
