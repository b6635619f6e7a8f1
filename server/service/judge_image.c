/* judge_image.c - see judge_image.h. */
#include "service/judge_image.h"

#include "base/buf.h"
#include "base/time.h"
#include "service/policies.h"
#include "store/container.h"
#include "store/exception.h"
#include "store/finding.h"
#include "store/image.h"
#include "store/posture.h"
#include "store/scan.h"
#include "wire/json.h"
#include "wire/msg/image.h"

#include <string.h>

/* Time alone changes clocks and exceptions at moments we know; a policy of one's
 * own may look at the time in other ways, so nothing is left longer than this. */
enum { LOOK_AGAIN_MS = 6 * 3600 * 1000, HISTORY_BYTES = 256 << 10 };

static int load_aliases(struct db *db, struct image_facts *facts, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < facts->n_findings; i++) {
        struct image_finding *f = &facts->findings[i];
        struct vulnerability v;
        if (i > 0 && f[-1].vulnerability_id == f->vulnerability_id) {
            f->aliases = f[-1].aliases;
            continue;
        }
        if (vulnerability_get(db, f->vulnerability_id, arena, &v, err) < 0)
            return -1;
        const char *joined = v.n_aliases > 0 ? v.aliases[0] : NULL;
        for (size_t k = 1; k < v.n_aliases && joined != NULL; k++)
            joined = arena_printf(arena, "%s, %s", joined, v.aliases[k]);
        f->aliases = joined;
    }
    return 0;
}

int facts_load(struct db *db, int64_t image_id, const struct freshness_limits *limits, int64_t now_ms, bool with_aliases,
               struct arena *arena, struct image_facts *out, struct err *err)
{
    struct image_facts f = { 0 };
    struct scan_clocks clocks;
    const char **signers;

    int rc = image_get(db, image_id, limits, now_ms, arena, &f.image, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "image %lld is gone", (long long)image_id);
    if (finding_list(db, image_id, 0, arena, &f.findings, &f.n_findings, err) != 0 ||
        issue_list(db, image_id, arena, &f.issues, &f.n_issues, err) != 0 ||
        scan_signers(db, image_id, arena, &signers, &f.n_signers, err) != 0 || scan_clocks(db, image_id, &clocks, err) != 0 ||
        (with_aliases && load_aliases(db, &f, arena, err) != 0))
        return -1;
    f.signers = signers;
    f.image.is_signed = clocks.n > 0 && clocks.n_signed == clocks.n;     /* a signer may have been revoked since */
    *out = f;
    return 0;
}

/* Aliases matter only when an exception names something that is not a CVE. */
static bool needs_aliases(const struct exception *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (all[i].vulnerability != NULL && !str_starts(all[i].vulnerability, "CVE-"))
            return true;
    }
    return false;
}

int image_decide(struct app *app, struct db *db, int64_t image_id, enum stage stage, int64_t now_ms, struct arena *arena,
                 struct image_facts *facts, struct verdict *out, struct err *err)
{
    struct exception *exceptions;
    size_t n;

    if (exception_list_active(db, now_ms, arena, &exceptions, &n, err) != 0)
        return -1;
    const struct policy_set *set;
    if (policies_hold(app, db, &set, err) != 0)
        return -1;
    int rc = facts_load(db, image_id, &set->limits, now_ms, needs_aliases(exceptions, n), arena, facts, err);
    if (rc == 0) {
        struct policy_input in = { .stage = stage, .facts = facts, .exceptions = exceptions, .n_exceptions = n, .now_ms = now_ms };
        rc = verdict_decide(set, &in, arena, out, err);
    }
    if (rc == 0)
        rc = verdict_keep(out, arena, err);
    policies_release(app, set);
    return rc;
}

/* History keeps as many reasons, the worst first, as fit: a hostile report neither
 * fills the disk nor makes its image impossible to judge. */
const char *reasons_json(const struct verdict *v, size_t max, struct arena *arena)
{
    enum { ONE_BYTES = 1 << 20 };
    struct buf b;

    buf_init(&b, max + ONE_BYTES);
    buf_putc(&b, '[');
    for (size_t i = 0; i < v->n_reasons; i++) {
        size_t before = b.len;
        if (i > 0)
            buf_putc(&b, ',');
        shape_encode(&reason_shape, &v->reasons[i], &b);
        if (!b.failed && b.len <= max)
            continue;
        b.len = before;
        b.failed = b.ptr == NULL;
        break;
    }
    buf_putc(&b, ']');
    const char *text = b.failed ? NULL : arena_strndup(arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

/* The same reasons, in whatever words: messages tell ages, and a day more is no change.
 * History would grow by a row per stale image and day. */
static bool same_reasons(const char *was, const char *is, struct arena *arena)
{
    static const char *const parts[] = { "policy", "rule", "effect", "severity", "where", "since", "finding.vulnerability",
                                         "finding.package", "finding.version", "finding.fixed_version" };
    struct err ignored = { 0 };
    struct json a, b;

    if (str_eq(was, is))
        return true;
    if (json_parse(arena, was, strlen(was), NULL, &a, &ignored) != 0 || json_parse(arena, is, strlen(is), NULL, &b, &ignored) != 0 ||
        json_len(&a) != json_len(&b))
        return false;
    for (uint32_t i = 0; i < json_len(&a); i++) {
        for (size_t k = 0; k < N_ITEMS(parts); k++) {
            if (!str_eq(json_str(json_path(json_at(&a, i), parts[k]), ""), json_str(json_path(json_at(&b, i), parts[k]), "")))
                return false;
        }
    }
    return true;
}

/* A new row of history when the decision or the reasons differ from the last one. */
static int record(struct db *db, const struct verdict *v, struct image *image, const char *cause, int64_t now_ms,
                  struct arena *arena, struct err *err)
{
    struct verdict_row *last;
    size_t n;
    const char *reasons = reasons_json(v, HISTORY_BYTES, arena);

    if (reasons == NULL)
        return err_nomem(err);
    if (verdict_list(db, image->id, INT64_MAX, 1, arena, &last, &n, err) != 0)
        return -1;
    bool changed = n == 0 || last[0].decision != v->decision;
    if (changed)
        image->verdict_since_ms = now_ms;
    if (!changed && same_reasons(last[0].reasons, reasons, arena))
        return 0;
    /* Two judgements in one millisecond with the same decision are one row; a clock that
     * was set back must not put a row before the last one. */
    int64_t at = n > 0 && (last[0].at_ms > now_ms || (last[0].at_ms == now_ms && changed)) ? last[0].at_ms + 1 : now_ms;
    return verdict_insert(db, image->id, at, v->decision, cause, reasons, err);
}

int image_judge(struct app *app, struct db *db, int64_t image_id, const char *cause, int64_t effective_ms, int64_t now_ms,
                struct arena *arena, struct verdict *out, struct err *err)
{
    struct image_facts facts;
    struct image before;

    const struct freshness_limits limits = app_limits(app);
    int rc = image_get(db, image_id, &limits, now_ms, arena, &before, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "image %lld is gone", (long long)image_id);
    if (image_decide(app, db, image_id, STAGE_BUILD, now_ms, arena, &facts, out, err) != 0)
        return -1;
    struct image *m = &facts.image;
    m->verdict = out->decision;
    m->next_check_ms = now_ms + LOOK_AGAIN_MS;
    if (out->valid_until_ms != TIME_UNKNOWN && out->valid_until_ms < m->next_check_ms)
        m->next_check_ms = out->valid_until_ms;
    if (m->has_scan && m->is_signed != before.is_signed &&
        image_set_clocks(db, image_id, m->scanned_ms, m->db_built_ms, m->is_signed, err) != 0)
        return -1;
    if (record(db, out, m, cause, now_ms, arena, err) != 0 || image_set_judgement(db, m, err) != 0 ||
        container_mark_image(db, image_id, err) != 0)
        return -1;
    return trend_add(db, effective_ms, m->team, &before.counts, &m->counts, err);
}
