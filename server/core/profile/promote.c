/* promote.c - see promote.h. */
#include "core/profile/promote.h"

#include "base/time.h"
#include "wire/msg/profile.h"

#include <inttypes.h>

/* What the rows say, added up. */
struct evidence {
    const struct profile *enforced;
    const struct learn_rules *rules;
    int64_t now_ms;
    int64_t containers;                  /* the most that showed one thing */
    int64_t first_ms, newest_ms;         /* first observation; when the latest new item came */
    int64_t departed_ms;                 /* when something not allowed was last seen */
    size_t n_doubted;                    /* seen, doubted, and not decided on: neither allowed nor refused by the enforced */
    const char *example;                 /* of the last rule's trouble */
    struct arena *arena;
};

static struct evidence gather(const struct diff_row *rows, size_t n, struct evidence e)
{
    e.first_ms = INT64_MAX;
    e.newest_ms = e.departed_ms = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        const struct diff_row *r = &rows[i];
        const struct observation *o = r->seen != NULL ? r->seen->seen : NULL;
        if (o == NULL)
            continue;
        e.containers = o->n_containers > e.containers ? o->n_containers : e.containers;
        e.first_ms = o->first_ms < e.first_ms ? o->first_ms : e.first_ms;
        e.newest_ms = o->first_ms > e.newest_ms ? o->first_ms : e.newest_ms;
        if (r->enforced == DIFF_NO && o->last_ms > e.departed_ms)
            e.departed_ms = o->last_ms, e.example = o->item;
        e.n_doubted += !r->seen->is_accepted && r->enforced == DIFF_NO;
    }
    return e;
}

typedef struct promote_check check_fn(const struct evidence *e);

static struct promote_check answer(const char *rule, bool is_met, const char *text)
{
    return (struct promote_check){ rule, is_met, text };
}

static struct promote_check check_containers(const struct evidence *e)
{
    return answer("containers", e->containers >= e->rules->containers,
                  arena_printf(e->arena, "seen in %" PRId64 " containers; %" PRId64 " are asked for", e->containers, e->rules->containers));
}

static int64_t hours(int64_t ms)
{
    return ms / MS_HOUR;
}

static struct promote_check check_watched(const struct evidence *e)
{
    int64_t span = e->first_ms == INT64_MAX ? 0 : e->now_ms - e->first_ms;

    return answer("watched", e->first_ms != INT64_MAX && span >= e->rules->span_ms,
                  arena_printf(e->arena, "watched for %" PRId64 " h; %" PRId64 " h are asked for", hours(span), hours(e->rules->span_ms)));
}

static struct promote_check check_quiet(const struct evidence *e)
{
    if (e->newest_ms == INT64_MIN)
        return answer("quiet", false, "nothing has been seen of it");
    int64_t ago = e->now_ms - e->newest_ms;
    return answer("quiet", ago >= e->rules->quiet_ms,
                  arena_printf(e->arena, "the last new thing was seen %" PRId64 " h ago; %" PRId64 " h without are asked for", hours(ago), hours(e->rules->quiet_ms)));
}

static struct promote_check check_doubts(const struct evidence *e)
{
    return answer("doubts", e->n_doubted == 0,
                  e->n_doubted == 0 ? "nobody has to decide on anything" :
                  arena_printf(e->arena, "%zu things were seen that are in doubt and not allowed: allow them, or see to it that they end", e->n_doubted));
}

static struct promote_check check_departures(const struct evidence *e)
{
    if (e->departed_ms == INT64_MIN)
        return answer("departures", true, "nothing was seen that the profile does not allow");
    int64_t ago = e->now_ms - e->departed_ms;
    return answer("departures", ago >= e->rules->quiet_ms,
                  arena_printf(e->arena, "%s, which is not allowed, was seen %" PRId64 " h ago; %" PRId64 " h without are asked for", e->example,
                               hours(ago), hours(e->rules->quiet_ms)));
}

static struct promote_check check_covered(const struct evidence *e)
{
    unsigned parts = profile_parts(e->enforced);

    return answer("covered", parts != 0, parts != 0 ? "it judges something" : "it covers no part: there is nothing to watch");
}

/* What is asked for on each step. */
static const struct step {
    int from, to;
    check_fn *checks[PROMOTE_RULES_MAX];
} steps[] = {
    { PROFILE_DISCOVER, PROFILE_MONITOR, { check_covered, check_containers, check_watched, check_quiet, check_doubts } },
    { PROFILE_MONITOR, PROFILE_PROTECT, { check_covered, check_containers, check_watched, check_departures, check_doubts } },
};

static int take_step(const struct step *s, const struct evidence *e, struct promotion *p, struct err *err)
{
    for (size_t i = 0; i < PROMOTE_RULES_MAX && s->checks[i] != NULL; i++) {
        struct promote_check c = s->checks[i](e);
        if (c.text == NULL)
            return err_nomem(err);
        p->checks[p->n_checks++] = c;
        p->is_ready &= c.is_met;
    }
    return 0;
}

int promote_decide(int from, int to, const struct profile *enforced, const struct diff_row *rows, size_t n_rows,
                   const struct learn_rules *rules, int64_t now_ms, struct arena *arena, struct promotion *out, struct err *err)
{
    struct promotion p = { .from = from, .to = to, .is_ready = true };
    struct evidence e = gather(rows, n_rows, (struct evidence){ .enforced = enforced, .rules = rules, .now_ms = now_ms, .arena = arena });

    if (to > from + 1) {
        p.is_ready = false;
        p.checks[p.n_checks++] = answer("one-step", false, "from discover it goes to monitor first");
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps && to == from + 1; i++) {
        if (steps[i].from == from && take_step(&steps[i], &e, &p, err) != 0)
            return -1;
    }
    *out = p;
    return 0;
}
