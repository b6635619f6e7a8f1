/* regex.c - the only door to PCRE2.
 *
 * All memory is the arena's: PCRE2 is given an allocator that draws from it and
 * never frees.
 *
 * A match is strictly bounded.  PCRE2 counts its steps afresh for every place a
 * match could begin, so a pattern that is not anchored gets the lazy prefix
 * `(?s:.)*?` and is matched at one place: then the match limit bounds the whole
 * search.  The limit is what was paid for (STEPS per unit of cost).  When it is
 * reached, more is paid and allowed, until the budget or MAX_STEPS ends it; for a
 * plain yes or no PCRE2's other matcher is tried instead, which goes through the
 * text once and keeps as many states as its workspace holds: `(a|aa)+$` is
 * answered, `(a+)+$` on a long text is an error ("too costly"), and both end. */
#include "core/cel/internal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MAX_PATTERN = 4096, MAX_COMPILED = 256 * 1024, MAX_STEPS = 2000000, STEPS = 16, HEAP_KIB = 4096,
       MAX_CACHED = 64, MAX_NESTING = 120, DFA_WORKSPACE = 4096, DFA_COST = 64 };

struct cel_regex {
    const struct cel_regex *next;
    const char *pattern, *text;            /* as written; translated */
    uint32_t len, text_len, groups;
    pcre2_code *code;                      /* to be matched at one place */
    bool anchored;                         /* as written; else the prefix is in `code` */
};

struct matcher {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static void *take(size_t n, void *arena)
{
    /* Not zeroed: the vector of frames is large. */
    char *p = n == 0 || n > 2u * HEAP_KIB * 1024 ? NULL : arena_bytes(arena, n + 16);

    return p == NULL ? NULL : p + (16 - (uintptr_t)p % 16);
}

static void keep(void *p, void *arena)
{
    (void)p, (void)arena;
}

static pcre2_code *compile_text(struct arena *arena, const char *text, size_t len, uint32_t options, int *error)
{
    pcre2_general_context *general = pcre2_general_context_create(take, keep, arena);
    pcre2_compile_context *c = general != NULL ? pcre2_compile_context_create(general) : NULL;
    size_t at;

    *error = PCRE2_ERROR_NOMEMORY;
    if (c == NULL)
        return NULL;
    pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(c, MAX_NESTING);
    return pcre2_compile((PCRE2_SPTR)text, len,
                         options | PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                         error, &at, c);
}

/* The text between prefix and ")". */
static pcre2_code *compile_within(struct arena *arena, const struct cel_regex *re, const char *prefix, int *error)
{
    size_t n = strlen(prefix);
    char *text = arena_bytes(arena, n + re->text_len + 1);

    *error = PCRE2_ERROR_NOMEMORY;
    if (text == NULL)
        return NULL;
    memcpy(text, prefix, n);
    memcpy(text + n, re->text, re->text_len);
    text[n + re->text_len] = ')';
    return compile_text(arena, text, n + re->text_len + 1, PCRE2_ANCHORED, error);
}

static pcre2_code *compile_code(struct arena *arena, struct cel_regex *re, int *error)
{
    uint32_t options = 0;
    size_t size = 0;
    /* `.*` in front is not the anchor that is asked for below. */
    pcre2_code *code = compile_text(arena, re->text, re->text_len, PCRE2_NO_DOTSTAR_ANCHOR, error);

    if (code == NULL)
        return NULL;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
    *error = PCRE2_ERROR_NOMEMORY;
    if (size > MAX_COMPILED)
        return NULL;
    re->anchored = (options & PCRE2_ANCHORED) != 0;
    return re->anchored ? code : compile_within(arena, re, "(?s:.)*?\\K(?:", error);
}

static const struct cel_regex *compile(struct cel_run *run, const struct cel_value *pattern, struct cel_value *bad)
{
    struct cel_regex *re = run_alloc(run, 1, sizeof *re);
    const char *why = NULL;
    size_t len = 0;
    int error = 0;

    if (re == NULL || !cel_pay(run, 200 + 2 * (uint64_t)pattern->n))
        return *bad = run_stopped(run), NULL;
    if (pattern->n > MAX_PATTERN)
        return *bad = cel_fail(run, "the pattern has more than %d bytes", MAX_PATTERN), NULL;
    re->text = re2_translate(run->arena, pattern->s, pattern->n, &len, &why);
    if (re->text == NULL && why != NULL)
        return *bad = cel_fail(run, "malformed pattern: %s", why), NULL;
    re->text_len = (uint32_t)len;
    re->pattern = pattern->s;
    re->len = pattern->n;
    re->code = re->text != NULL ? compile_code(run->arena, re, &error) : NULL;
    if (re->code == NULL && (re->text == NULL || error == PCRE2_ERROR_HEAP_FAILED)) {
        run->no_memory = true;
        return *bad = run_stopped(run), NULL;
    }
    if (re->code == NULL) {
        PCRE2_UCHAR message[120] = "too large";
        if (error != PCRE2_ERROR_NOMEMORY)
            pcre2_get_error_message(error, message, sizeof message);
        return *bad = cel_fail(run, "malformed pattern: %s", (const char *)message), NULL;
    }
    return re;
}

const struct cel_regex *regex_get(struct cel_run *run, const struct cel_value *pattern, struct cel_value *bad)
{
    for (const struct cel_regex *re = run->regexes; re != NULL; re = re->next) {
        if (re->len == pattern->n && (re->pattern == pattern->s || memcmp(re->pattern, pattern->s, re->len) == 0))
            return re;
    }
    const struct cel_regex *re = compile(run, pattern, bad);
    if (re != NULL && run->n_regexes < MAX_CACHED) {
        struct cel_regex *first = run_alloc(run, 1, sizeof *first);
        if (first == NULL)
            return *bad = run_stopped(run), NULL;
        *first = *re;
        first->next = run->regexes;
        run->regexes = first;
        run->n_regexes++;
    }
    return re;
}

uint32_t regex_groups(const struct cel_regex *re)
{
    return re->groups;
}

/* One per run: its vector of frames is used again by the next match. */
static struct matcher *matcher_get(struct cel_run *run)
{
    struct matcher *m = run->matcher;

    if (m != NULL)
        return m;
    pcre2_general_context *general = pcre2_general_context_create(take, keep, run->arena);
    if (general == NULL || (m = run_alloc(run, 1, sizeof *m)) == NULL)
        return NULL;
    m->data = pcre2_match_data_create(REGEX_OVECTOR / 2, general);
    m->limits = pcre2_match_context_create(general);
    if (m->data == NULL || m->limits == NULL)
        return NULL;
    pcre2_set_heap_limit(m->limits, HEAP_KIB);
    return run->matcher = m;
}

static bool is_limit(int rc)
{
    return rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT ||
           rc == PCRE2_ERROR_NOMEMORY;
}

static int match_once(struct cel_run *run, const struct cel_regex *re, const struct cel_value *text,
                      struct matcher *m)
{
    int *workspace = run_alloc(run, DFA_WORKSPACE, sizeof *workspace), error;

    if (workspace == NULL || !cel_pay(run, (text->n + 16) * (uint64_t)DFA_COST))
        return PCRE2_ERROR_MATCHLIMIT;
    const pcre2_code *code = re->anchored ? re->code : compile_within(run->arena, re, "(?s:.)*?(?:", &error);
    if (code == NULL)
        return PCRE2_ERROR_NOMEMORY;
    return pcre2_dfa_match(code, (PCRE2_SPTR)text->s, text->n, 0,
                           PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_DFA_SHORTEST, m->data, m->limits, workspace,
                           DFA_WORKSPACE);
}

static int match_paid(struct cel_run *run, const struct cel_regex *re, const struct cel_value *text, size_t from,
                      bool plain, struct matcher *m)
{
    uint64_t paid = 8 + (text->n - from) / 2;

    for (;; paid *= 8) {
        uint64_t steps = paid * STEPS < MAX_STEPS ? paid * STEPS : MAX_STEPS;
        if (!cel_pay(run, paid))
            return PCRE2_ERROR_MATCHLIMIT;
        pcre2_set_match_limit(m->limits, (uint32_t)steps);
        int rc = pcre2_match(re->code, (PCRE2_SPTR)text->s, text->n, from, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, m->data,
                             m->limits);
        if (!is_limit(rc))
            return rc;
        if (plain)
            return match_once(run, re, text, m);
        if (rc != PCRE2_ERROR_MATCHLIMIT || steps == MAX_STEPS)
            return rc;
    }
}

int regex_match(struct cel_run *run, const struct cel_regex *re, const struct cel_value *text, size_t from,
                size_t ovector[REGEX_OVECTOR], struct cel_value *bad)
{
    struct matcher *m = matcher_get(run);

    /* An anchored pattern means the start of the text, not of this search. */
    if (re->anchored && from > 0)
        return 0;
    if (m == NULL) {
        run->no_memory = true;
        return *bad = run_stopped(run), -1;
    }
    int rc = match_paid(run, re, text, from, ovector == NULL, m);
    if (run->budget < 0)
        return *bad = run_stopped(run), -1;
    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    if (rc < 0)
        return *bad = cel_fail(run, "the pattern is too costly for this text"), -1;
    const size_t *found = pcre2_get_ovector_pointer(m->data);
    for (uint32_t i = 0; ovector != NULL && i < REGEX_OVECTOR; i++)
        ovector[i] = i < 2 * (re->groups + 1) ? found[i] : SIZE_MAX;
    return 1;
}
