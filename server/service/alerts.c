/* alerts.c - see alerts.h. */
#include "service/alerts.h"

#include "base/crypto.h"
#include "base/time.h"
#include "store/alert.h"
#include "store/event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 16, GRAVEST_BY_RAISING = 1, NEWEST_TEXT = 1024, NOTE_MAX = 1000 };

static void hash_text(struct sha256 *h, const char *s)
{
    sha256_add(h, s != NULL ? s : "", s != NULL ? strlen(s) : 0);
    sha256_add(h, "", 1);
}

void alert_key(const struct alert_signal *s, char out[ALERT_KEY_TEXT])
{
    const char *parts[] = { s->rule, s->subject, s->repository != NULL ? s->repository : s->image, s->cluster, s->namespace, s->workload };
    uint8_t sum[SHA256_LEN];
    struct sha256 h;

    sha256_init(&h);
    sha256_add(&h, &(char){ (char)('0' + s->rule_kind) }, 1);
    for (size_t i = 0; i < N_ITEMS(parts); i++)
        hash_text(&h, parts[i]);
    sha256_done(&h, sum);
    hex_encode(sum, KEY_BYTES, out);
}

int alert_raised_severity(int base, int64_t n_denied)
{
    int raised = base - (n_denied >= 50 ? 2 : n_denied >= 5 ? 1 : 0);

    return raised >= GRAVEST_BY_RAISING || raised == base ? raised : base < GRAVEST_BY_RAISING ? base : GRAVEST_BY_RAISING;
}

/* At most max bytes, never half a character.  NULL is "". */
static const char *cut(struct arena *arena, const char *s, size_t max)
{
    size_t len = s != NULL ? strlen(s) : 0, n = 0;

    if (len <= max)
        return s != NULL ? s : "";
    for (size_t step = 1; step > 0 && n + step <= max; n += step) {
        step = str_utf8_len(s + n, len - n);
        if (step == 0 || n + step > max)
            break;
    }
    return arena_strndup(arena, s, n);
}

/* "9,7,3": the signal's newest in front of those that are there, at most ALERT_NEWEST. */
static const char *newest_of(const struct alert_signal *s, const char *old, struct arena *arena)
{
    struct buf b;
    size_t n = 0;

    buf_init(&b, NEWEST_TEXT);
    for (size_t i = s->n_events; i > 0 && n < ALERT_NEWEST; i--, n++)
        buf_printf(&b, "%s%" PRId64, n > 0 ? "," : "", s->events[i - 1]);
    while (n < ALERT_NEWEST && *old != '\0') {
        size_t len = strcspn(old, ",");
        buf_puts(&b, n++ > 0 ? "," : "");
        buf_put(&b, old, len);
        old += len + (old[len] == ',');
    }
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr != NULL ? b.ptr : "", b.len);
    buf_free(&b);
    return text;
}

static int insert(struct db *db, const struct alert_signal *s, const char *key, int64_t now_ms, struct arena *arena, int64_t *id,
                  struct err *err)
{
    struct alert_row row = {
        .dedupe = key, .state = ALERT_OPEN, .rule = cut(arena, s->rule, 200), .rule_kind = s->rule_kind,
        .subject = cut(arena, s->subject, ALERT_SUBJECT_MAX), .title = cut(arena, s->title, ALERT_TITLE_MAX), .base_severity = s->severity,
        .severity = alert_raised_severity(s->severity, s->n_denied), .image_id = s->image_id,
        .repository = cut(arena, s->repository != NULL || s->rule_kind == ALERT_NODE ? s->repository : s->image, 512),
        .digest = cut(arena, s->digest, DIGEST_LEN), .cluster = cut(arena, s->cluster, 253), .namespace = cut(arena, s->namespace, 253),
        .workload = cut(arena, s->workload, 253), .node = s->node, .n = s->n, .n_denied = s->n_denied, .episode = 1,
        .first_ms = s->first_ms, .last_ms = s->last_ms, .changed_ms = now_ms, .changed_by = "", .note = "",
        .newest = newest_of(s, "", arena), .story = s->story != NULL ? s->story : "{}",
    };
    const char *const texts[] = { row.rule, row.subject, row.title, row.repository, row.digest, row.cluster, row.namespace, row.workload,
                                  row.newest };

    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        if (texts[i] == NULL)
            return err_nomem(err);
    }
    if (alert_insert(db, &row, err) != 0)
        return -1;
    *id = row.id;
    return 0;
}

/* It was resolved: a new episode, with what was said then. */
static int reopen(struct alert_row *row, const struct alert_signal *s, int64_t now_ms, struct arena *arena, struct err *err)
{
    const char *note = *row->note != '\0'
        ? arena_printf(arena, "came back after %s had resolved it: %s", row->changed_by, cut(arena, row->note, NOTE_MAX))
        : arena_printf(arena, "came back after %s had resolved it", row->changed_by);

    if (note == NULL)
        return err_nomem(err);
    row->state = ALERT_OPEN;
    row->episode++;
    row->changed_ms = now_ms;
    row->changed_by = "";
    row->note = note;
    row->n_denied = 0;
    row->base_severity = s->severity;
    if (s->story != NULL)
        row->story = s->story;
    return 0;
}

static int add_to(struct db *db, const struct alert_signal *s, struct alert_row *row, int64_t now_ms, struct arena *arena, struct err *err)
{
    if (row->state == ALERT_RESOLVED && reopen(row, s, now_ms, arena, err) != 0)
        return -1;
    row->n += s->n;
    row->n_denied += s->n_denied;
    if (s->severity < row->base_severity)
        row->base_severity = s->severity;
    row->severity = alert_raised_severity(row->base_severity, row->n_denied);
    if (s->last_ms > row->last_ms)
        row->last_ms = s->last_ms;
    if (s->image_id != 0) {
        row->image_id = s->image_id;
        row->digest = s->digest != NULL ? s->digest : row->digest;
    }
    row->node = s->node != 0 ? s->node : row->node;
    row->newest = newest_of(s, row->newest, arena);
    return row->newest == NULL ? err_nomem(err) : alert_update(db, row, err);
}

int alert_add(struct db *db, const struct alert_signal *s, int64_t now_ms, struct arena *arena, int64_t *id, struct err *err)
{
    char key[ALERT_KEY_TEXT];
    struct alert_row row;

    alert_key(s, key);
    int rc = alert_find(db, key, arena, &row, err);
    if (rc != 1)
        return rc;
    if (add_to(db, s, &row, now_ms, arena, err) != 0)
        return -1;
    if (id != NULL)
        *id = row.id;
    return 1;
}

int alert_raise(struct db *db, const struct alert_signal *s, int64_t now_ms, struct arena *arena, int64_t *id, struct err *err)
{
    char key[ALERT_KEY_TEXT];
    int64_t made = 0;
    int rc = alert_add(db, s, now_ms, arena, id, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    alert_key(s, key);
    if (insert(db, s, key, now_ms, arena, &made, err) != 0)
        return -1;
    if (id != NULL)
        *id = made;
    return 0;
}

const struct alert_signal alert_flood = {
    .rule_kind = ALERT_NODE, .rule = "node/alert_flood", .subject = "", .severity = 4,
    .title = "more different alerts than are kept of one node; the rest are counted here",
};

int alert_node(struct db *db, int64_t node, const char *rule, const char *subject, int severity, const char *title,
               int64_t now_ms, struct arena *arena, struct err *err)
{
    struct event_node facts;

    if (event_node_get(db, node, arena, &facts, err) != 0)
        return -1;
    const char *full = arena_printf(arena, "%s: %s", facts.name, title);
    if (full == NULL)
        return err_nomem(err);
    const struct alert_signal s = {
        .rule_kind = ALERT_NODE, .rule = rule, .subject = subject, .title = full, .severity = severity, .image = facts.node_id,
        .cluster = facts.cluster, .node = node, .n = 1, .first_ms = now_ms, .last_ms = now_ms,
    };
    return alert_raise(db, &s, now_ms, arena, NULL, err);
}
