/* scans_rows.h - of the conformance program scans: a row of expected.tsv, the
 * rules that explain differences, and what they need to know of a document. */
#ifndef KEEP_TESTS_SCANS_ROWS_H
#define KEEP_TESTS_SCANS_ROWS_H

#include "base/err.h"
#include "base/str.h"
#include "wire/purl.h"
#include "wire/report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column { C_KIND, C_FILE, C_REPO, C_PATH, C_LICENCE, C_BYTES, C_SHA, C_FORMAT, C_DETAIL, C_PACKAGES, C_FINDINGS,
              C_UNIQUE, C_MISCONF, C_SECRETS, C_LICENCES, C_SEVERITIES, C_NOTE, C_N };

struct row {
    char *col[C_N];
    const char *text;
    size_t len;
    struct arena *arena;
    bool agrees;
    struct json doc;              /* of JSON files */
    bool has_doc;
};

/* ---- rules ----------------------------------------------------------------------- */

enum rule { RULE_CLAIR_PAIRS, RULE_CLAIR_IDS, RULE_CDX_AFFECTS, RULE_SARIF_KINDS, RULE_SARIF_INDEX, RULE_GITLAB_KINDS,
            RULE_INVALID_PURL, RULE_IGNORED, RULE_SUBJECT_DIGEST, RULE_NO_ENVELOPE, RULE_ONE_SIGNATURE, RULE_TIMES, RULE_N };

static const struct { const char *name, *why; } rules[RULE_N] = {
    [RULE_CLAIR_PAIRS] = { "clair-pairs", "a finding is a vulnerability of a package; expected counts vulnerabilities" },
    [RULE_CLAIR_IDS] = { "clair-ids", "expected counts Clair's internal ids; ours are the names (CVE-...)" },
    [RULE_CDX_AFFECTS] = { "cyclonedx-affects", "one finding per component of the document a vulnerability affects" },
    [RULE_SARIF_KINDS] = { "sarif-kinds", "misconfigurations, secrets and licences of a SARIF are issues, not findings" },
    [RULE_SARIF_INDEX] = { "sarif-index", "a result without ruleId has its rule's id through ruleIndex or rule.id" },
    [RULE_GITLAB_KINDS] = { "gitlab-kinds", "secrets of a GitLab report are issues, not findings" },
    [RULE_INVALID_PURL] = { "invalid-purl", "a text that is no package URL is not kept as one" },
    [RULE_IGNORED] = { "ignored", "what the producer itself suppresses is kept, and counted apart" },
    [RULE_SUBJECT_DIGEST] = { "subject-digest", "a statement whose subject has no well-formed SHA-2 digest binds nothing: refused" },
    [RULE_NO_ENVELOPE] = { "no-statement", "the evidence has no statement in it" },
    [RULE_TIMES] = { "times", "a statement about a scan must say when it was made" },
    [RULE_ONE_SIGNATURE] = { "one-signature", "a Sigstore bundle has exactly one signature; with more it is refused" },
};
static size_t rule_uses[RULE_N];

static inline void differ(struct row *r, const char *what, const char *expected, const char *got)
{
    printf("scans: %s: expected %s %s, got %s\n", r->col[C_FILE], what, expected, got);
    r->agrees = false;
}

static inline void differ_n(struct row *r, const char *what, long expected, size_t got)
{
    printf("scans: %s: expected %s %ld, got %zu\n", r->col[C_FILE], what, expected, got);
    r->agrees = false;
}

/* Equal, or equal to what a rule predicts. */
static inline void compare(struct row *r, const char *what, const char *text, size_t got, size_t predicted, enum rule rule)
{
    if (!isdigit((unsigned char)*text))
        return;
    long expected = strtol(text, NULL, 10);
    if (expected == (long)got)
        return;
    if (expected == (long)predicted)
        rule_uses[rule]++;
    else
        differ_n(r, what, expected, got);
}

/* ---- what rules need to know of the document ------------------------------------------- */

static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
    const char **at;
    size_t n, cap;
};

static inline void names_add(struct names *s, const char *name)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 64 : s->cap * 2;
        s->at = realloc(s->at, s->cap * sizeof *s->at);
        if (s->at == NULL)
            abort();
    }
    s->at[s->n++] = name != NULL ? name : "";
}

static inline size_t names_unique(struct names *s)
{
    size_t unique = s->n > 0;

    if (s->n > 0)
        qsort(s->at, s->n, sizeof *s->at, by_text);
    for (size_t i = 1; i < s->n; i++)
        unique += strcmp(s->at[i - 1], s->at[i]) != 0;
    free(s->at);
    *s = (struct names){ 0 };
    return unique;
}

/* Texts in the place of a package URL that are none. */
static inline size_t count_bad_purls(struct row *r, const struct json *v)
{
    size_t n = 0;
    struct err err;
    const char *purl = json_get_str(v, "purl", NULL), *out;

    if (purl == NULL && str_eq(json_get_str(v, "referenceType", NULL), "purl"))
        purl = json_get_str(v, "referenceLocator", NULL);
    if (purl != NULL && *purl != '\0')
        n += purl_canonical(r->arena, purl, &out, &err) != 0;
    for (uint32_t i = 0; i < json_len(v); i++)
        n += count_bad_purls(r, json_at(v, i));
    for (uint32_t i = 0; i < json_n_members(v); i++)
        n += count_bad_purls(r, &v->members[i].value);
    return n;
}

static inline void collect_refs(const struct json *components, struct names *refs)
{
    for (uint32_t i = 0; i < json_len(components); i++) {
        const char *ref = json_get_str(json_at(components, i), "bom-ref", NULL);
        if (ref != NULL && *ref != '\0')
            names_add(refs, ref);
        collect_refs(json_get(json_at(components, i), "components"), refs);
    }
}

/* Components of the document that a vulnerability affects beyond the first one. */
static inline size_t extra_of(const struct json *affects, struct names *refs)
{
    struct names hit = { 0 };

    for (uint32_t k = 0; k < json_len(affects); k++) {
        const char *ref = json_get_str(json_at(affects, k), "ref", "");
        const char *hash = str_starts(ref, "urn:cdx:") ? strchr(ref, '#') : NULL;
        ref = hash != NULL ? hash + 1 : ref;
        if (refs->n > 0 && bsearch(&ref, refs->at, refs->n, sizeof *refs->at, by_text) != NULL)
            names_add(&hit, ref);
    }
    size_t n = names_unique(&hit);
    return n > 1 ? n - 1 : 0;
}

static inline size_t cdx_extra(const struct json *doc)
{
    const struct json *list = json_get(doc, "vulnerabilities");
    struct names refs = { 0 };
    size_t extra = 0;

    collect_refs(json_get(doc, "components"), &refs);
    if (refs.n > 0)
        qsort(refs.at, refs.n, sizeof *refs.at, by_text);
    for (uint32_t i = 0; i < json_len(list); i++)
        extra += extra_of(json_get(json_at(list, i), "affects"), &refs);
    free(refs.at);
    return extra;
}

/* The number behind a word of the note, or -1. */
static inline long note_number(const char *note, const char *word)
{
    const char *at = strstr(note, word);

    return at != NULL ? strtol(at + strlen(word), NULL, 10) : -1;
}

#endif
