/* cvss.c - reading vectors of all versions, and the formulas of 2 and 3. */
#include "core/cvss.h"

#include "base/str.h"

#include <stdbool.h>
#include <string.h>

enum { VECTOR_MAX = 512 };

/* ---- the metrics of each version ----------------------------------------- */

struct metric {
    const char *name;
    const char *values;         /* blank-separated; the index is the value */
    bool optional;
};

/* The values of the base metrics index the weights below. */
static const struct metric metrics_2[] = {
    { "AV", "L A N", false }, { "AC", "H M L", false }, { "Au", "M S N", false },
    { "C", "N P C", false }, { "I", "N P C", false }, { "A", "N P C", false },
    { "E", "ND U POC F H", true }, { "RL", "ND OF TF W U", true }, { "RC", "ND UC UR C", true },
    { "CDP", "ND N L LM MH H", true }, { "TD", "ND N L M H", true },
    { "CR", "ND L M H", true }, { "IR", "ND L M H", true }, { "AR", "ND L M H", true },
};

static const struct metric metrics_3[] = {
    { "AV", "P L A N", false }, { "AC", "H L", false }, { "PR", "H L N", false }, { "UI", "R N", false },
    { "S", "U C", false }, { "C", "N L H", false }, { "I", "N L H", false }, { "A", "N L H", false },
    { "E", "X U P F H", true }, { "RL", "X O T W U", true }, { "RC", "X U R C", true },
    { "CR", "X L M H", true }, { "IR", "X L M H", true }, { "AR", "X L M H", true },
    { "MAV", "X P L A N", true }, { "MAC", "X H L", true }, { "MPR", "X H L N", true }, { "MUI", "X R N", true },
    { "MS", "X U C", true }, { "MC", "X N L H", true }, { "MI", "X N L H", true }, { "MA", "X N L H", true },
};

/* Most severe value first; cvss4.c names them by position. */
static const struct metric metrics_4[] = {
    { "AV", "N A L P", false }, { "AC", "L H", false }, { "AT", "N P", false }, { "PR", "N L H", false }, { "UI", "N P A", false },
    { "VC", "H L N", false }, { "VI", "H L N", false }, { "VA", "H L N", false },
    { "SC", "H L N", false }, { "SI", "H L N", false }, { "SA", "H L N", false },
    { "E", "X A P U", true }, { "CR", "X H M L", true }, { "IR", "X H M L", true }, { "AR", "X H M L", true },
    { "MAV", "X N A L P", true }, { "MAC", "X L H", true }, { "MAT", "X N P", true }, { "MPR", "X N L H", true }, { "MUI", "X N P A", true },
    { "MVC", "X H L N", true }, { "MVI", "X H L N", true }, { "MVA", "X H L N", true },
    { "MSC", "X H L N", true }, { "MSI", "X S H L N", true }, { "MSA", "X S H L N", true },
    { "S", "X N P", true }, { "AU", "X N Y", true }, { "R", "X A U I", true }, { "V", "X D C", true },
    { "RE", "X L M H", true }, { "U", "X Clear Green Amber Red", true },
};

static int score_2(const signed char value[CVSS_METRICS_MAX]);
static int score_30(const signed char value[CVSS_METRICS_MAX]);
static int score_31(const signed char value[CVSS_METRICS_MAX]);

static const struct format {
    int version;
    const char *prefix;
    const char *only;           /* a metric no other version has */
    const struct metric *metrics;
    size_t n_metrics;
    int (*score)(const signed char value[CVSS_METRICS_MAX]);
} formats[] = {
    { 40, "CVSS:4.0/", "VC:", metrics_4, N_ITEMS(metrics_4), cvss4_score },
    { 31, "CVSS:3.1/", NULL, metrics_3, N_ITEMS(metrics_3), score_31 },
    { 30, "CVSS:3.0/", NULL, metrics_3, N_ITEMS(metrics_3), score_30 },
    { 20, NULL, "Au:", metrics_2, N_ITEMS(metrics_2), score_2 },
};

/* ---- reading ------------------------------------------------------------- */

/* Index of the word in a blank-separated list, or -1. */
static int index_in(const char *list, const char *word, size_t len)
{
    for (int i = 0; *list != '\0'; i++) {
        size_t n = strcspn(list, " ");
        if (n == len && memcmp(list, word, len) == 0)
            return i;
        list += n + (list[n] == ' ');
    }
    return -1;
}

static const struct metric *metric_get(const struct format *f, const char *name, size_t len)
{
    for (size_t i = 0; i < f->n_metrics; i++) {
        if (strlen(f->metrics[i].name) == len && memcmp(f->metrics[i].name, name, len) == 0)
            return &f->metrics[i];
    }
    return NULL;
}

/* One "AV:N" of len bytes. */
static int read_field(const struct format *f, const char *field, size_t len, signed char *value, struct err *err)
{
    const char *colon = memchr(field, ':', len);

    if (colon == NULL)
        return err_set(err, ERR_INVALID, "CVSS vector: expected METRIC:VALUE, found \"%.*s\"", (int)(len < 32 ? len : 32), field);
    size_t n = (size_t)(colon - field), m = len - n - 1;
    const struct metric *metric = metric_get(f, field, n);
    if (metric == NULL)
        return err_set(err, ERR_INVALID, "CVSS %d.%d has no metric \"%.*s\"", f->version / 10, f->version % 10, (int)(n < 32 ? n : 32), field);
    int v = index_in(metric->values, colon + 1, m);
    if (v < 0)
        return err_set(err, ERR_INVALID, "CVSS metric %s has no value \"%.*s\"", metric->name, (int)(m < 32 ? m : 32), colon + 1);
    signed char *slot = &value[metric - f->metrics];
    if (*slot != CVSS_ABSENT)
        return err_set(err, ERR_INVALID, "CVSS metric %s is there twice", metric->name);
    *slot = (signed char)v;
    return 0;
}

static int read_fields(const struct format *f, const char *s, size_t len, signed char *value, struct err *err)
{
    const char *end = s + len;

    for (size_t i = 0; i < CVSS_METRICS_MAX; i++)
        value[i] = CVSS_ABSENT;
    for (;;) {
        const char *slash = memchr(s, '/', (size_t)(end - s));
        const char *stop = slash != NULL ? slash : end;
        if (read_field(f, s, (size_t)(stop - s), value, err) != 0)
            return -1;
        if (slash == NULL)
            break;
        s = slash + 1;
    }
    for (size_t i = 0; i < f->n_metrics; i++) {
        if (!f->metrics[i].optional && value[i] == CVSS_ABSENT)
            return err_set(err, ERR_INVALID, "CVSS metric %s is missing", f->metrics[i].name);
    }
    return 0;
}

/* Does a field start with `metric`? */
static bool has_metric(const char *vector, const char *metric)
{
    for (const char *s = vector; (s = strstr(s, metric)) != NULL; s++) {
        if (s == vector || s[-1] == '/' || s[-1] == '(')
            return true;
    }
    return false;
}

static const struct format *format_of(const char *vector)
{
    const struct format *guess = &formats[1];

    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (formats[i].prefix != NULL && str_starts(vector, formats[i].prefix))
            return &formats[i];
        if (formats[i].only != NULL && has_metric(vector, formats[i].only))
            guess = &formats[i];
    }
    return str_starts(vector, "CVSS:") ? NULL : guess;
}

int cvss_from_vector(const char *vector, struct cvss_score *out, struct err *err)
{
    signed char value[CVSS_METRICS_MAX];
    size_t len = strnlen(vector, VECTOR_MAX + 1);

    if (len > VECTOR_MAX)
        return err_set(err, ERR_INVALID, "CVSS vector of more than %d bytes", VECTOR_MAX);
    const struct format *f = format_of(vector);
    if (f == NULL)
        return err_set(err, ERR_INVALID, "CVSS version \"%.*s\" is not 2.0, 3.0, 3.1 or 4.0", (int)strcspn(vector, "/") < 32 ? (int)strcspn(vector, "/") : 32, vector);
    if (f->prefix != NULL && str_starts(vector, f->prefix)) {
        vector += strlen(f->prefix);
        len -= strlen(f->prefix);
    } else if (f->version == 20 && len > 1 && vector[0] == '(' && vector[len - 1] == ')') {
        vector++;
        len -= 2;
    }
    if (read_fields(f, vector, len, value, err) != 0)
        return -1;
    *out = (struct cvss_score){ .version = f->version, .score = f->score(value) };
    return 0;
}

/* ---- version 2 ----------------------------------------------------------- */

/* All weights in thousandths; the score is exact in 1e-15. */
static int score_2(const signed char value[CVSS_METRICS_MAX])
{
    static const int64_t av[] = { 395, 646, 1000 }, ac[] = { 350, 610, 710 }, au[] = { 450, 560, 704 }, impact[] = { 0, 275, 660 };

    int64_t safe = (1000 - impact[value[3]]) * (1000 - impact[value[4]]) * (1000 - impact[value[5]]);   /* 1e-9 */
    int64_t damage = 1000000000 - safe;
    if (damage == 0)
        return 0;
    int64_t exploit = 20 * av[value[0]] * ac[value[1]] * au[value[2]];                                  /* 1e-9 */
    /* 0.6 * 10.41 * damage + 0.4 * exploit - 1.5 in 1e-12, times 1.176. */
    int64_t sum = 6246 * damage + 400 * exploit - INT64_C(1500000000000);
    int64_t exact = sum * 1176;                                                                         /* 1e-15 */
    if (exact <= 0)
        return 0;
    const int64_t tenth = INT64_C(100000000000000);
    return (int)((exact + tenth / 2) / tenth);
}

/* ---- version 3 ----------------------------------------------------------- */

/* 8.22 * AV * AC * PR * UI in 1e-10. */
static int64_t exploitability(const signed char *value, bool changed)
{
    static const int64_t av[] = { 20, 55, 62, 85 }, ac[] = { 44, 77 }, ui[] = { 62, 85 };
    static const int64_t pr[2][3] = { { 27, 62, 85 }, { 50, 68, 85 } };

    return 822 * av[value[0]] * ac[value[1]] * pr[changed][value[2]] * ui[value[3]];
}

/* 1 - (1-C)(1-I)(1-A) in 1e-6. */
static int64_t impact_base(const signed char *value)
{
    static const int64_t impact[] = { 0, 22, 56 };

    return 1000000 - (100 - impact[value[5]]) * (100 - impact[value[6]]) * (100 - impact[value[7]]);
}

/* The fifteenth power makes this the one inexact term; its error is far below
 * what either rounding rule looks at. */
static long double impact_changed(int64_t base)
{
    long double isc = (long double)base / 1e6L, x = isc - 0.02L, power = 1;

    for (int i = 0; i < 15; i++)
        power *= x;
    return 7.52L * (isc - 0.029L) - 3.25L * power;
}

/* The score before rounding up, in 1e-10; 0 when there is no impact. */
static int64_t score_3(const signed char *value)
{
    bool changed = value[4] == 1;
    int64_t base = impact_base(value), limit = INT64_C(100000000000), exact;

    if (!changed) {
        exact = 64200 * base + exploitability(value, false);
        if (base == 0)
            return 0;
    } else {
        long double impact = impact_changed(base);
        if (impact <= 0)
            return 0;
        long double sum = 1.08L * (impact * 1e10L + (long double)exploitability(value, true));
        exact = (int64_t)(sum + 0.5L);
    }
    return exact < limit ? exact : limit;
}

/* The smallest tenth that is not less. */
static int score_30(const signed char value[CVSS_METRICS_MAX])
{
    const int64_t tenth = 1000000000;

    return (int)((score_3(value) + tenth - 1) / tenth);
}

/* The same, after rounding to five decimals (appendix A of 3.1). */
static int score_31(const signed char value[CVSS_METRICS_MAX])
{
    int64_t steps = (score_3(value) + 50000) / 100000;

    return (int)((steps + 9999) / 10000);
}

enum severity cvss_severity(const struct cvss_score *cvss)
{
    int s = cvss->score;

    if (s < 0 || s > 100)
        return SEVERITY_UNKNOWN;
    if (cvss->version == 20)
        return s >= 70 ? SEVERITY_HIGH : s >= 40 ? SEVERITY_MEDIUM : SEVERITY_LOW;
    return s >= 90 ? SEVERITY_CRITICAL : s >= 70 ? SEVERITY_HIGH : s >= 40 ? SEVERITY_MEDIUM : s > 0 ? SEVERITY_LOW : SEVERITY_NONE;
}
