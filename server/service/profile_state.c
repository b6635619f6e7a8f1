/* profile_state.c - what the handlers of profiles share; see profiles.h. */
#include "service/profiles.h"

#include "base/time.h"
#include "service/policies.h"
#include "service/views.h"
#include "store/image.h"
#include "store/observation.h"
#include "wire/profile_doc.h"

#include <string.h>

enum { TEXT_MAX_BYTES = 4 << 20, IMAGES_MAX = 50 };

int profile_from_text(const char *document, struct arena *arena, struct profile *out, struct err *err)
{
    struct profile p;
    struct json doc;

    shape_init(&profile_shape, &p);
    if (json_parse(arena, document, strlen(document), NULL, &doc, err) != 0 || shape_decode(&profile_shape, &doc, arena, &p, NULL, err) != 0 ||
        profile_check(&p, err) != 0)
        return -1;
    *out = p;
    return 0;
}

int profile_to_text(const struct profile *p, struct arena *arena, const char **out, struct err *err)
{
    struct buf b;

    buf_init(&b, TEXT_MAX_BYTES);
    shape_encode(&profile_shape, p, &b);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    if (text == NULL)
        return err_nomem(err);
    *out = text;
    return 0;
}

int profile_state_load(struct call *c, const char *id, struct profile_state *out, struct err *err)
{
    struct profile_state s = { .id = id };
    size_t n;

    if (profile_current(c->db, id, c->arena, s.rows, &n, err) != 0)
        return -1;
    for (int i = 0; i < PROFILE_SOURCE_N; i++) {
        if (s.rows[i].id == 0)
            continue;
        s.repository = s.rows[i].repository;
        s.digest = s.rows[i].digest;
        if (profile_from_text(s.rows[i].document, c->arena, &s.profiles[i], err) != 0)
            return err_prefix(err, "%s profile", profile_source_words[i]);
    }
    if (s.repository == NULL || !may_see(c, s.repository))
        return err_set(err, ERR_NOT_FOUND, "no such profile");
    *out = s;
    return 0;
}

const struct profile *profile_state_get(const struct profile_state *s, int source)
{
    return s->rows[source].id != 0 ? &s->profiles[source] : NULL;
}

int profile_source_asked(const struct profile_state *s, int from, const struct profile **out, struct err *err)
{
    static const int sources[] = {
        [PROFILE_FROM_ENFORCED] = PROFILE_ENFORCED, [PROFILE_FROM_DECLARED] = PROFILE_DECLARED, [PROFILE_FROM_LEARNED] = PROFILE_LEARNED,
    };
    const struct profile *p = profile_state_get(s, sources[from]);

    if (p == NULL)
        return err_set(err, ERR_NOT_FOUND, "there is no %s profile of it", profile_source_words[sources[from]]);
    *out = p;
    return 0;
}

struct learn_rules profile_rules(const struct call *c)
{
    const struct settings *s = &c->app->settings;

    return (struct learn_rules){ s->profile_containers, s->profile_watched_ms, s->profile_quiet_ms };
}

/* The image of the digest, or those of the repository. */
static int images_of(struct call *c, const char *repository, const char *digest, int64_t **ids, size_t *n, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct image image;

    if (digest == NULL || digest[0] == '\0')
        return observation_images(c->db, repository, IMAGES_MAX, c->arena, ids, n, err);
    int rc = image_find(c->db, digest, &limits, c->now_ms, c->arena, &image, err);
    if (rc < 0 || (*ids = arena_alloc(c->arena, sizeof **ids)) == NULL)
        return rc < 0 ? -1 : err_nomem(err);
    *n = 0;
    if (rc == 1)
        (*ids)[(*n)++] = image.id;
    return 0;
}

static int gather(struct call *c, const int64_t *ids, size_t n_ids, struct observation **out, size_t *n, struct err *err)
{
    struct observation *lists[IMAGES_MAX + 1];
    size_t lengths[IMAGES_MAX + 1], sum = 0;

    for (size_t i = 0; i < n_ids; i++) {
        if (observation_list(c->db, ids[i], c->arena, &lists[i], &lengths[i], err) != 0)
            return -1;
        sum += lengths[i];
    }
    struct observation *all = arena_array(c->arena, sum + 1, sizeof *all);
    if (all == NULL)
        return err_nomem(err);
    *n = 0;
    for (size_t i = 0; i < n_ids; i++) {
        if (lengths[i] > 0)
            memcpy(all + *n, lists[i], lengths[i] * sizeof *all);
        *n += lengths[i];
    }
    *out = all;
    return 0;
}

int profile_evidence_load(struct call *c, const char *repository, const char *digest, const char *const *accept, size_t n_accept,
                          struct profile_evidence *out, struct err *err)
{
    const struct learn_rules rules = profile_rules(c);
    struct profile_evidence e;
    struct observation *all;
    int64_t *ids;
    size_t n_ids, n;

    if (images_of(c, repository, digest, &ids, &n_ids, err) != 0 || gather(c, ids, n_ids, &all, &n, err) != 0 ||
        observations_merge(all, n, c->arena, &e.observations, &e.n, err) != 0 ||
        learn_judge(e.observations, e.n, &rules, NULL, accept, n_accept, c->arena, &e.items, err) != 0)
        return -1;
    *out = e;
    return 0;
}

void profile_version_of(const struct profile_row *row, struct profile_version *out)
{
    *out = (struct profile_version){
        .profile_id = row->profile_id, .source = row->source, .version = row->version, .mode = row->mode, .created_ms = row->created_ms, .created_by = row->created_by,
        .reason = row->reason[0] != '\0' ? row->reason : NULL, .signer = row->signer_id, .evidence = row->evidence_id,
        .document = row->document,
    };
}

static int doubts_view(unsigned doubts, struct arena *arena, const char *const **out, size_t *n, struct err *err)
{
    const char **words = arena_array(arena, DOUBT_N, sizeof *words);

    if (words == NULL)
        return err_nomem(err);
    *n = 0;
    for (unsigned i = 0; i < DOUBT_N; i++) {
        if ((doubts >> i & 1) != 0)
            words[(*n)++] = doubt_words[i];
    }
    *out = words;
    return 0;
}

int profile_observations_view(const struct learned_item *items, size_t n, bool only_doubted, struct arena *arena,
                              const struct observation_answer **out, size_t *n_out, struct err *err)
{
    struct observation_answer *list = arena_array(arena, n + 1, sizeof *list);
    size_t kept = 0;

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct observation *o = items[i].seen;
        if (only_doubted && items[i].is_accepted)
            continue;
        struct observation_answer *a = &list[kept++];
        *a = (struct observation_answer){
            .part = o->part, .item = o->item, .parent = o->parent[0] != '\0' ? o->parent : NULL, .n = o->n, .containers = o->n_containers,
            .nodes = o->n_nodes, .hours = o->n_hours, .first_ms = o->first_ms, .last_ms = o->last_ms, .confidence = items[i].confidence,
            .is_accepted = items[i].is_accepted,
        };
        if (doubts_view(items[i].doubts, arena, &a->doubts, &a->n_doubts, err) != 0)
            return -1;
    }
    *out = list;
    *n_out = kept;
    return 0;
}

int profile_promotion(struct call *c, const struct profile_state *s, const struct profile_evidence *e, int to, struct promotion *out,
                      struct err *err)
{
    const struct profile *enforced = profile_state_get(s, PROFILE_ENFORCED);
    const struct learn_rules rules = profile_rules(c);
    struct diff_row *rows;
    size_t n;

    if (diff_make(profile_state_get(s, PROFILE_DECLARED), enforced, e->items, e->n, c->arena, &rows, &n, err) != 0)
        return -1;
    return promote_decide(enforced->mode, to, enforced, rows, n, &rules, c->now_ms, c->arena, out, err);
}
