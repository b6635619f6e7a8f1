/* judge_events.c - see judge_events.h: what each event would raise.  On a worker. */
#include "service/judge_events.h"

#include "base/crypto.h"
#include "base/time.h"
#include "core/policy_asks.h"
#include "service/alert_story.h"
#include "service/drift_state.h"
#include "service/judge_image.h"
#include "service/policies.h"
#include "store/alert.h"
#include "store/exception.h"
#include "store/suppression.h"
#include "wire/imageref.h"
#include "wire/msg/alert.h"
#include "wire/msg/event.h"
#include "wire/msg/profile.h"

#include <stdio.h>
#include <string.h>

enum { SCRATCH_MAX = 16 << 20, DOCUMENT_MAX = EVENT_JSON_MAX, ALSO_MAX = 8, FOREIGN_SEVERITY = 4, POLICY_ALERTS_MAX = 8 };

struct judging {
    struct call *c;
    struct judged_batch *b;
    struct err *err;
    struct event_subjects *subjects;
    const struct drift_view *view;               /* NULL: no profiles */
    const struct policy_set *held;               /* NULL: no policies */
    struct policy_set on_events;                 /* those that ask about events */
    bool policies_ask_images;
    const struct exception *exceptions; size_t n_exceptions;
    const struct json *node;                     /* for expressions */
    struct buf text;
    struct arena scratch;                        /* of one event's policies: its pages stay warm */
};

/* ---- suppressions ------------------------------------------------------------------ */

static bool fits(const char *pattern, const char *text)
{
    return pattern == NULL || str_match(pattern, text != NULL ? text : "");
}

static bool is_silenced_by(const struct suppression *s, const struct alert_signal *a)
{
    bool repository = s->repository == NULL || (a->repository != NULL && imageref_name_match(s->repository, a->repository));

    return repository && fits(s->rule, a->rule) && fits(s->cluster, a->cluster) && fits(s->namespace, a->namespace) &&
           fits(s->workload, a->workload) && fits(s->subject, a->subject);
}

/* 1: silenced, and the event remembers by which. */
static int silence(struct judging *j, struct judged_event *item, const struct alert_signal *a)
{
    for (size_t i = 0; i < j->b->n_suppressions; i++) {
        if (!is_silenced_by(&j->b->suppressions[i], a))
            continue;
        struct silenced *s = arena_alloc(j->c->arena, sizeof *s);
        if (s == NULL)
            return err_nomem(j->err);
        s->suppression = i;
        s->next = item->silenced;
        item->silenced = s;
        return 1;
    }
    return 0;
}

/* ---- drafts ----------------------------------------------------------------------------- */

static struct draft *draft_find(struct judged_batch *b, const char *key)
{
    for (size_t i = 0; i < b->n_drafts; i++) {
        if (memcmp(b->drafts[i].key, key, ALERT_KEY_TEXT) == 0)
            return &b->drafts[i];
    }
    return NULL;
}

/* The story is told when the alert is new, or comes back. */
static int needs_story(struct judging *j, const char *key, bool *needs)
{
    struct alert_row row;
    int rc = alert_find(j->c->db, key, j->c->arena, &row, j->err);

    *needs = rc == 0 || (rc == 1 && row.state == ALERT_RESOLVED);
    return rc < 0 ? -1 : 0;
}

/* Texts may be somebody else's, who gives them back before recording. */
static int keep_texts(struct judging *j, struct alert_signal *a)
{
    const char **texts[] = { &a->rule, &a->subject, &a->title };

    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (*texts[i] != NULL && (*texts[i] = arena_strdup(j->c->arena, *texts[i])) == NULL)
            return err_nomem(j->err);
    }
    return 0;
}

static int draft_new(struct judging *j, const struct alert_signal *a, const struct story *story, struct draft **out)
{
    struct judged_batch *b = j->b;
    struct draft *d = &b->drafts[b->n_drafts];
    bool needs;

    *d = (struct draft){ .signal = *a };
    alert_key(a, d->key);
    if (keep_texts(j, &d->signal) != 0 || needs_story(j, d->key, &needs) != 0)
        return -1;
    if (needs && story_write(j->c, story, &d->signal.story, j->err) != 0)
        return -1;
    b->n_drafts++;
    *out = d;
    return 0;
}

static int strike(struct judging *j, struct judged_event *item, struct draft *d)
{
    struct strike *s = arena_alloc(j->c->arena, sizeof *s);

    if (s == NULL)
        return err_nomem(j->err);
    s->draft = (size_t)(d - j->b->drafts);
    s->next = item->strikes;
    item->strikes = s;
    return 0;
}

/* One event raises, or would raise, one alert. */
static int raise_one(struct judging *j, struct judged_event *item, struct alert_signal *a, const struct story *story)
{
    char key[ALERT_KEY_TEXT];
    int rc = silence(j, item, a);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (j->b->n_drafts >= DRAFTS_MAX - 1) {
        alert_key(a, key);
        if (draft_find(j->b, key) == NULL) {
            *a = alert_flood;
            a->image = j->b->facts.node_id;
            a->cluster = j->b->facts.cluster;
            a->node = j->b->node;
        }
    }
    alert_key(a, key);
    struct draft *d = draft_find(j->b, key);
    if (d == NULL && draft_new(j, a, story, &d) != 0)
        return -1;
    if (a->severity < d->signal.severity)
        d->signal.severity = a->severity;
    return strike(j, item, d);
}

static struct alert_signal signal_of(const struct judging *j, const struct judged_event *item)
{
    const struct event_subject *s = item->subject;

    return (struct alert_signal){
        .image_id = s->image_id, .repository = s->repository, .digest = s->digest, .image = s->image, .cluster = j->b->facts.cluster,
        .namespace = s->namespace, .workload = s->workload, .node = j->b->node,
    };
}

/* ---- profiles and the rules of others ---------------------------------------------------- */

/* Somebody else's alert, or something that a wall of ours prevented. */
static bool is_foreign(const struct event *e)
{
    if (e->kind == EVENT_DROP || e->kind == EVENT_METRICS)
        return false;
    if (e->source == SOURCE_AGENT)
        return e->verdict == VERDICT_DENIED || e->verdict == VERDICT_KILLED;
    return e->rule != NULL && e->severity <= FOREIGN_SEVERITY;
}

/* What it is about: few enough different ones that one alert stays one. */
static const char *subject_of(const struct event *e)
{
    const char *texts[] = { e->process.exe, e->process.name, e->file.path, e->net.remote_name, e->net.remote_service, e->k8s.resource };

    if (e->kind == EVENT_FILE_OPEN || e->kind == EVENT_FILE_WRITE)
        texts[0] = e->file.path != NULL ? e->file.path : e->process.exe;
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (texts[i] != NULL)
            return texts[i];
    }
    return "";
}

static int raise_foreign(struct judging *j, struct judged_event *item)
{
    const struct event *e = item->event;
    struct alert_signal a = signal_of(j, item);
    const struct story story = { .batch = j->b, .event = e, .subject = item->subject };

    a.rule_kind = ALERT_FOREIGN;
    a.rule = arena_printf(j->c->arena, "%s/%s", event_source_words[e->source], e->rule != NULL ? e->rule : event_kind_words[e->kind]);
    a.subject = subject_of(e);
    a.title = e->message != NULL ? e->message : a.rule;
    a.severity = e->source == SOURCE_AGENT && e->severity > FOREIGN_SEVERITY ? FOREIGN_SEVERITY : (int)e->severity;
    return a.rule == NULL ? err_nomem(j->err) : raise_one(j, item, &a, &story);
}

static int raise_drift(struct judging *j, struct judged_event *item, const struct drift_finding *found, size_t n,
                       const struct profile_compiled *profile)
{
    const char *also[ALSO_MAX];
    struct alert_signal a = signal_of(j, item);
    struct story story = { .batch = j->b, .event = item->event, .subject = item->subject, .expected = found[0].expected, .also = also,
                           .profile = profile != NULL ? profile_of(profile) : NULL };

    for (size_t i = 1; i < n; i++)
        also[story.n_also++] = found[i].message;
    if (is_foreign(item->event) && item->event->rule != NULL)
        also[story.n_also++] = item->event->rule;
    a.rule_kind = ALERT_DRIFT;
    a.rule = arena_printf(j->c->arena, "drift/%s", drift_rule_words[found[0].rule]);
    a.subject = found[0].subject;
    a.title = found[0].message;
    a.severity = found[0].severity;
    return a.rule == NULL ? err_nomem(j->err) : raise_one(j, item, &a, &story);
}

static int judge_profile(struct judging *j, struct judged_event *item)
{
    struct drift_finding found[DRIFT_MAX];
    const struct profile_compiled *profile = NULL;
    size_t n = 0;

    if (j->view != NULL)
        n = drift_state_judge(j->view, item->subject->repository, item->subject->digest, item->event, found, &profile);
    if (n > 0)
        return raise_drift(j, item, found, n, profile);
    return is_foreign(item->event) ? raise_foreign(j, item) : 0;
}

/* ---- policies -------------------------------------------------------------------------------- */

static int event_severity(int severity)
{
    switch (severity) {
    case SEVERITY_CRITICAL: return 2;
    case SEVERITY_HIGH:     return 3;
    case SEVERITY_LOW:      return 5;
    case SEVERITY_NEGLIGIBLE:
    case SEVERITY_NONE:     return 6;
    default:                return 4;
    }
}

static int raise_policy(struct judging *j, struct judged_event *item, const struct reason *r)
{
    struct alert_signal a = signal_of(j, item);
    const struct story story = { .batch = j->b, .event = item->event, .subject = item->subject, .policy = r->policy,
                                 .validation = r->rule, .remediation = r->remediation };

    a.rule_kind = ALERT_POLICY;
    a.rule = arena_printf(j->c->arena, "%s/%s", r->policy, r->rule);
    a.subject = subject_of(item->event);
    a.title = r->message;
    a.severity = event_severity(r->severity);
    return a.rule == NULL ? err_nomem(j->err) : raise_one(j, item, &a, &story);
}

static int load_facts(struct judging *j, const struct judged_event *item)
{
    struct event_subject *s = (struct event_subject *)(uintptr_t)item->subject;      /* ours, made by event_subject_of */

    if (!j->policies_ask_images || s->image_id == 0 || s->facts != NULL)
        return 0;
    s->facts = arena_alloc(j->c->arena, sizeof *s->facts);
    return s->facts == NULL ? err_nomem(j->err)
         : facts_load(j->c->db, s->image_id, &j->held->limits, j->c->now_ms, false, j->c->arena, s->facts, j->err);
}

static int judge_policies(struct judging *j, struct judged_event *item)
{
    struct verdict verdict;

    arena_reset(&j->scratch);                    /* what is raised is copied */
    if (load_facts(j, item) != 0)
        return -1;
    const struct policy_image image = { .container = item->subject->container, .reference = item->subject->image,
                                        .facts = item->subject->facts };
    const struct policy_input in = {
        .stage = STAGE_RUN, .images = &image, .n_images = 1, .happened = item->event, .node = j->node, .cluster = j->b->facts.cluster,
        .namespace = item->subject->namespace, .exceptions = j->exceptions, .n_exceptions = j->n_exceptions, .now_ms = j->c->now_ms,
    };
    if (verdict_decide(&j->on_events, &in, &j->scratch, &verdict, j->err) != 0)
        return -1;
    for (size_t i = 0, n = 0; i < verdict.n_reasons && n < POLICY_ALERTS_MAX; i++) {
        if (verdict.reasons[i].effect == DECISION_UNKNOWN)       /* not every event says everything */
            continue;
        n++;
        if (raise_policy(j, item, &verdict.reasons[i]) != 0)
            return -1;
    }
    return 0;
}

/* Those of the stage run that ask about events; all that they need besides. */
static int open_policies(struct judging *j)
{
    struct exception *exceptions;
    struct call *c = j->c;

    if (policies_hold(c->app, c->db, &j->held, j->err) != 0)
        return -1;
    const struct policy **items = arena_array(c->arena, j->held->n, sizeof *items);
    if (items == NULL)
        return err_nomem(j->err);
    j->on_events = (struct policy_set){ .items = items, .version = j->held->version, .limits = j->held->limits };
    for (size_t i = 0; i < j->held->n; i++) {
        unsigned asks = (policy_info(j->held->items[i])->stages & STAGE_RUN) != 0 ? policy_asks(j->held->items[i]) : 0;
        if ((asks & POLICY_ASKS_EVENT) == 0)
            continue;
        items[j->on_events.n++] = j->held->items[i];
        j->policies_ask_images |= (asks & POLICY_ASKS_IMAGES) != 0;
    }
    if (j->on_events.n == 0)
        return 0;
    const char *text = arena_printf(c->arena, "{\"name\":\"\",\"cluster\":\"\"}");
    struct json *node = arena_alloc(c->arena, sizeof *node);
    if (text == NULL || node == NULL)
        return err_nomem(j->err);
    buf_clear(&j->text);
    struct jsonw w;
    jsonw_init(&w, &j->text);
    jsonw_object(&w);
    jsonw_kstr(&w, "id", j->b->facts.node_id != NULL ? j->b->facts.node_id : "");
    jsonw_kstr(&w, "name", j->b->facts.name != NULL ? j->b->facts.name : "");
    jsonw_kstr(&w, "cluster", j->b->facts.cluster != NULL ? j->b->facts.cluster : "");
    jsonw_object_end(&w);
    if (j->text.failed || json_parse(c->arena, j->text.ptr, j->text.len, NULL, node, j->err) != 0)
        return j->text.failed ? err_nomem(j->err) : -1;
    j->node = node;
    if (exception_list_active(c->db, c->now_ms, c->arena, &exceptions, &j->n_exceptions, j->err) != 0)
        return -1;
    j->exceptions = exceptions;
    return 0;
}

/* ---- the batch ----------------------------------------------------------------------------------- */

static int encode(struct judging *j, size_t i, struct judged_event *item)
{
    buf_clear(&j->text);
    shape_encode(&event_shape, item->event, &j->text);
    if (j->text.failed)
        return err_set(j->err, ERR_INVALID, "$.events[%zu]: larger than %d bytes", i, DOCUMENT_MAX);
    char *copy = arena_strndup(j->c->arena, j->text.ptr, j->text.len);
    if (copy == NULL)
        return err_nomem(j->err);
    item->document = (struct bytes){ (unsigned char *)copy, j->text.len };
    return 0;
}

static int judge_one(struct judging *j, size_t i, struct judged_event *item)
{
    struct event_subject *subject;

    if (encode(j, i, item) != 0 || event_subject_of(j->subjects, item->event, &subject, j->err) != 0)
        return -1;
    item->subject = subject;
    if (judge_profile(j, item) != 0)
        return -1;
    return j->on_events.n > 0 ? judge_policies(j, item) : 0;
}

static int open_batch(struct judging *j, const struct event *events, size_t n)
{
    struct call *c = j->c;
    struct judged_batch *b = j->b;
    const struct freshness_limits limits = app_limits(c->app);
    struct suppression *suppressions;

    b->events = arena_array(c->arena, n, sizeof *b->events);
    b->drafts = arena_array(c->arena, DRAFTS_MAX, sizeof *b->drafts);
    j->subjects = event_subjects_new(c->db, b->lookup, b->facts.cluster, &limits, c->now_ms, c->arena);
    if (b->events == NULL || b->drafts == NULL || j->subjects == NULL)
        return err_nomem(j->err);
    for (size_t i = 0; i < n; i++)
        b->events[i].event = &events[i];
    b->n_events = n;
    if (suppression_list_active(c->db, c->now_ms, c->arena, &suppressions, &b->n_suppressions, j->err) != 0)
        return -1;
    b->suppressions = suppressions;
    b->hits = arena_array(c->arena, b->n_suppressions, sizeof *b->hits);
    if (b->hits == NULL)
        return err_nomem(j->err);
    if (c->app->drift != NULL && drift_state_hold(c->app, c->db, &j->view, j->err) != 0)
        return -1;
    return c->app->policies != NULL ? open_policies(j) : 0;
}

int judge_events(struct call *c, const struct event *events, size_t n, struct judged_batch *b, struct err *err)
{
    struct judging j = { .c = c, .b = b, .err = err };

    buf_init(&j.text, DOCUMENT_MAX);
    arena_init(&j.scratch, SCRATCH_MAX);
    int rc = open_batch(&j, events, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = judge_one(&j, i, &b->events[i]);
    if (j.view != NULL)
        drift_state_release(c->app, j.view);
    if (j.held != NULL)
        policies_release(c->app, j.held);
    buf_free(&j.text);
    arena_clear(&j.scratch);
    return rc;
}
