/* rows.c - see decode.h: adding packages, findings, issues, and names of the image. */
#include "wire/reports/decode.h"

#include <math.h>
#include <string.h>

/* Rows double in the arena: at most twice the final size is spent, no row is
 * ever freed alone. */
static void *grown(struct decode *d, void *rows, size_t n, size_t *cap, size_t size, size_t max, const char *what)
{
    if (d->failed)
        return NULL;
    if (n == max) {
        decode_fail(d, NULL, ERR_TOO_LARGE, "more than %zu %s", max, what);
        return NULL;
    }
    size_t expected = d->expected, more = *cap == 0 ? 16 : *cap * 2;
    d->expected = 0;
    if (n < *cap)
        return rows;
    if (more < n + expected)
        more = n + expected;
    void *bigger = arena_array(d->arena, more, size);
    if (bigger == NULL)
        return decode_nomem(d), NULL;
    if (n > 0)
        memcpy(bigger, rows, n * size);
    *cap = more;
    return bigger;
}

void decode_expect(struct decode *d, const struct json *list)
{
    d->expected = json_len(list) < MAX_PACKAGES ? json_len(list) : MAX_PACKAGES;
}

struct package *decode_add_package(struct decode *d)
{
    struct scan *s = d->scan;
    struct package *rows = grown(d, s->packages, s->n_packages, &d->cap_packages, sizeof *rows,
                                 MAX_PACKAGES, "packages");

    if (rows == NULL)
        return NULL;
    s->packages = rows;
    return &rows[s->n_packages++];
}

struct finding *decode_add_finding(struct decode *d, const char *id)
{
    struct scan *s = d->scan;
    struct finding *rows = grown(d, s->findings, s->n_findings, &d->cap_findings, sizeof *rows,
                                 MAX_FINDINGS, "findings");

    if (rows == NULL)
        return NULL;
    s->findings = rows;
    struct finding *f = &rows[s->n_findings++];
    *f = (struct finding){ .id = id != NULL ? id : NO_ID, .package = NO_PACKAGE,
                           .published_ms = TIME_UNKNOWN, .epss = -1 };
    return f;
}

struct issue *decode_add_issue(struct decode *d, enum issue_kind kind, const char *id)
{
    struct scan *s = d->scan;
    struct issue *rows = grown(d, s->issues, s->n_issues, &d->cap_issues, sizeof *rows, MAX_ISSUES, "issues");

    if (rows == NULL)
        return NULL;
    s->issues = rows;
    struct issue *i = &rows[s->n_issues++];
    *i = (struct issue){ .kind = kind, .id = id != NULL ? id : NO_ID };
    return i;
}

void decode_add_name(struct decode *d, const char ***list, size_t *n, const char *name)
{
    if (name == NULL || *name == '\0' || d->failed)
        return;
    for (size_t i = 0; i < *n; i++) {
        if (strcmp((*list)[i], name) == 0)
            return;
    }
    if (*n == MAX_NAMES) {
        d->scan->n_unmapped++;
        return;
    }
    if ((*n & (*n - 1)) == 0) {             /* 0, 1, 2, 4 ... : full */
        const char **more = arena_array(d->arena, *n == 0 ? 1 : *n * 2, sizeof *more);
        if (more == NULL) {
            decode_nomem(d);
            return;
        }
        if (*n > 0)
            memcpy(more, *list, *n * sizeof *more);
        *list = more;
    }
    (*list)[(*n)++] = name;
}

void finding_add_alias(struct decode *d, struct finding *f, const char *name)
{
    if (name != NULL && strcmp(name, f->id) != 0)
        decode_add_name(d, &f->aliases, &f->n_aliases, name);
}

void finding_add_cvss(struct decode *d, struct finding *f, const char *source, const char *vector, double claimed)
{
    int tenths = claimed >= 0 && claimed <= 10 ? (int)lround(claimed * 10) : -1;

    if (vector == NULL && tenths <= 0)       /* 0 without a vector is Go's "not set" */
        return;
    for (size_t i = 0; i < f->n_cvss; i++) {
        if (str_eq(f->cvss[i].vector, vector) && str_eq(f->cvss[i].source, source))
            return;
    }
    if (f->n_cvss == CVSS_MAX) {
        d->scan->n_unmapped++;
        return;
    }
    f->cvss[f->n_cvss++] = (struct cvss){ .source = source, .vector = vector, .score = -1, .claimed = tenths };
}

void finding_set_package(struct decode *d, struct finding *f, size_t index)
{
    if (index >= d->scan->n_packages)
        return;
    f->package = index;
    f->package_name = d->scan->packages[index].name;
    f->package_version = d->scan->packages[index].version;
}

void finding_set_severity(struct finding *f, const char *word, const char *source)
{
    f->severity = severity_from_word(word);
    f->severity_word = word;
    f->severity_source = source;
}

void finding_default_status(struct finding *f)
{
    f->status = f->fixed_version != NULL ? STATUS_FIXED : STATUS_AFFECTED;
}

const char *decode_masked(struct decode *d, const char *match)
{
    if (match == NULL)
        return NULL;
    return decode_printf(d, "masked (%zu bytes)", strlen(match));
}

/* ---- the image -------------------------------------------------------------- */

void image_add_digest(struct decode *d, const char *text)
{
    if (text == NULL)
        return;
    const char *at = strrchr(text, '@');
    const char *digest = at != NULL ? at + 1 : text;
    if (digest_is_valid(digest))
        decode_add_name(d, &d->scan->image.digests, &d->scan->image.n_digests, digest);
    else
        d->scan->n_unmapped++;
}

void image_set_config(struct decode *d, const char *digest)
{
    if (digest == NULL)
        return;
    if (digest_is_valid(digest))
        d->scan->image.config_digest = digest;
    else
        d->scan->n_unmapped++;
}

static bool has_tag(const char *reference)
{
    const char *slash = strrchr(reference, '/');

    return strchr(slash != NULL ? slash : reference, ':') != NULL;
}

void image_add_name(struct decode *d, const char *text)
{
    struct report_image *image = &d->scan->image;

    if (text == NULL)
        return;
    const char *at = strchr(text, '@');
    if (at != NULL)
        image_add_digest(d, text);
    const char *name = at != NULL ? decode_strndup(d, text, (size_t)(at - text)) : text;
    if (name != NULL && has_tag(name) && !digest_is_valid(name))
        decode_add_name(d, &image->tags, &image->n_tags, name);
}

void image_set_reference(struct decode *d, const char *text)
{
    if (text == NULL)
        return;
    if (d->scan->image.reference == NULL)
        d->scan->image.reference = text;
    image_add_name(d, text);
}

void image_set_os(struct decode *d, const char *family, const char *version)
{
    if (d->scan->image.os_family == NULL && family != NULL) {
        d->scan->image.os_family = family;
        d->scan->image.os_version = version;
    }
}
