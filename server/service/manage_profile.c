/* manage_profile.c - learning, approving, changing the mode of a profile. */
#include "service/profiles.h"

#include "service/audit_change.h"
#include "service/bundles.h"
#include "service/check.h"
#include "service/drift_state.h"
#include "service/views.h"
#include "wire/imageref.h"
#include "wire/profile_doc.h"

#include <inttypes.h>
#include <string.h>

enum { FLUSHED_AT_ONCE = 5000 };       /* the newest counts; what is older the housekeeper has written */

/* What is counted in memory must be in the store before somebody decides by it. */
static int write_counts(struct call *c, struct err *err)
{
    bool more;

    return drift_state_flush(c->app, c->db, c->now_ms, FLUSHED_AT_ONCE, &more, err);
}

/* A new version of what is learned or enforced. */
static int write_version(struct call *c, const struct profile_state *s, int source, const struct profile *p, const char *reason,
                         const char *action, struct profile_version *out, struct err *err)
{
    const struct profile_row *was = &s->rows[source];
    struct profile_row row = {
        .profile_id = s->id, .repository = s->repository, .digest = s->digest, .source = source, .mode = p->mode, .created_ms = c->now_ms,
        .created_by = c->caller->name, .reason = reason != NULL ? reason : "",
    };
    struct profile_version before;

    if (profile_to_text(p, c->arena, &row.document, err) != 0 || profile_insert(c->db, &row, err) != 0)
        return -1;
    if (was->id != 0)
        profile_version_of(was, &before);
    profile_version_of(&row, out);
    return audit_change(c, action, "profile", s->id, &profile_version_shape, was->id != 0 ? &before : NULL, out, err);
}

static int tell_nodes(struct call *c, const struct profile_state *s, const char *what, struct err *err)
{
    const char *cause = arena_printf(c->arena, "profile of %s: %s", s->repository, what);

    if (cause == NULL)
        return err_nomem(err);
    bundles_changed(c->app, cause);
    return 0;
}

/* ---- learning --------------------------------------------------------------------------- */

static int name_of(struct call *c, const char *repository, const char **out, struct err *err)
{
    const char *slash = strrchr(repository, '/'), *last = slash != NULL ? slash + 1 : repository;
    char *name = arena_strndup(c->arena, last, strnlen(last, 63));

    if (name == NULL)
        return err_nomem(err);
    for (char *at = name; *at != '\0'; at++) {
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", *at) == NULL)
            *at = '-';
    }
    for (size_t n = strlen(name); n > 0 && strchr("-.", name[n - 1]) != NULL; n--)
        name[n - 1] = '\0';
    name += strspn(name, "-.");
    *out = name[0] != '\0' ? name : "image";
    return 0;
}

/* What is asked for need not have a profile yet. */
static int find_subject(struct call *c, const char *image, struct profile_state *out, struct err *err)
{
    char id[PROFILE_ID_LEN + 1];
    struct imageref ref;
    const char *repository;

    if (imageref_parse(c->arena, image, &ref, err) != 0)
        return err_prefix(err, "$.image");
    if (ref.is_id || (ref.tag != NULL && !ref.tag_implied))
        return err_set(err, ERR_INVALID, "$.image: expected REPOSITORY, or REPOSITORY@sha256:...");
    if ((repository = imageref_name(c->arena, &ref)) == NULL)
        return err_nomem(err);
    profile_id(repository, ref.digest, id);
    if (profile_state_load(c, id, out, err) == 0)
        return (out->id = arena_strdup(c->arena, id)) == NULL ? err_nomem(err) : 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    *out = (struct profile_state){ .id = arena_strdup(c->arena, id), .repository = repository, .digest = ref.digest != NULL ? ref.digest : "" };
    return out->id == NULL ? err_nomem(err) : 0;
}

int profile_learn(struct call *c, const void *in_, void *out_, struct err *err)
{
    const struct profile_learn_in *in = in_;
    struct learned_answer *out = out_;
    struct profile_version *version = arena_alloc(c->arena, sizeof *version);
    struct profile_evidence e;
    struct profile_state s;

    if (version == NULL)
        return err_nomem(err);
    if (write_counts(c, err) != 0 || find_subject(c, in->image, &s, err) != 0 ||
        profile_evidence_load(c, s.repository, s.digest, NULL, 0, &e, err) != 0)
        return -1;
    if (e.n == 0)
        return err_set(err, ERR_UNPROCESSABLE, "nothing has been seen of %s yet", in->image);
    struct profile p = { .repository = s.repository, .digest = s.digest[0] != '\0' ? s.digest : NULL, .mode = PROFILE_DISCOVER,
                         .lease_s = PROFILE_LEASE_DEFAULT_S };
    const struct profile *named = profile_state_get(&s, PROFILE_DECLARED);
    if (named != NULL)
        p.name = named->name;
    else if (name_of(c, s.repository, &p.name, err) != 0)
        return -1;
    if (learn_profile(e.items, e.n, c->arena, &p, err) != 0 || profile_check(&p, err) != 0 ||
        write_version(c, &s, PROFILE_LEARNED, &p, in->reason, "learn", version, err) != 0)
        return -1;
    c->status = 201;
    c->location = arena_printf(c->arena, "/v1/profiles/%s", s.id);
    out->profile = version;
    return profile_observations_view(e.items, e.n, true, c->arena, &out->doubted, &out->n_doubted, err);
}

/* ---- approving ----------------------------------------------------------------------------- */

static int check_version(const struct profile_state *s, int source, const struct profile_approve_in *in, struct err *err)
{
    if (s->rows[source].id == 0)
        return err_set(err, ERR_UNPROCESSABLE, "there is no %s profile to approve", profile_source_words[source]);
    if (in->version != 0 && in->source != APPROVE_BOTH && in->version != s->rows[source].version)
        return err_set(err, ERR_CONFLICT, "version %" PRId64 " was looked at, but %" PRId64 " is current", in->version, s->rows[source].version);
    return 0;
}

/* What a person accepts in spite of doubts, as a profile of its own. */
static int accepted_part(struct call *c, const struct profile_state *s, const struct profile_approve_in *in, const struct profile *base,
                         struct profile *out, struct err *err)
{
    struct item_builder *b = item_builder_new(c->arena);
    struct profile_evidence e;
    unsigned covers = 0;

    if (b == NULL)
        return err_nomem(err);
    if (profile_evidence_load(c, s->repository, s->digest, in->accept, in->n_accept, &e, err) != 0)
        return -1;
    const char *unknown = learn_unknown(e.items, e.n, in->accept, in->n_accept);
    if (unknown != NULL)
        return err_set(err, ERR_UNPROCESSABLE, "$.accept: \"%.100s\" was not seen", unknown);
    for (size_t i = 0; i < e.n; i++) {
        const struct observation *o = e.items[i].seen;
        if (e.items[i].doubts == 0 || !e.items[i].is_accepted)
            continue;
        covers |= 1u << o->part;
        if (item_builder_add(b, o->part, o->item, o->parent, err) != 0)
            return -1;
    }
    *out = *base;
    return item_builder_done(b, covers, out, err);
}

static int approved_profile(struct call *c, const struct profile_state *s, const struct profile_approve_in *in, struct profile *out,
                            struct err *err)
{
    const struct profile *declared = &s->profiles[PROFILE_DECLARED], *learned = &s->profiles[PROFILE_LEARNED];
    struct profile base, accepted;

    if ((in->source != APPROVE_LEARNED && check_version(s, PROFILE_DECLARED, in, err) != 0) ||
        (in->source != APPROVE_DECLARED && check_version(s, PROFILE_LEARNED, in, err) != 0))
        return -1;
    if (in->source == APPROVE_BOTH) {
        if (profile_merge(declared, learned, c->arena, &base, err) != 0)
            return -1;
    } else {
        base = in->source == APPROVE_DECLARED ? *declared : *learned;
    }
    *out = base;
    if (in->n_accept == 0)
        return 0;
    return accepted_part(c, s, in, &base, &accepted, err) != 0 ? -1 : profile_merge(&base, &accepted, c->arena, out, err);
}

/* Approving says what is allowed, not how hard: the mode stays as it is, and a new one
 * begins with monitor at most. */
static int mode_after(const struct profile_state *s, const struct profile *p)
{
    if (s->rows[PROFILE_ENFORCED].id != 0)
        return s->profiles[PROFILE_ENFORCED].mode;
    return p->mode < PROFILE_MONITOR ? p->mode : PROFILE_MONITOR;
}

static int check_room(struct call *c, const struct profile_state *s, struct err *err)
{
    struct profile_key *keys;
    size_t n;

    if (s->rows[PROFILE_ENFORCED].id != 0)
        return 0;
    if (profile_keys_enforced(c->db, c->arena, &keys, &n, err) != 0)
        return -1;
    return n < PROFILES_ENFORCED_MAX ? 0 : err_set(err, ERR_UNPROCESSABLE, "at most %d profiles are enforced at a time", PROFILES_ENFORCED_MAX);
}

int profile_approve(struct call *c, const void *in_, void *out, struct err *err)
{
    const struct profile_approve_in *in = in_;
    struct profile_state s;
    struct profile p;

    if (write_counts(c, err) != 0 || profile_state_load(c, c->path[0], &s, err) != 0 || check_room(c, &s, err) != 0 ||
        approved_profile(c, &s, in, &p, err) != 0)
        return -1;
    p.mode = mode_after(&s, &p);
    if (in->source == APPROVE_LEARNED && s.rows[PROFILE_ENFORCED].id != 0) {
        p.on_agent_loss = s.profiles[PROFILE_ENFORCED].on_agent_loss;      /* nothing was learned of that */
        p.lease_s = s.profiles[PROFILE_ENFORCED].lease_s;
    }
    if (profile_check(&p, err) != 0 || write_version(c, &s, PROFILE_ENFORCED, &p, in->reason, "approve", out, err) != 0)
        return -1;
    return tell_nodes(c, &s, "approved", err);
}

/* ---- modes ------------------------------------------------------------------------------------ */

static int refuse(const struct promotion *p, struct call *c, struct err *err)
{
    for (size_t i = 0; i < p->n_checks; i++) {
        if (!p->checks[i].is_met)
            complain(&c->complaints, (uint32_t)i, p->checks[i].rule, "%s", p->checks[i].text);
    }
    return err_set(err, ERR_UNPROCESSABLE, "the evidence for mode %s is not there yet; with force and a reason it may be set all the same",
                   profile_mode_words[p->to]);
}

int profile_set_mode(struct call *c, const void *in_, void *out, struct err *err)
{
    const struct profile_mode_in *in = in_;
    struct profile_evidence e;
    struct profile_state s;
    struct promotion promotion;

    if (write_counts(c, err) != 0 || profile_state_load(c, c->path[0], &s, err) != 0)
        return -1;
    if (s.rows[PROFILE_ENFORCED].id == 0)
        return err_set(err, ERR_UNPROCESSABLE, "no profile of it is enforced; approve one first");
    if (in->force && check_reason("$.reason", in->reason != NULL ? in->reason : "", err) != 0)
        return -1;
    if (in->mode == s.rows[PROFILE_ENFORCED].mode) {
        profile_version_of(&s.rows[PROFILE_ENFORCED], out);
        return 0;
    }
    if (profile_evidence_load(c, s.repository, s.digest, NULL, 0, &e, err) != 0 || profile_promotion(c, &s, &e, in->mode, &promotion, err) != 0)
        return -1;
    if (!promotion.is_ready && !in->force)
        return refuse(&promotion, c, err);
    struct profile p = s.profiles[PROFILE_ENFORCED];
    p.mode = in->mode;
    if (write_version(c, &s, PROFILE_ENFORCED, &p, in->reason, promotion.is_ready ? "mode" : "force-mode", out, err) != 0)
        return -1;
    return tell_nodes(c, &s, profile_mode_words[in->mode], err);
}
