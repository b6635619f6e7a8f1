/* cvss4.c - CVSS v4.0: the score of the macro vector, lowered by how far the
 * vector lies below the most severe vectors of that macro vector (specification,
 * section 8).  Everything is counted in integers: a distance is a number of steps,
 * a score a number of tenths, a share a fraction over 840, which all depths divide. */
#include "core/cvss.h"

#include "base/str.h"

#include <stdbool.h>

/* The order of the metric table in cvss.c. */
enum {
    AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA, E, CR, IR, AR,
    MAV, MAC, MAT, MPR, MUI, MVC, MVI, MVA, MSC, MSI, MSA,
};

/* Macro vector scores in tenths, 0 where there is no such macro vector.  Rows:
 * EQ1 EQ2 EQ3; columns: EQ4 EQ5 EQ6. */
static const unsigned char macro_scores[3][2][3][3][3][2] = {
    {
        {
            { { { 100, 99 }, { 98, 95 }, { 95, 92 } }, { { 100, 96 }, { 93, 87 }, { 91, 81 } }, { { 93, 90 }, { 89, 80 }, { 81, 68 } } },
            { { { 98, 95 }, { 95, 92 }, { 90, 84 } }, { { 93, 92 }, { 89, 81 }, { 81, 65 } }, { { 88, 80 }, { 78, 70 }, { 69, 48 } } },
            { { { 0, 92 }, { 0, 82 }, { 0, 72 } }, { { 0, 79 }, { 0, 69 }, { 0, 50 } }, { { 0, 69 }, { 0, 55 }, { 0, 27 } } },
        },
        {
            { { { 99, 97 }, { 95, 92 }, { 92, 85 } }, { { 95, 91 }, { 90, 83 }, { 84, 71 } }, { { 92, 81 }, { 82, 71 }, { 72, 53 } } },
            { { { 95, 93 }, { 92, 85 }, { 85, 73 } }, { { 92, 82 }, { 80, 72 }, { 70, 59 } }, { { 84, 70 }, { 71, 52 }, { 50, 30 } } },
            { { { 0, 86 }, { 0, 75 }, { 0, 52 } }, { { 0, 71 }, { 0, 52 }, { 0, 29 } }, { { 0, 63 }, { 0, 29 }, { 0, 17 } } },
        },
    },
    {
        {
            { { { 98, 95 }, { 94, 87 }, { 91, 81 } }, { { 94, 89 }, { 86, 74 }, { 77, 64 } }, { { 87, 75 }, { 74, 63 }, { 63, 49 } } },
            { { { 94, 89 }, { 88, 77 }, { 76, 67 } }, { { 86, 76 }, { 74, 58 }, { 59, 50 } }, { { 72, 57 }, { 57, 52 }, { 52, 25 } } },
            { { { 0, 83 }, { 0, 70 }, { 0, 54 } }, { { 0, 65 }, { 0, 58 }, { 0, 26 } }, { { 0, 53 }, { 0, 21 }, { 0, 13 } } },
        },
        {
            { { { 95, 90 }, { 88, 76 }, { 76, 70 } }, { { 90, 77 }, { 75, 62 }, { 61, 53 } }, { { 77, 66 }, { 68, 59 }, { 52, 30 } } },
            { { { 89, 78 }, { 76, 67 }, { 62, 58 } }, { { 74, 59 }, { 57, 57 }, { 47, 23 } }, { { 61, 52 }, { 57, 29 }, { 24, 16 } } },
            { { { 0, 71 }, { 0, 59 }, { 0, 30 } }, { { 0, 58 }, { 0, 26 }, { 0, 15 } }, { { 0, 23 }, { 0, 13 }, { 0, 6 } } },
        },
    },
    {
        {
            { { { 93, 87 }, { 86, 72 }, { 75, 58 } }, { { 86, 74 }, { 74, 61 }, { 56, 34 } }, { { 70, 54 }, { 52, 40 }, { 40, 22 } } },
            { { { 85, 75 }, { 74, 55 }, { 62, 51 } }, { { 72, 57 }, { 55, 41 }, { 46, 19 } }, { { 53, 36 }, { 34, 19 }, { 19, 8 } } },
            { { { 0, 64 }, { 0, 51 }, { 0, 20 } }, { { 0, 47 }, { 0, 21 }, { 0, 11 } }, { { 0, 24 }, { 0, 9 }, { 0, 4 } } },
        },
        {
            { { { 88, 75 }, { 73, 53 }, { 60, 50 } }, { { 73, 55 }, { 59, 40 }, { 41, 20 } }, { { 54, 43 }, { 45, 22 }, { 20, 11 } } },
            { { { 75, 55 }, { 58, 45 }, { 40, 21 } }, { { 61, 51 }, { 48, 18 }, { 20, 9 } }, { { 46, 18 }, { 17, 7 }, { 8, 2 } } },
            { { { 0, 53 }, { 0, 24 }, { 0, 14 } }, { { 0, 24 }, { 0, 12 }, { 0, 5 } }, { { 0, 10 }, { 0, 3 }, { 0, 1 } } },
        },
    },
};

/* Steps below the most severe value of each metric, modified value first.  The
 * subsequent system's "safety" is a step above "high", so there high is 1. */
struct levels {
    int at[AR + 1];
};

static struct levels levels_of(const signed char *value)
{
    struct levels l;

    for (int m = AV; m <= AR; m++) {
        bool base = m <= SA;
        int modified = base ? value[MAV + m] : CVSS_ABSENT;
        int v = modified > 0 ? modified - 1 : base ? value[m] : value[m] > 0 ? value[m] - 1 : 0;
        /* Base values of SI and SA have no S: their high is 0, the modified S is 0. */
        if (m == SC || ((m == SI || m == SA) && modified <= 0))
            v++;
        l.at[m] = v;
    }
    return l;
}

enum { EQ1, EQ2, EQ3, EQ4, EQ5, EQ6, N_EQ };

struct macro {
    int eq[N_EQ];
};

static struct macro macro_of(const struct levels *l)
{
    const int *v = l->at;
    struct macro m;

    bool any = v[AV] == 0 || v[PR] == 0 || v[UI] == 0;
    m.eq[EQ1] = v[AV] == 0 && v[PR] == 0 && v[UI] == 0 ? 0 : any && v[AV] != 3 ? 1 : 2;
    m.eq[EQ2] = v[AC] == 0 && v[AT] == 0 ? 0 : 1;
    m.eq[EQ3] = v[VC] == 0 && v[VI] == 0 ? 0 : v[VC] == 0 || v[VI] == 0 || v[VA] == 0 ? 1 : 2;
    m.eq[EQ4] = v[SI] == 0 || v[SA] == 0 ? 0 : v[SC] == 1 || v[SI] == 1 || v[SA] == 1 ? 1 : 2;
    m.eq[EQ5] = v[E];
    m.eq[EQ6] = (v[CR] == 0 && v[VC] == 0) || (v[IR] == 0 && v[VI] == 0) || (v[AR] == 0 && v[VA] == 0) ? 0 : 1;
    return m;
}

/* 0 when there is no such macro vector. */
static int macro_score(struct macro m)
{
    const int *q = m.eq;

    if (q[EQ1] > 2 || q[EQ2] > 1 || q[EQ3] > 2 || q[EQ4] > 2 || q[EQ5] > 2 || q[EQ6] > 1)
        return 0;
    return macro_scores[q[EQ1]][q[EQ2]][q[EQ3]][q[EQ4]][q[EQ5]][q[EQ6]];
}

static int lower_score(struct macro m, int eq)
{
    m.eq[eq]++;
    return macro_score(m);
}

/* EQ3 and EQ6 move together; from 00 there are two ways down. */
static int lower_score_36(struct macro m)
{
    if (m.eq[EQ3] == 0 && m.eq[EQ6] == 0) {
        int a = lower_score(m, EQ6), b = lower_score(m, EQ3);
        return a > b ? a : b;
    }
    return lower_score(m, m.eq[EQ3] == 1 && m.eq[EQ6] == 0 ? EQ6 : EQ3);
}

/* The most severe vectors of an equivalence class: levels of its metrics. */
struct top {
    signed char at[6];
};

struct class {
    int depth;                    /* steps between its most and least severe vector */
    int n_tops;
    struct top tops[5];
};

static const int metrics_1[] = { AV, PR, UI }, metrics_2[] = { AC, AT }, metrics_36[] = { VC, VI, VA, CR, IR, AR },
                 metrics_4[] = { SC, SI, SA };

static const struct class class_1[] = {
    { 1, 1, { { { 0, 0, 0 } } } },
    { 4, 3, { { { 1, 0, 0 } }, { { 0, 1, 0 } }, { { 0, 0, 1 } } } },
    { 5, 2, { { { 3, 0, 0 } }, { { 1, 1, 1 } } } },
};
static const struct class class_2[] = {
    { 1, 1, { { { 0, 0 } } } },
    { 2, 2, { { { 1, 0 } }, { { 0, 1 } } } },
};
static const struct class class_36[3][2] = {
    { { 7, 1, { { { 0, 0, 0, 0, 0, 0 } } } },
      { 6, 2, { { { 0, 0, 1, 1, 1, 0 } }, { { 0, 0, 0, 1, 1, 1 } } } } },
    { { 8, 2, { { { 1, 0, 0, 0, 0, 0 } }, { { 0, 1, 0, 0, 0, 0 } } } },
      { 8, 5, { { { 1, 0, 1, 0, 1, 0 } }, { { 1, 0, 0, 0, 1, 1 } }, { { 0, 1, 0, 1, 0, 1 } }, { { 0, 1, 1, 1, 0, 0 } },
                { { 1, 1, 0, 0, 0, 1 } } } } },
    { { 1, 1, { { { 0, 0, 0, 0, 0, 0 } } } },          /* does not exist */
      { 10, 1, { { { 1, 1, 1, 0, 0, 0 } } } } },
};
static const struct class class_4[] = {
    { 6, 1, { { { 1, 0, 0 } } } },
    { 5, 1, { { { 1, 1, 1 } } } },
    { 4, 1, { { { 2, 2, 2 } } } },
};

/* Steps from the first of the most severe vectors that is above in every metric. */
static int distance(const struct levels *l, const struct class *c, const int *metrics, size_t n)
{
    int steps = 0;

    for (int t = 0; t < c->n_tops; t++) {
        bool above = true;
        steps = 0;
        for (size_t i = 0; i < n; i++) {
            int d = l->at[metrics[i]] - c->tops[t].at[i];
            above = above && d >= 0;
            steps += d;
        }
        if (above)
            break;
    }
    return steps;
}

enum { UNIT = 840 };

struct lowering {
    int n;                        /* classes that have something below */
    int sum;                      /* in 1/UNIT tenths */
};

static void lower(struct lowering *w, int score, int score_below, int steps, int depth)
{
    if (score_below == 0 || score_below > score)
        return;
    w->n++;
    w->sum += (score - score_below) * steps * (UNIT / depth);
}

int cvss4_score(const signed char value[CVSS_METRICS_MAX])
{
    struct levels l = levels_of(value);
    const int *v = l.at;

    if (v[VC] == 2 && v[VI] == 2 && v[VA] == 2 && v[SC] == 3 && v[SI] == 3 && v[SA] == 3)
        return 0;
    struct macro m = macro_of(&l);
    const struct class *c1 = &class_1[m.eq[EQ1]], *c2 = &class_2[m.eq[EQ2]],
                       *c36 = &class_36[m.eq[EQ3]][m.eq[EQ6]], *c4 = &class_4[m.eq[EQ4]];
    int score = macro_score(m);
    struct lowering w = { 0 };
    lower(&w, score, lower_score(m, EQ1), distance(&l, c1, metrics_1, N_ITEMS(metrics_1)), c1->depth);
    lower(&w, score, lower_score(m, EQ2), distance(&l, c2, metrics_2, N_ITEMS(metrics_2)), c2->depth);
    lower(&w, score, lower_score_36(m), distance(&l, c36, metrics_36, N_ITEMS(metrics_36)), c36->depth);
    lower(&w, score, lower_score(m, EQ4), distance(&l, c4, metrics_4, N_ITEMS(metrics_4)), c4->depth);
    lower(&w, score, lower_score(m, EQ5), 0, 1);
    if (w.n == 0)
        return score;
    int whole = UNIT * w.n, exact = score * whole - w.sum;
    return exact <= 0 ? 0 : (2 * exact + whole) / (2 * whole);
}
