/* alert_story.c - see alert_story.h. */
#include "service/alert_story.h"

#include "base/time.h"
#include "service/policies.h"
#include "store/image.h"
#include "wire/msg/event.h"
#include "wire/msg/image.h"
#include "wire/msg/alert.h"
#include "wire/msg/profile.h"
#include "wire/msg/words.h"

enum { STORY_MAX = 96 * 1024, CHAIN_MAX = 20 * 1024 };

static void known(struct jsonw *w, const char *key, const char *text)
{
    if (text != NULL && *text != '\0')
        jsonw_kstr(w, key, text);
}

static void number(struct jsonw *w, const char *key, int64_t value)
{
    if (value >= 0)
        jsonw_kint(w, key, value);
}

static void put_event(struct jsonw *w, const struct event *e)
{
    jsonw_key(w, "event");
    jsonw_object(w);
    if (e->at_ms != TIME_UNKNOWN)
        jsonw_ktime(w, "at", e->at_ms);
    jsonw_kstr(w, "source", event_source_words[e->source]);
    jsonw_kstr(w, "kind", event_kind_words[e->kind]);
    jsonw_kstr(w, "verdict", event_verdict_words[e->verdict]);
    known(w, "rule", e->rule);
    known(w, "message", e->message);
    known(w, "path", e->file.path);
    known(w, "capability", e->capability);
    known(w, "protocol", e->net.protocol);
    known(w, "direction", e->net.direction);
    number(w, "local_port", e->net.local_port);
    known(w, "remote", e->net.remote);
    number(w, "remote_port", e->net.remote_port);
    known(w, "remote_name", e->net.remote_name);
    known(w, "remote_service", e->net.remote_service);
    jsonw_object_end(w);
}

/* "/tmp/x <- /usr/bin/sh <- /usr/local/bin/shop": the same in a line. */
static const char *chain_text(struct arena *arena, const struct event *e)
{
    const struct event_process *p = &e->process;
    const char *first = p->exe != NULL ? p->exe : p->name;
    struct buf b;

    buf_init(&b, CHAIN_MAX);
    buf_puts(&b, first != NULL ? first : "");
    if (e->n_chain == 0 && (p->parent_exe != NULL || p->parent_name != NULL))
        buf_printf(&b, " <- %s", p->parent_exe != NULL ? p->parent_exe : p->parent_name);
    for (size_t i = 0; i < e->n_chain && !b.failed; i++)
        buf_printf(&b, " <- %s", e->chain[i].exe != NULL ? e->chain[i].exe : "?");
    const char *text = b.len > 0 && !b.failed ? arena_strndup(arena, b.ptr, b.len) : NULL;
    buf_free(&b);
    return text;
}

/* Who did it, who started that, and so on. */
static void put_chain(struct jsonw *w, const struct event *e)
{
    const struct event_process *p = &e->process;

    jsonw_key(w, "processes");
    jsonw_array(w);
    jsonw_object(w);
    known(w, "exe", p->exe);
    known(w, "name", p->name);
    known(w, "args", p->args);
    known(w, "user", p->user);
    number(w, "uid", p->uid);
    number(w, "pid", p->pid);
    known(w, "sha256", p->sha256);
    jsonw_object_end(w);
    if (e->n_chain == 0 && (p->parent_exe != NULL || p->parent_name != NULL)) {
        jsonw_object(w);
        known(w, "exe", p->parent_exe);
        known(w, "name", p->parent_name);
        number(w, "pid", p->ppid);
        jsonw_object_end(w);
    }
    for (size_t i = 0; i < e->n_chain; i++) {
        jsonw_object(w);
        known(w, "exe", e->chain[i].exe);
        number(w, "pid", e->chain[i].pid);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_container(struct jsonw *w, const struct story *s)
{
    jsonw_key(w, "container");
    jsonw_object(w);
    known(w, "id", s->event->container.id);
    known(w, "name", s->subject->container);
    known(w, "namespace", s->subject->namespace);
    known(w, "pod", s->subject->pod);
    known(w, "workload", s->subject->workload);
    jsonw_object_end(w);
}

static void put_scan(struct jsonw *w, const struct image *image)
{
    const struct { const char *key; int64_t n; } counts[] = {
        { "critical", image->counts.critical }, { "high", image->counts.high }, { "fixable", image->counts.fixable },
        { "kev", image->counts.kev }, { "malware", image->counts.malware }, { "secrets", image->counts.secrets },
    };

    if (image->scanned_ms != TIME_UNKNOWN)
        jsonw_ktime(w, "scanned_at", image->scanned_ms);
    jsonw_kstr(w, "freshness", freshness_words[image->freshness]);
    jsonw_kstr(w, "verdict", decision_words[image->verdict]);
    jsonw_kbool(w, "is_signed", image->is_signed);
    jsonw_key(w, "findings");
    jsonw_object(w);
    for (size_t i = 0; i < N_ITEMS(counts); i++)
        jsonw_kint(w, counts[i].key, counts[i].n);
    jsonw_object_end(w);
}

static int put_image(struct call *c, struct jsonw *w, const struct event_subject *s, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct image image;
    int rc = s->image_id == 0 ? 0 : image_get(c->db, s->image_id, &limits, c->now_ms, c->arena, &image, err);

    if (rc < 0)
        return -1;
    jsonw_key(w, "image");
    jsonw_object(w);
    known(w, "reference", s->image);
    known(w, "repository", s->repository);
    known(w, "digest", s->digest);
    known(w, "known_by", event_image_by_words[s->by]);
    jsonw_kbool(w, "is_known", rc == 1);
    if (rc == 1)
        put_scan(w, &image);
    jsonw_object_end(w);
    return 0;
}

static void put_rule(struct jsonw *w, const struct story *s)
{
    if (s->profile != NULL) {
        jsonw_key(w, "profile");
        jsonw_object(w);
        known(w, "name", s->profile->name);
        known(w, "repository", s->profile->repository);
        known(w, "digest", s->profile->digest);
        jsonw_kstr(w, "mode", profile_mode_words[s->profile->mode]);
        known(w, "expected", s->expected);
        jsonw_object_end(w);
    }
    if (s->policy != NULL) {
        jsonw_key(w, "policy");
        jsonw_object(w);
        known(w, "name", s->policy);
        known(w, "validation", s->validation);
        known(w, "remediation", s->remediation);
        jsonw_object_end(w);
    }
    if (s->n_also == 0)
        return;
    jsonw_key(w, "also");
    jsonw_array(w);
    for (size_t i = 0; i < s->n_also; i++)
        jsonw_str(w, s->also[i]);
    jsonw_array_end(w);
}

static void put_node(struct jsonw *w, const struct story *s)
{
    const struct event_node *n = &s->batch->facts;

    jsonw_key(w, "node");
    jsonw_object(w);
    known(w, "id", n->node_id);
    known(w, "name", n->name != NULL ? n->name : s->event->node);
    known(w, "cluster", n->cluster);
    if (n->bundle_version > 0)
        jsonw_kint(w, "bundle_version", n->bundle_version);
    jsonw_object_end(w);
}

int story_write(struct call *c, const struct story *s, const char **out, struct err *err)
{
    struct jsonw w;
    struct buf b;

    buf_init(&b, STORY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    known(&w, "chain", chain_text(c->arena, s->event));
    known(&w, "args", s->event->process.args);
    put_event(&w, s->event);
    put_chain(&w, s->event);
    put_container(&w, s);
    int rc = put_image(c, &w, s->subject, err);
    put_rule(&w, s);
    put_node(&w, s);
    jsonw_object_end(&w);
    const char *text = rc == 0 && !b.failed ? arena_strndup(c->arena, b.ptr, b.len) : NULL;
    buf_free(&b);
    if (rc == 0 && text == NULL)
        return err_nomem(err);
    if (rc == 0)
        *out = text;
    return rc;
}
