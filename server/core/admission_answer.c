/* admission_answer.c - what is answered, and how it is written; see admission.h. */
#include "core/admission.h"

#include "base/str.h"
#include "wire/jsonw.h"
#include "wire/msg/admission.h"

#include <string.h>

enum {
    REASON_CHARS = 600, RULES_NAMED = 20, NOTE_CHARS = 1000, WARNING_N_MAX = 400,
    MESSAGE_TAIL = 64,                    /* room for "and N more" */
    NOTE_KEY_MAX = 63, ANNOTATIONS_MAX = 20, NOTES_MAX = ADMISSION_DIGESTS_MAX + 9 + ANNOTATIONS_MAX,
};

/* ---- texts other programs check ------------------------------------------------------ */

/* C0, DEL and C1: what makes Go's http library drop a header. */
static bool is_control(const unsigned char *s, size_t len)
{
    return (len == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (len == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* The text on one line: runs of control characters and blanks are one blank; at
 * most max characters, the last three dots when there was more.  *chars counts. */
static char *clean(struct arena *arena, const char *text, size_t max, size_t *chars)
{
    size_t len = strlen(text), bound = max * 4 + 1;
    char *out = arena_bytes(arena, (len < bound ? len : bound) + 4);
    size_t n = 0, count = 0, at = 0, room_n = 0, room_count = 0;
    bool blank = true;                    /* none in front */

    if (out == NULL)
        return NULL;
    while (at < len && count <= max) {
        size_t step = str_utf8_len(text + at, len - at);
        bool bad = step == 0, control = !bad && (is_control((const unsigned char *)text + at, step) || text[at] == ' ');
        if (count == max - 3) {
            room_n = n;
            room_count = count;
        }
        if (!control) {
            memcpy(out + n, bad ? "?" : text + at, bad ? 1 : step);
            n += bad ? 1 : step;
            count++;
        } else if (!blank) {
            out[n++] = ' ';
            count++;
        }
        blank = control;
        at += bad ? 1 : step;
    }
    if (count > max) {
        memcpy(out + room_n, "...", 3);
        n = room_n + 3;
        count = room_count + 3;
    }
    out[n] = '\0';
    *chars = count;
    return out;
}

static bool is_refusal(const struct reason *r)
{
    return r->effect == DECISION_FAIL || r->effect == DECISION_UNKNOWN;
}

/* The same said of the same place: an image nobody knows breaks many rules at once. */
static bool says_the_same(const struct reason *a, const struct reason *b)
{
    return is_refusal(a) == is_refusal(b) && str_eq(a->message, b->message) && str_eq(a->where, b->where);
}

/* "policy/rule, other/rule: what in container app (ref) (fix: ...)"; marks what it
 * covers in `done` and counts it. */
static const char *said_at(const struct admission_case *in, size_t at, bool with_fix, bool *done, size_t *covered, struct arena *arena)
{
    const struct reason *r = &in->reasons[at];
    size_t n = 0;
    struct buf b;

    buf_init(&b, 64 << 10);
    for (size_t i = at; i < in->n_reasons; i++) {
        const struct reason *other = &in->reasons[i];
        if (done[i] || !says_the_same(r, other))
            continue;
        done[i] = true;
        if (n++ < RULES_NAMED)
            buf_printf(&b, "%s%s/%s", n > 1 ? ", " : "", other->policy, other->rule);
    }
    if (n > RULES_NAMED)
        buf_printf(&b, " and %zu more", n - RULES_NAMED);
    buf_printf(&b, ": %s%s%s", r->message, r->where != NULL ? " in " : "", r->where != NULL ? r->where : "");
    if (with_fix && n == 1 && r->remediation != NULL)
        buf_printf(&b, " (fix: %s)", r->remediation);
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    *covered += n;
    return text;
}

/* All that refuses in one text: the API server shows only one message of all webhooks. */
static const char *message_of(const struct admission_case *in, struct arena *arena)
{
    bool *done = arena_array(arena, in->n_reasons, sizeof *done);
    size_t all = 0, covered = 0, chars;
    struct buf b;

    if (done == NULL)
        return NULL;
    buf_init(&b, ADMISSION_MESSAGE_MAX + 1);
    for (size_t i = 0; i < in->n_reasons; i++)
        all += is_refusal(&in->reasons[i]);
    for (size_t i = 0, before; i < in->n_reasons; i++) {
        if (done[i] || !is_refusal(&in->reasons[i]))
            continue;
        before = covered;
        const char *text = said_at(in, i, true, done, &covered, arena);
        if (text != NULL)
            text = clean(arena, text, REASON_CHARS, &chars);
        if (text == NULL || b.len + strlen(text) + 2 + MESSAGE_TAIL > ADMISSION_MESSAGE_MAX) {
            buf_printf(&b, "%sand %zu more", b.len > 0 ? "; " : "", all - before);
            break;
        }
        buf_printf(&b, "%s%s", b.len > 0 ? "; " : "", text);
    }
    const char *message = b.failed || b.ptr == NULL ? "refused" : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return message;
}

/* ---- warnings -------------------------------------------------------------------------- */

struct warnings {
    struct arena *arena;
    const char **items;
    size_t n, chars, left_out;
    bool failed;
};

static void warn(struct warnings *w, const char *text)
{
    size_t chars = 0;
    const char *line = text != NULL ? clean(w->arena, text, ADMISSION_WARNING_MAX, &chars) : NULL;

    if (line == NULL) {
        w->failed = true;
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        if (str_eq(w->items[i], line))
            return;
    }
    if (w->n >= WARNING_N_MAX || w->chars + chars + ADMISSION_WARNING_MAX > ADMISSION_WARNINGS_MAX) {
        w->left_out++;
        return;
    }
    w->items[w->n++] = line;
    w->chars += chars;
}

static void warn_rest(struct warnings *w)
{
    if (w->left_out == 0)
        return;
    size_t n = w->left_out;
    w->chars = 0;                         /* its room was kept */
    warn(w, arena_printf(w->arena, "Keep: %zu more warnings are not shown", n));
}

static void warn_reasons(struct warnings *w, const struct admission_case *in, bool refusals, const char *prefix)
{
    bool *done = arena_array(w->arena, in->n_reasons, sizeof *done);

    w->failed |= done == NULL;
    for (size_t i = 0; i < in->n_reasons && !w->failed; i++) {
        size_t covered = 0;
        if (done[i] || is_refusal(&in->reasons[i]) != refusals)
            continue;
        if (w->left_out > 0) {            /* none after it would fit, either */
            w->left_out++;
            continue;
        }
        const char *text = said_at(in, i, false, done, &covered, w->arena);
        warn(w, text != NULL ? arena_printf(w->arena, "%s%s", prefix, text) : NULL);
    }
}

/* ---- audit annotations -------------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

struct notes {
    struct arena *arena;
    struct admission_note *items;
    size_t n;
    bool failed;
};

static void note(struct notes *t, const char *key, const char *value)
{
    size_t chars;
    const char *line = key != NULL && value != NULL ? clean(t->arena, value, NOTE_CHARS, &chars) : NULL;

    if (line == NULL)
        t->failed = true;
    else if (t->n < NOTES_MAX)
        t->items[t->n++] = (struct admission_note){ key, line };
}

enum image_list { IMAGES_BY_TAG, IMAGES_UNKNOWN };

static void note_images(struct notes *t, const char *key, const struct admission_case *in, enum image_list which)
{
    struct buf b;

    buf_init(&b, 16 << 10);
    for (size_t i = 0; i < in->n_images && b.len < 4 * NOTE_CHARS; i++) {
        const struct admission_image *m = &in->images[i];
        if (which == IMAGES_UNKNOWN ? m->is_known : !m->is_known || !m->by_tag)
            continue;
        buf_printf(&b, "%s%.300s%s%s", b.len > 0 ? ", " : "", m->reference, which == IMAGES_BY_TAG ? "=" : "",
                   which == IMAGES_BY_TAG ? m->digest : "");
    }
    if (b.len > 0)
        note(t, key, b.ptr);
    buf_free(&b);
}

/* "policy/rule, ..." of those that decide against it, or that are only audited. */
static void note_rules(struct notes *t, const char *key, const struct reason *reasons, size_t n, bool all)
{
    const struct reason *last = NULL;
    struct buf b;

    buf_init(&b, 16 << 10);
    for (size_t i = 0; i < n && b.len < 4 * NOTE_CHARS; i++) {
        const struct reason *r = &reasons[i];
        if ((!all && !is_refusal(r)) || (last != NULL && str_eq(last->policy, r->policy) && str_eq(last->rule, r->rule)))
            continue;
        buf_printf(&b, "%s%s/%s", b.len > 0 ? ", " : "", r->policy, r->rule);
        last = r;
    }
    if (b.len > 0)
        note(t, key, b.ptr);
    buf_free(&b);
}

/* The API server puts the webhook's name and a slash before the key, so it must be the name
 * part of a qualified name, and be there once. */
static bool is_note_key(const struct notes *t, const char *key)
{
    size_t n = strlen(key);

    if (n == 0 || n > NOTE_KEY_MAX || !is_alnum(key[0]) || !is_alnum(key[n - 1]))
        return false;
    for (const char *s = key; *s != '\0'; s++) {
        if (!is_alnum(*s) && strchr("-_.", *s) == NULL)
            return false;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->items[i].key, key))
            return false;
    }
    return true;
}

/* POLICY.KEY: VALUE; where that is no key, annotation-N: POLICY/KEY: VALUE. */
static void note_annotations(struct notes *t, const struct admission_case *in)
{
    for (size_t i = 0; i < in->n_annotations && i < ANNOTATIONS_MAX; i++) {
        const struct verdict_annotation *a = &in->annotations[i];
        const char *key = arena_printf(t->arena, "%.64s.%.64s", a->policy, a->key);
        const char *whole = arena_printf(t->arena, "%.64s/%.64s: %.4000s", a->policy, a->key, a->value);
        if (key == NULL || whole == NULL)
            t->failed = true;
        else if (is_note_key(t, key))
            note(t, key, a->value);
        else
            note(t, arena_printf(t->arena, "annotation-%zu", i), whole);
    }
}

static void note_all(struct notes *t, const struct admission_case *in, const struct admission_answer *a)
{
    note(t, "verdict", admission_outcome_words[a->outcome]);
    if (in->review->skip != ADMISSION_JUDGED) {
        note(t, "untouched", admission_skip_words[in->review->skip]);
        return;
    }
    note(t, "policy-version", arena_printf(t->arena, "%lld", (long long)in->policy_version));
    if (a->break_glass != NULL)
        note(t, "break-glass", a->break_glass);
    note_rules(t, "rules", in->reasons, in->n_reasons, false);
    note_rules(t, "audited", in->audited, in->n_audited, true);
    note_images(t, "resolved-by-tag", in, IMAGES_BY_TAG);
    note_images(t, "unknown-images", in, IMAGES_UNKNOWN);
    for (size_t i = 0, n = 0; i < in->n_images && n < ADMISSION_DIGESTS_MAX; i++) {
        if (in->images[i].digest != NULL)
            note(t, arena_printf(t->arena, "digest-%zu", n++), in->images[i].digest);
    }
    note_annotations(t, in);
}

/* ---- deciding --------------------------------------------------------------------------------- */

static void outcome_of(const struct admission_case *in, struct admission_answer *a)
{
    const struct admission_review *r = in->review;
    bool refused = in->decision == DECISION_FAIL || in->decision == DECISION_UNKNOWN;

    a->break_glass = refused && in->may_break_glass ? admission_break_glass(r) : NULL;
    if (r->skip != ADMISSION_JUDGED)
        a->outcome = ADMISSION_UNTOUCHED;
    else if (refused && (in->refuse_nothing || (!r->workload.is_pod && !in->refuse_controllers)))
        a->outcome = ADMISSION_WARNED;
    else if (refused)
        a->outcome = a->break_glass != NULL ? ADMISSION_GLASS_BROKEN : ADMISSION_DENIED;
    else
        a->outcome = in->decision == DECISION_PASS ? ADMISSION_ALLOWED : ADMISSION_WARNED;
    a->allowed = a->outcome != ADMISSION_DENIED;
    if (a->outcome != ADMISSION_GLASS_BROKEN)
        a->break_glass = NULL;
}

static void warn_all(struct warnings *w, const struct admission_case *in, const struct admission_answer *a)
{
    if (a->outcome == ADMISSION_GLASS_BROKEN) {
        warn(w, arena_printf(w->arena, "Keep: allowed by break-glass, recorded: %s", a->break_glass));
        warn_reasons(w, in, true, "would be refused: ");
    } else if (a->outcome == ADMISSION_WARNED) {
        warn_reasons(w, in, true, in->review->workload.is_pod ? "would be refused: " : "its pods would be refused: ");
    }
    warn_reasons(w, in, false, "");
    warn_rest(w);
}

int admission_decide(const struct admission_case *in, struct arena *arena, struct admission_answer *out, struct err *err)
{
    struct admission_answer a = { .outcome = ADMISSION_DENIED };
    struct warnings w = { .arena = arena, .items = arena_array(arena, WARNING_N_MAX + 1, sizeof *w.items) };
    struct notes t = { .arena = arena, .items = arena_array(arena, NOTES_MAX, sizeof *t.items) };

    if (w.items == NULL || t.items == NULL)
        return err_nomem(err);
    outcome_of(in, &a);
    if (a.outcome == ADMISSION_DENIED || a.outcome == ADMISSION_GLASS_BROKEN)
        a.message = message_of(in, arena);
    if (a.outcome != ADMISSION_UNTOUCHED)
        warn_all(&w, in, &a);
    note_all(&t, in, &a);
    if (w.failed || t.failed || (a.outcome == ADMISSION_DENIED && a.message == NULL))
        return err_nomem(err);
    a.warnings = w.items;
    a.n_warnings = w.n;
    a.notes = t.items;
    a.n_notes = t.n;
    *out = a;
    return 0;
}

int reasons_merge(const struct reason *a, size_t n_a, const struct reason *b, size_t n_b, struct arena *arena,
                  const struct reason **out, struct err *err)
{
    static const int weight[DECISION_N] = { [DECISION_FAIL] = 0, [DECISION_UNKNOWN] = 1, [DECISION_WARN] = 2, [DECISION_PASS] = 3 };
    struct reason *all = arena_array(arena, n_a + n_b, sizeof *all);
    size_t i = 0, k = 0, n = 0;

    if (all == NULL)
        return err_nomem(err);
    while (i < n_a || k < n_b) {
        bool first = k == n_b || (i < n_a && weight[a[i].effect] <= weight[b[k].effect]);
        all[n++] = first ? a[i++] : b[k++];
    }
    *out = all;
    return 0;
}

/* ---- writing ------------------------------------------------------------------------------------- */

static void write_notes(struct jsonw *w, const struct admission_answer *a)
{
    if (a->n_notes == 0)
        return;
    jsonw_key(w, "auditAnnotations");
    jsonw_object(w);
    for (size_t i = 0; i < a->n_notes; i++)
        jsonw_kstr(w, a->notes[i].key, a->notes[i].value);
    jsonw_object_end(w);
}

static void write_response(struct jsonw *w, const struct admission_review *r, const struct admission_answer *a)
{
    jsonw_key(w, "response");
    jsonw_object(w);
    jsonw_kstr(w, "uid", r->uid);
    jsonw_kbool(w, "allowed", a->allowed);
    if (!a->allowed) {
        jsonw_key(w, "status");
        jsonw_object(w);
        jsonw_kint(w, "code", 403);
        jsonw_kstr(w, "reason", "Forbidden");
        jsonw_kstr(w, "message", a->message);
        jsonw_object_end(w);
    }
    if (a->n_warnings > 0) {
        jsonw_key(w, "warnings");
        jsonw_array(w);
        for (size_t i = 0; i < a->n_warnings; i++)
            jsonw_str(w, a->warnings[i]);
        jsonw_array_end(w);
    }
    write_notes(w, a);
    jsonw_object_end(w);
}

static void write_image_status(struct jsonw *w, const struct admission_answer *a)
{
    jsonw_key(w, "status");
    jsonw_object(w);
    jsonw_kbool(w, "allowed", a->allowed);
    if (a->message != NULL)
        jsonw_kstr(w, "reason", a->message);
    write_notes(w, a);
    jsonw_object_end(w);
}

void admission_write(const struct admission_review *review, const struct admission_answer *answer, struct buf *b)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "kind", review->kind);
    jsonw_kstr(&w, "apiVersion", review->api_version);
    if (review->image_spec != NULL)
        write_image_status(&w, answer);
    else
        write_response(&w, review, answer);
    jsonw_object_end(&w);
}
