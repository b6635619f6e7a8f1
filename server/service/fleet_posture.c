/* fleet_posture.c - the fleet in numbers: what a dashboard shows first. */
#include "service/fleet.h"

#include "base/time.h"
#include "service/policies.h"
#include "store/alert.h"
#include "store/container.h"
#include "store/exception.h"
#include "store/posture.h"
#include "wire/msg/fleet.h"

#include <string.h>

enum { SOON_DAYS = 7, ENDED_DAYS = 30, GRAVE = 3 /* error: RFC 5424 */ };

static int count_exceptions(struct call *c, struct posture_exceptions *out, struct err *err)
{
    struct exception *list;
    size_t n;

    if (exception_list_active(c->db, c->now_ms, c->arena, &list, &n, err) != 0)
        return -1;
    out->active = (int64_t)n;
    for (size_t i = 0; i < n; i++)
        out->expiring_soon += list[i].expires_ms <= c->now_ms + SOON_DAYS * MS_DAY;
    struct exception_filter f = { .state = "expired", .expires_before_ms = TIME_UNKNOWN };
    if (exception_list(c->db, &f, c->now_ms, INT64_MAX, "", 1000, c->arena, &list, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        out->expired += list[i].expires_ms > c->now_ms - ENDED_DAYS * MS_DAY;
    return 0;
}

static int ages(struct call *c, const struct posture *p, struct posture_answer *out, struct err *err)
{
    static const struct { const char *label; int64_t max_days; } rows[AGE_BUCKETS] = {
        { "< 1 day", 1 }, { "1-3 days", 3 }, { "3-7 days", 7 }, { "7-14 days", 14 }, { "14-30 days", 30 }, { "30-90 days", 90 },
        { "> 90 days", 0 }, { "never", 0 },
    };
    struct posture_age *list = arena_array(c->arena, AGE_BUCKETS, sizeof *list);

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < AGE_BUCKETS; i++)
        list[i] = (struct posture_age){ rows[i].label, rows[i].max_days, p->scan_age[i] };
    out->scan_age = list;
    out->n_scan_age = AGE_BUCKETS;
    return 0;
}

static int teams(struct call *c, struct posture_answer *out, struct err *err)
{
    const struct freshness_limits limits = app_limits(c->app);
    struct team_posture *rows;
    size_t n;

    if (posture_teams(c->db, &limits, c->now_ms, c->arena, &rows, &n, err) != 0)
        return -1;
    struct posture_team *list = arena_array(c->arena, n, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct posture_team){ rows[i].team, rows[i].images, rows[i].failing, rows[i].stale, rows[i].critical, rows[i].high };
    out->teams = list;
    out->n_teams = n;
    return 0;
}

/* What nodes tell of: severities as events have them, 0 worst. */
struct told { int64_t grave, other, failing; };

static int told(struct call *c, struct told *out, struct err *err)
{
    int64_t open[8];

    *out = (struct told){ 0 };
    if (alert_count_open(c->db, open, err) != 0 || container_count_verdict(c->db, DECISION_FAIL, &out->failing, err) != 0)
        return -1;
    for (int i = 0; i < 8; i++)
        *(i <= GRAVE ? &out->grave : &out->other) += open[i];
    return 0;
}

/* What needs doing, most urgent first; rows with a count of 0 are left out. */
static int actions(struct call *c, struct posture_answer *out, struct err *err)
{
    struct told t;

    if (told(c, &t, err) != 0)
        return -1;
    const struct posture_action rows[] = {
        { "alerts", "alerts are open, of severity error or graver", "/alerts?state=open&severity=error", t.grave },
        { "kev", "known exploited vulnerabilities are open", "/images?sort=risk", out->counts.kev },
        { "malware", "malware was found", "/images?sort=risk", out->counts.malware },
        { "running_failing", "running images fail policy", "/images?verdict=fail&running=true&sort=risk", out->running.failing },
        { "containers_failing", "running containers break a policy", "/containers?verdict=fail", t.failing },
        { "alerts_other", "alerts of lesser severity are open", "/alerts?state=open", t.other },
        { "secrets", "secrets are in images", "/images?sort=risk", out->counts.secrets },
        { "running_stale", "running images are stale or were never scanned", "/images?stale=true&running=true", out->running.stale },
        { "never_scanned", "images were never scanned", "/images?freshness=never_scanned", out->freshness.never_scanned },
        { "stale_scan", "images have an old scan", "/images?freshness=stale_scan", out->freshness.stale_scan },
        { "stale_database", "images were scanned with an old database", "/images?freshness=stale_database", out->freshness.stale_database },
        { "unsigned", "images are judged on unsigned evidence", "/images?unsigned=true", out->unsigned_images },
        { "exceptions_ending", "exceptions end within 7 days", "/exceptions?expiring_within=7d", out->exceptions.expiring_soon },
        { "exceptions_ended", "exceptions ended in the last 30 days", "/exceptions?state=expired", out->exceptions.expired },
    };
    struct posture_action *list = arena_array(c->arena, N_ITEMS(rows), sizeof *list);
    size_t n = 0;

    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        if (rows[i].count > 0)
            list[n++] = rows[i];
    }
    out->actions = list;
    out->n_actions = n;
    return 0;
}

int posture_show(struct call *c, const void *in, void *out_, struct err *err)
{
    struct posture_answer *out = out_;
    const struct freshness_limits limits = app_limits(c->app);
    struct posture p;

    (void)in;
    if (posture_get(c->db, &limits, c->now_ms, &p, err) != 0)
        return -1;
    *out = (struct posture_answer){
        .at_ms = c->now_ms, .images = p.images, .unsigned_images = p.unsigned_images,
        .verdicts = { p.verdicts[DECISION_PASS], p.verdicts[DECISION_WARN], p.verdicts[DECISION_FAIL], p.verdicts[DECISION_UNKNOWN] },
        .freshness = { p.freshness[FRESHNESS_FRESH], p.freshness[FRESHNESS_STALE_SCAN], p.freshness[FRESHNESS_STALE_DATABASE],
                       p.freshness[FRESHNESS_NEVER_SCANNED], p.freshness[FRESHNESS_UNKNOWN] },
        .counts = p.counts, .running = { p.running_images, p.running_failing, p.running_stale },
        .limits = { limits.scan_max_age_ms, limits.database_max_age_ms },
    };
    return count_exceptions(c, &out->exceptions, err) != 0 || ages(c, &p, out, err) != 0 || teams(c, out, err) != 0 ||
           actions(c, out, err) != 0 ? -1 : 0;
}

int trend_show(struct call *c, const void *in, void *out_, struct err *err)
{
    const struct trend_query *q = c->query;
    struct trend_list_answer *out = out_;
    struct trend_day *rows;
    char text[TIME_TEXT];

    (void)in;
    if (trend_list(c->db, q->team != NULL ? q->team : "", c->now_ms, q->days > 0 ? q->days : 90, c->arena, &rows, &out->n_days, err) != 0)
        return -1;
    struct trend_answer *list = arena_array(c->arena, out->n_days, sizeof *list);
    if (list == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < out->n_days; i++) {
        time_format(rows[i].day * MS_DAY, text);
        list[i] = (struct trend_answer){ arena_strndup(c->arena, text, 10), rows[i].images, rows[i].critical, rows[i].high,
                                         rows[i].medium, rows[i].low, rows[i].kev };
        if (list[i].day == NULL)
            return err_nomem(err);
    }
    out->days = list;
    return 0;
}
