/* found.c - what was found of a container; the first to say something is right. */
#include "agent/inventory/census.h"

#include "base/str.h"
#include "base/time.h"

#include <string.h>

/* ---- by id ------------------------------------------------------------------------------ */

static size_t slot_of(const struct census *s, const char *id)
{
    uint32_t hash = 2166136261u;

    for (const char *p = id; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    size_t at = hash % CENSUS_SLOTS;
    while (s->slots[at] != NULL && !str_eq(s->slots[at]->c.id, id))
        at = (at + 1) % CENSUS_SLOTS;
    return at;
}

/* Engines allow letters, digits and "_.-"; anything else is no container's name. */
static bool is_id(const char *id)
{
    size_t len = strlen(id);

    for (size_t i = 0; i < len; i++) {
        char c = id[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (i == 0 || (c != '_' && c != '.' && c != '-' && c != '+')))
            return false;
    }
    return len >= 1 && len <= CONTAINER_ID_MAX;
}

struct found *found_get(struct census *s, const char *id)
{
    return id == NULL || *id == '\0' ? NULL : s->slots[slot_of(s, id)];
}

struct found *found_at(struct census *s, const char *id)
{
    if (id == NULL || !is_id(id))
        return NULL;
    size_t at = slot_of(s, id);
    if (s->slots[at] != NULL) {
        s->engine->n++;
        return s->slots[at];
    }
    if (s->n == 2 * CONTAINERS_MAX) {                      /* half of them may have ended */
        s->n_left_out++;
        return NULL;
    }
    struct found *f = arena_alloc(s->arena, sizeof *f);
    const char *copy = arena_strdup(s->arena, id);
    if (f == NULL || copy == NULL) {
        s->failed = true;
        return NULL;
    }
    f->c = (struct container){ .id = copy, .engine = s->engine->name, .user_id = -1, .group_id = -1, .started_ms = TIME_UNKNOWN };
    s->engine->n++;
    s->slots[at] = f;
    s->all[s->n++] = f;
    return f;
}

/* ---- texts ------------------------------------------------------------------------------- */

/* As many whole characters as fit. */
static const char *copy_text(struct census *s, const char *text, size_t max)
{
    size_t len = strlen(text), n = 0, step;

    while (n < len && (step = str_utf8_len(text + n, len - n)) > 0 && n + step <= max)
        n += step;
    const char *copy = arena_strndup(s->arena, text, n);
    s->failed |= copy == NULL;
    return copy;
}

void found_text(struct census *s, const char **field, const char *text)
{
    if ((*field == NULL || **field == '\0') && text != NULL && *text != '\0')
        *field = copy_text(s, text, CONTAINER_TEXT_MAX);
}

void found_digest(struct census *s, const char **field, const char *text)
{
    char whole[DIGEST_LEN + 1];

    if (*field != NULL || text == NULL)
        return;
    if (strlen(text) == DIGEST_LEN - 7) {
        memcpy(whole, "sha256:", 7);
        memcpy(whole + 7, text, DIGEST_LEN - 6);
        text = whole;
    }
    if (digest_is_valid(text))
        *field = copy_text(s, text, DIGEST_LEN);
}

void found_image(struct census *s, struct found *f, const char *reference)
{
    if (reference == NULL || *reference == '\0')
        return;
    const char *at = strrchr(reference, '@');
    if (at != NULL)
        found_digest(s, &f->c.digest, at + 1);
    found_text(s, &f->c.image, reference);
}

/* An empty argument is shown as it is typed. */
static const char *copy_word(struct census *s, const char *text)
{
    return *text == '\0' ? "''" : copy_text(s, text, CONTAINER_WORD_MAX);
}

void found_words(struct census *s, const char *const **field, size_t *n, const struct json *list, size_t max)
{
    size_t want = json_len(list) < max ? json_len(list) : max, kept = 0;

    if (*n > 0 || want == 0)
        return;
    const char **words = arena_array(s->arena, want, sizeof *words);
    if (words == NULL) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < want; i++) {
        const char *word = json_str(json_at(list, (uint32_t)i), NULL);
        if (word != NULL && (words[kept] = copy_word(s, word)) != NULL)
            kept++;
    }
    *field = words;
    *n = kept;
}

static bool has_label(const struct found *f, const char *key, size_t len)
{
    for (size_t i = 0; i < f->c.n_labels; i++)
        if (strncmp(f->c.labels[i], key, len) == 0 && f->c.labels[i][len] == '=')
            return true;
    return false;
}

void found_label(struct census *s, struct found *f, const char *key, const char *value)
{
    size_t len = strlen(key);

    if (len == 0 || len > 253 || strchr(key, '=') != NULL || f->c.n_labels == CONTAINER_LABELS_MAX || has_label(f, key, len))
        return;
    const char **labels = (const char **)(uintptr_t)f->c.labels;
    if (labels == NULL && (labels = arena_array(s->arena, CONTAINER_LABELS_MAX, sizeof *labels)) == NULL) {
        s->failed = true;
        return;
    }
    f->c.labels = labels;
    const char *whole = arena_printf(&s->scratch, "%s=%s", key, value);
    const char *copy = whole == NULL ? NULL : copy_text(s, whole, CONTAINER_TEXT_MAX);
    if (copy != NULL)
        labels[f->c.n_labels++] = copy;
}

void found_labels(struct census *s, struct found *f, const struct json *object)
{
    for (uint32_t i = 0; i < json_n_members(object); i++) {
        const char *value = json_str(&object->members[i].value, NULL);
        if (value != NULL)
            found_label(s, f, object->members[i].key, value);
    }
}

void found_unknown(struct census *s, struct found *f, const char *part)
{
    enum { PARTS_MAX = 8 };
    const char **parts = (const char **)(uintptr_t)f->c.unknown;

    if (parts == NULL && (parts = arena_array(s->arena, PARTS_MAX, sizeof *parts)) == NULL) {
        s->failed = true;
        return;
    }
    f->c.unknown = parts;
    if (f->c.n_unknown < PARTS_MAX)
        parts[f->c.n_unknown++] = part;
}

/* ---- the rest ----------------------------------------------------------------------------- */

void found_pid(struct found *f, int64_t pid, int64_t start_ticks)
{
    if (pid > 0 && !f->has_pid) {
        f->c.pid = pid;
        f->has_pid = true;
    }
    if (pid > 0 && pid == f->c.pid && f->c.start_ticks == 0)
        f->c.start_ticks = start_ticks;
}

void found_started(struct found *f, const char *rfc3339)
{
    int64_t at;

    if (f->c.started_ms == TIME_UNKNOWN && rfc3339 != NULL && time_parse(rfc3339, &at))
        f->c.started_ms = at;
}

/* By what shims, runtime types and programs are called: the last part of a path, or of
 * "io.containerd.runsc.v1". */
void found_runtime(struct census *s, struct found *f, const char *name)
{
    static const struct { const char *part, *runtime, *sandbox; } rows[] = {
        { "runsc", "runsc", "gvisor" }, { "gvisor", "runsc", "gvisor" }, { "firecracker", "firecracker", "firecracker" },
        { "kata-fc", "kata", "firecracker" }, { "kata", "kata", "kata" }, { "youki", "youki", NULL }, { "crun", "crun", NULL },
        { "runc", "runc", NULL },
    };

    if (name == NULL || *name == '\0')
        return;
    const char *slash = strrchr(name, '/'), *last = slash != NULL ? slash + 1 : name;
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (strstr(last, rows[i].part) == NULL)
            continue;
        if (rows[i].sandbox != NULL)
            found_text(s, &f->c.sandbox, rows[i].sandbox);
        found_text(s, &f->c.runtime, rows[i].runtime);
        return;
    }
    found_text(s, &f->c.runtime, last);
}
