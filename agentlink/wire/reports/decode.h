/* decode.h - what the decoders of all report formats share.  Private to wire/.
 *
 * A decoder is `void NAME_decode(struct decode *d, const struct json *doc)`.
 * It fails once: the first failure is kept in `err`, later calls do nothing
 * useful but are safe, loops end on d->failed, and report_decode looks at the
 * end.  Whatever the report says twice or wrongly in a place that does not
 * matter is dropped and counted in scan->n_unmapped; a wrong type where it does
 * matter (lists of packages and findings, names, versions) is an error with the
 * JSON path of the value.
 *
 * Text in the scan points into the parsed document or into the arena: both live
 * as long as the arena. */
#ifndef KEEP_WIRE_REPORTS_DECODE_H
#define KEEP_WIRE_REPORTS_DECODE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "model/scan.h"
#include "wire/json.h"
#include "wire/severity.h"

enum {
    MAX_PACKAGES = 200000,
    MAX_FINDINGS = 500000,
    MAX_ISSUES = 500000,
    MAX_TEXT = 1024 * 1024,      /* bytes of one string */
    MAX_NAMES = 64,              /* aliases of a finding; digests, tags of an image */
    MAX_NESTING = 32,            /* components in components */
    MAX_WRAPPED = 3,             /* reports in reports */
};

#define NO_ID "unnamed"

struct decode {
    struct arena *arena;
    struct scan *scan;
    const struct json *root;     /* where paths start */
    struct err *err;
    bool failed;
    unsigned wrapped;            /* depth of reports in reports */
    size_t cap_packages, cap_findings, cap_issues;
    size_t expected;             /* rows the list at hand will add, at most */
};

/* ---- failing ---------------------------------------------------------------- */

/* Keeps the first failure: "$.a[3].b: <message>".  `where` may be NULL. */
void decode_fail(struct decode *d, const struct json *where, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));
void decode_nomem(struct decode *d);

/* ---- members ---------------------------------------------------------------- */

/* A list or an object; NULL when absent or null; any other type is an error. */
const struct json *decode_list(struct decode *d, const struct json *object, const char *key);
const struct json *decode_object(struct decode *d, const struct json *object, const char *key);

/* Text; NULL when absent, null or empty.  A number is read as its decimal text
 * (producers change their minds about versions and ids), a list or an object
 * is an error. */
const char *decode_text(struct decode *d, const struct json *object, const char *key);
const char *decode_text_of(struct decode *d, const struct json *value);

/* As decode_text, but a wrong type is counted as unmapped, not an error. */
const char *decode_hint(struct decode *d, const struct json *object, const char *key);
const char *decode_hint_of(struct decode *d, const struct json *value);

/* decode_hint along "a.b.c". */
const char *decode_hint_path(struct decode *d, const struct json *object, const char *dotted);

/* A time as scanners write it; anything unreadable is TIME_UNKNOWN, counted. */
int64_t decode_time(struct decode *d, const struct json *object, const char *key);
int64_t decode_time_of(struct decode *d, const struct json *value);

/* http or https, no spaces or quotes, at most 2,048 bytes; else NULL. */
const char *decode_url(const char *text);

/* The first acceptable URL in a list of strings or of {"url": ...}. */
const char *decode_first_url(const struct json *list);

/* All strings of a list (or of its objects' member `key`), ", "-joined; NULL when none. */
const char *decode_join(struct decode *d, const struct json *list, const char *key);

/* Counts members of an object that are not among `known` (NULL-terminated), and items. */
void decode_unknown_members(struct decode *d, const struct json *object, const char *const known[]);
void decode_unplaced(struct decode *d, const struct json *list);

/* arena_printf that fails d. */
const char *decode_printf(struct decode *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *decode_strndup(struct decode *d, const char *text, size_t len);

/* ---- rows ------------------------------------------------------------------- */

/* So many rows are about to be added: the next growth makes room for them. */
void decode_expect(struct decode *d, const struct json *list);

/* A new row with its "not known" values set, or NULL (failed). The pointer is
 * good until the next of its kind is added. */
struct package *decode_add_package(struct decode *d);
struct finding *decode_add_finding(struct decode *d, const char *id);
struct issue *decode_add_issue(struct decode *d, enum issue_kind kind, const char *id);

/* Appends to a list of names unless it is there or the list is full (counted). */
void decode_add_name(struct decode *d, const char ***list, size_t *n, const char *name);
void finding_add_alias(struct decode *d, struct finding *f, const char *name);

/* `claimed` in points (7.5) or negative; vector may be NULL. */
void finding_add_cvss(struct decode *d, struct finding *f, const char *source, const char *vector, double claimed);

/* Ties a finding to packages[index] and takes its name and version. */
void finding_set_package(struct decode *d, struct finding *f, size_t index);

/* Severity from the producer's word (kept) and who said so. */
void finding_set_severity(struct finding *f, const char *word, const char *source);

/* STATUS_FIXED when a fix is known, else STATUS_AFFECTED: for producers without a word. */
void finding_default_status(struct finding *f);

/* What is stored of a secret: how long it was, never a byte of it. */
const char *decode_masked(struct decode *d, const char *match);

/* ---- the image -------------------------------------------------------------- */

/* "sha256:...", or anything with "@sha256:..." behind it; invalid ones are counted. */
void image_add_digest(struct decode *d, const char *text);
void image_set_config(struct decode *d, const char *digest);
/* The name the scanner was called with; its tag and digest are taken out of it. */
void image_set_reference(struct decode *d, const char *text);
/* A full reference: with a tag it is added to the tags, with a digest to the digests. */
void image_add_name(struct decode *d, const char *text);
void image_set_os(struct decode *d, const char *family, const char *version);

/* ---- packages (package.c) ---------------------------------------------------- */

/* The parts of a package URL, percent-decoded; NULL where absent. */
struct purl_view {
    const char *type, *space, *name, *version;
    const char *arch, *distro, *upstream, *epoch, *repository_url, *tag;
};

/* False when the text is no package URL; sets the canonical text, too. */
bool purl_view_read(struct decode *d, const char *text, struct purl_view *out, const char **canonical);

struct package_hints {
    const char *purl;             /* as written, or NULL */
    const char *type;             /* the producer's word: "deb", "npm", "java-archive", "os-pkgs" */
    const char *os_family, *os_version;   /* of the system it is installed in */
    const char *group;            /* namespace, when the producer keeps it apart */
    const char *not_package;      /* why this entry is no package at all, or NULL */
};

/* Fills purl, ecosystem, arch, source, the full name, and whether the package
 * can be evaluated; keeps what the decoder has set. */
void package_finish(struct decode *d, struct package *p, const struct package_hints *hints);

/* "NAME [EPOCH:]VERSION[-RELEASE]" put together; any part may be NULL or "". */
const char *package_full_version(struct decode *d, int64_t epoch, const char *version, const char *release);

/* ---- an index from text to a row ---------------------------------------------- */

struct name_index {
    struct name_slot *slots;
    size_t size;                  /* power of two, 0 while empty */
    size_t n;
};

/* First one in wins; NULL names are ignored. */
void name_index_put(struct decode *d, struct name_index *ix, const char *name, size_t row);
/* NO_PACKAGE when not there. */
size_t name_index_get(const struct name_index *ix, const char *name);

/* ---- decoders, one per format; detect looks at the fewest keys that decide ------ */

bool trivy_detect(const struct json *doc);
void trivy_decode(struct decode *d, const struct json *doc);
bool trivy_legacy_detect(const struct json *doc);
void trivy_legacy_decode(struct decode *d, const struct json *doc);
bool trivy_k8s_detect(const struct json *doc);
void trivy_k8s_decode(struct decode *d, const struct json *doc);
bool trivy_operator_detect(const struct json *doc);
void trivy_operator_decode(struct decode *d, const struct json *doc);
bool grype_detect(const struct json *doc);
void grype_decode(struct decode *d, const struct json *doc);
bool syft_detect(const struct json *doc);
void syft_decode(struct decode *d, const struct json *doc);
bool cyclonedx_detect(const struct json *doc);
void cyclonedx_decode(struct decode *d, const struct json *doc);
bool spdx_detect(const struct json *doc);
void spdx_decode(struct decode *d, const struct json *doc);
bool sarif_detect(const struct json *doc);
void sarif_decode(struct decode *d, const struct json *doc);
bool clair_detect(const struct json *doc);
void clair_decode(struct decode *d, const struct json *doc);
bool harbor_detect(const struct json *doc);
void harbor_decode(struct decode *d, const struct json *doc);
bool gitlab_detect(const struct json *doc);
void gitlab_decode(struct decode *d, const struct json *doc);
bool osv_scanner_detect(const struct json *doc);
void osv_scanner_decode(struct decode *d, const struct json *doc);
bool osv_advisory_detect(const struct json *doc);
void osv_advisory_decode(struct decode *d, const struct json *doc);
bool cosign_vuln_detect(const struct json *doc);
void cosign_vuln_decode(struct decode *d, const struct json *doc);
bool intoto_vulns_detect(const struct json *doc);
void intoto_vulns_decode(struct decode *d, const struct json *doc);
bool openvex_detect(const struct json *doc);
bool csaf_detect(const struct json *doc);

/* SPDX as tag-value text is the one report that is not JSON. */
bool spdx_text_detect(const void *text, size_t len);
void spdx_text_decode(struct decode *d, const void *text, size_t len);

/* Shared between formats. */
struct trivy_place {
    const char *os_family, *os_version;   /* of the system the result is about */
    const char *type;                     /* "os-pkgs", "npm" ...: of the result's packages */
    const char *where;                    /* put before paths; NULL for an image */
};
void trivy_result_decode(struct decode *d, const struct json *result, const struct trivy_place *place);
void trivy_vulnerability_decode(struct decode *d, const struct json *v, const struct trivy_place *place,
                                const struct name_index *index, const char *target);
void trivy_misconfiguration_decode(struct decode *d, const struct json *m, const char *target);
enum finding_status trivy_status(const char *word);
void cyclonedx_components_decode(struct decode *d, const struct json *bom);
struct osv_place { size_t package; const char *name, *version, *ecosystem, *path; };
void osv_finding_decode(struct decode *d, const struct json *v, const struct osv_place *place);
/* A report inside a report: detects and decodes into the same scan, keeps its format. */
void report_decode_inner(struct decode *d, const struct json *doc);

#endif
