/* finding.h - vulnerabilities, where they were found, and every change of that. */
#ifndef KEEP_STORE_FINDING_H
#define KEEP_STORE_FINDING_H

#include "base/arena.h"
#include "db/db.h"
#include "model/image.h"

extern const struct db_queries finding_queries;

/* What is known of a vulnerability itself, whoever has it. */
struct vulnerability {
    int64_t id;
    const char *name;                    /* the CVE where one is known */
    const char *const *aliases; size_t n_aliases;
    const char *title, *url, *vector;
    int64_t cvss, epss;                  /* tenths, millionths; -1 not known */
    bool is_kev;
    int64_t published_ms;
};

/* By name or alias: the id, 0 when not stored. */
int vulnerability_find(struct db *db, const char *name, int64_t *id, struct err *err);
/* Stores it, or brings what is stored up to date (a known fact is never lost to an unknown one). */
int vulnerability_upsert(struct db *db, const struct vulnerability *v, int64_t *id, struct err *err);
int vulnerability_get(struct db *db, int64_t id, struct arena *arena, struct vulnerability *out, struct err *err);

struct vulnerability_row {
    const char *name, *title, *url;
    int64_t id, severity, cvss, epss, images, running, fixable;
    bool is_kev;
};
/* The vulnerabilities with most images first; prefix, kev and severity (enum + 1) filter. */
int vulnerability_list(struct db *db, const char *prefix, bool kev, int severity, int64_t limit, struct arena *arena,
                       struct vulnerability_row **items, size_t *n, struct err *err);

int scanner_intern(struct db *db, const char *name, int64_t *id, struct err *err);

/* All findings of an image, by (vulnerability, package, scanner); scanner_id 0: of all scanners. */
int finding_list(struct db *db, int64_t image_id, int64_t scanner_id, struct arena *arena,
                 struct image_finding **items, size_t *n, struct err *err);
int finding_insert(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err);
int finding_update(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err);
int finding_delete(struct db *db, int64_t image_id, const struct image_finding *f, struct err *err);

struct finding_change {
    int64_t at_ms;
    const char *vulnerability, *package, *scanner, *change, *cause, *detail;
    int64_t vulnerability_id, package_id, scanner_id;
};
int finding_change_insert(struct db *db, int64_t image_id, const struct finding_change *c, struct err *err);
int finding_change_list(struct db *db, int64_t image_id, int64_t limit, struct arena *arena,
                        struct finding_change **items, size_t *n, struct err *err);

/* Who has a vulnerability: one row per image, package and scanner, in this order;
 * after: the ids of these three where the page before ended. */
struct finding_holder {
    struct image_finding finding;
    struct image image;                  /* its id, names, verdict and clocks only */
};
int finding_holders(struct db *db, int64_t vulnerability_id, const char *team, bool running, bool fixable,
                    const int64_t after[3], int64_t limit, struct arena *arena, struct finding_holder **items, size_t *n,
                    struct err *err);

int issue_clear(struct db *db, int64_t image_id, int64_t scanner_id, struct err *err);
int issue_insert(struct db *db, int64_t image_id, int64_t scanner_id, int64_t position, const struct image_issue *issue,
                 struct err *err);
int issue_list(struct db *db, int64_t image_id, struct arena *arena, struct image_issue **items, size_t *n, struct err *err);

#endif
