/* facts.c - see facts.h.  Nothing is copied: each class answers its fields from
 * the struct, by a table of names that is the compile-time shape as well. */
#include "core/facts.h"

#include "base/str.h"
#include "base/time.h"
#include "core/tally.h"
#include "wire/msg/words.h"

#include <string.h>

typedef struct cel_value getter(struct cel_run *run, const void *self);

struct member {
    const char *name;
    getter *get;
};

static struct cel_value find(struct cel_run *run, const void *self, const struct member *m, size_t n, const char *key, uint32_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(m[i].name) == len && memcmp(m[i].name, key, len) == 0)      /* a key may hold a NUL */
            return m[i].get(run, self);
    }
    return (struct cel_value){ 0 };
}

static struct cel_value text_or(const char *s)
{
    return cel_text(s != NULL ? s : "");
}

static struct cel_value text_or_missing(struct cel_run *run, const char *s, const char *name)
{
    return s != NULL ? cel_text(s) : cel_missing(cel_arena(run), name);
}

struct cel_value facts_time(int64_t at_ms)
{
    int64_t seconds = at_ms / 1000, ms = at_ms % 1000;

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    return cel_timestamp(seconds, (uint32_t)ms * 1000000u);
}

static struct cel_value time_or_missing(struct cel_run *run, int64_t at_ms, const char *name)
{
    return at_ms != TIME_UNKNOWN ? facts_time(at_ms) : cel_missing(cel_arena(run), name);
}

static struct cel_value span(int64_t ms)
{
    const int64_t most = INT64_MAX / 1000000;      /* 292 years */

    return cel_duration((ms > most ? most : ms < -most ? -most : ms) * 1000000);
}

/* ---- a finding ---------------------------------------------------------------- */

#define FINDING ((const struct image_finding *)self)
static struct cel_value f_vulnerability(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->vulnerability); }
static struct cel_value f_package(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->package); }
static struct cel_value f_version(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->version); }
static struct cel_value f_ecosystem(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->ecosystem); }
static struct cel_value f_fixed_version(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->fixed_version); }
static struct cel_value f_fixable(struct cel_run *run, const void *self) { (void)run; return cel_bool(FINDING->fixed_version != NULL); }
static struct cel_value f_severity(struct cel_run *run, const void *self) { (void)run; return cel_text(severity_words[FINDING->severity]); }
static struct cel_value f_status(struct cel_run *run, const void *self) { (void)run; return cel_text(status_words[FINDING->status]); }
static struct cel_value f_scanner(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->scanner); }
static struct cel_value f_title(struct cel_run *run, const void *self) { (void)run; return text_or(FINDING->title); }
static struct cel_value f_kev(struct cel_run *run, const void *self) { (void)run; return cel_bool(FINDING->is_kev); }
static struct cel_value f_since(struct cel_run *run, const void *self) { return time_or_missing(run, FINDING->since_ms, "time of the finding"); }
static struct cel_value f_cvss(struct cel_run *run, const void *self)
{
    return FINDING->cvss >= 0 ? cel_double((double)FINDING->cvss / 10) : cel_missing(cel_arena(run), "CVSS score");
}
static struct cel_value f_epss(struct cel_run *run, const void *self)
{
    return FINDING->epss >= 0 ? cel_double((double)FINDING->epss / 1e6) : cel_missing(cel_arena(run), "EPSS score");
}
#undef FINDING

static const struct member finding_members[] = {
    { "vulnerability", f_vulnerability }, { "package", f_package }, { "version", f_version }, { "ecosystem", f_ecosystem },
    { "fixed_version", f_fixed_version }, { "fixable", f_fixable }, { "severity", f_severity }, { "status", f_status },
    { "scanner", f_scanner }, { "title", f_title }, { "kev", f_kev }, { "since", f_since }, { "cvss", f_cvss }, { "epss", f_epss },
};

static struct cel_value finding_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    return find(run, self, finding_members, N_ITEMS(finding_members), key, len);
}
static struct cel_value finding_key(struct cel_run *run, const void *self, uint32_t i)
{
    (void)run, (void)self;
    return cel_text(finding_members[i].name);
}
static const struct cel_class finding_class = { "finding", finding_get, finding_key };

/* ---- an issue -------------------------------------------------------------------- */

#define ISSUE ((const struct image_issue *)self)
static struct cel_value u_kind(struct cel_run *run, const void *self) { (void)run; return cel_text(issue_kind_words[ISSUE->kind]); }
static struct cel_value u_rule(struct cel_run *run, const void *self) { (void)run; return text_or(ISSUE->rule); }
static struct cel_value u_severity(struct cel_run *run, const void *self) { (void)run; return cel_text(severity_words[ISSUE->severity]); }
static struct cel_value u_status(struct cel_run *run, const void *self) { (void)run; return text_or(ISSUE->status); }
static struct cel_value u_title(struct cel_run *run, const void *self) { (void)run; return text_or(ISSUE->title); }
static struct cel_value u_message(struct cel_run *run, const void *self) { (void)run; return text_or(ISSUE->message); }
static struct cel_value u_file(struct cel_run *run, const void *self) { (void)run; return text_or(ISSUE->file); }
static struct cel_value u_line(struct cel_run *run, const void *self) { (void)run; return cel_int(ISSUE->start_line); }
#undef ISSUE

static const struct member issue_members[] = {
    { "kind", u_kind }, { "rule", u_rule }, { "severity", u_severity }, { "status", u_status }, { "title", u_title },
    { "message", u_message }, { "file", u_file }, { "line", u_line },
};
static struct cel_value issue_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    return find(run, self, issue_members, N_ITEMS(issue_members), key, len);
}
static struct cel_value issue_key(struct cel_run *run, const void *self, uint32_t i)
{
    (void)run, (void)self;
    return cel_text(issue_members[i].name);
}
static const struct cel_class issue_class = { "issue", issue_get, issue_key };

/* ---- lists of them ------------------------------------------------------------------ */

static struct cel_value object_of(struct cel_run *run, const struct cel_class *cls, const void *self, size_t n)
{
    struct cel_object *o = arena_alloc(cel_arena(run), sizeof *o);

    if (o == NULL)
        return cel_fail(run, "out of memory");
    *o = (struct cel_object){ cls, self, (uint32_t)n };
    return cel_object_map(o);
}

static struct cel_value findings_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct facts_view *v = self;

    return object_of(run, &finding_class, v->open[i], N_ITEMS(finding_members));
}
static const struct cel_class findings_class = { "findings", NULL, findings_at };

static struct cel_value issues_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct facts_view *v = self;

    return object_of(run, &issue_class, &v->facts->issues[i], N_ITEMS(issue_members));
}
static const struct cel_class issues_class = { "issues", NULL, issues_at };

static struct cel_value signers_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct facts_view *v = self;

    (void)run;
    return cel_text(v->facts->signers[i]);
}
static const struct cel_class signers_class = { "signers", NULL, signers_at };

const struct image_finding *facts_item_finding(const struct cel_value *item)
{
    bool is = item->kind == CEL_MAP && item->form == CEL_OBJECT && item->object->cls == &finding_class;

    return is ? item->object->self : NULL;
}

const struct image_issue *facts_item_issue(const struct cel_value *item)
{
    bool is = item->kind == CEL_MAP && item->form == CEL_OBJECT && item->object->cls == &issue_class;

    return is ? item->object->self : NULL;
}

/* ---- the image ------------------------------------------------------------------------ */

#define VIEW ((const struct facts_view *)self)
#define IMAGE (&VIEW->facts->image)
static const char no_scan[] = "a scan of the image";

static struct cel_value n_critical(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.critical); }
static struct cel_value n_high(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.high); }
static struct cel_value n_medium(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.medium); }
static struct cel_value n_low(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.low); }
static struct cel_value n_other(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.other); }
static struct cel_value n_fixable(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.fixable); }
static struct cel_value n_kev(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.kev); }
static struct cel_value n_secrets(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.secrets); }
static struct cel_value n_malware(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.malware); }
static struct cel_value n_misconfigurations(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.misconfigurations); }
static struct cel_value n_excepted(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->counts.excepted); }

static const struct member counts_members[] = {
    { "critical", n_critical }, { "high", n_high }, { "medium", n_medium }, { "low", n_low }, { "other", n_other },
    { "fixable", n_fixable }, { "kev", n_kev }, { "secrets", n_secrets }, { "malware", n_malware },
    { "misconfigurations", n_misconfigurations }, { "excepted", n_excepted },
};
static struct cel_value counts_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    return find(run, self, counts_members, N_ITEMS(counts_members), key, len);
}
static const struct cel_class counts_class = { "counts", counts_get, NULL };

static struct cel_value i_digest(struct cel_run *run, const void *self) { (void)run; return text_or(IMAGE->digest); }
static struct cel_value i_repository(struct cel_run *run, const void *self) { (void)run; return text_or(IMAGE->repository); }
static struct cel_value i_reference(struct cel_run *run, const void *self) { (void)run; return text_or(IMAGE->reference); }
static struct cel_value i_tag(struct cel_run *run, const void *self) { (void)run; return text_or(IMAGE->tag); }
static struct cel_value i_team(struct cel_run *run, const void *self) { (void)run; return text_or(IMAGE->team); }
static struct cel_value i_arch(struct cel_run *run, const void *self) { return text_or_missing(run, IMAGE->arch, "the image's architecture"); }
static struct cel_value i_base_image(struct cel_run *run, const void *self) { return text_or_missing(run, IMAGE->base_image, "the base image"); }
static struct cel_value i_os_family(struct cel_run *run, const void *self) { return text_or_missing(run, IMAGE->os_family, "the image's operating system"); }
static struct cel_value i_os_version(struct cel_run *run, const void *self) { return text_or_missing(run, IMAGE->os_version, "the image's operating system"); }
static struct cel_value i_has_scan(struct cel_run *run, const void *self) { (void)run; return cel_bool(IMAGE->has_scan); }
static struct cel_value i_running(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->running); }
static struct cel_value i_packages(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->packages); }
static struct cel_value i_evaluable(struct cel_run *run, const void *self) { (void)run; return cel_int(IMAGE->evaluable); }
static struct cel_value i_inventory_at(struct cel_run *run, const void *self) { return time_or_missing(run, IMAGE->inventory_ms, "an inventory of the image"); }

static struct cel_value i_registry(struct cel_run *run, const void *self)
{
    const char *slash = strchr(IMAGE->repository, '/');

    (void)run;
    return slash != NULL ? cel_string(IMAGE->repository, (size_t)(slash - IMAGE->repository)) : cel_text("");
}

static const char *time_name(const void *self)
{
    return IMAGE->has_scan ? "the time of the scan" : no_scan;
}
static const char *db_name(const void *self)
{
    return IMAGE->has_scan ? "the build time of the vulnerability database" : no_scan;
}
static struct cel_value i_scanned_at(struct cel_run *run, const void *self) { return time_or_missing(run, IMAGE->scanned_ms, time_name(self)); }
static struct cel_value i_database_built_at(struct cel_run *run, const void *self) { return time_or_missing(run, IMAGE->db_built_ms, db_name(self)); }
static struct cel_value i_scan_age(struct cel_run *run, const void *self)
{
    return IMAGE->scanned_ms != TIME_UNKNOWN ? span(VIEW->now_ms - IMAGE->scanned_ms) : cel_missing(cel_arena(run), time_name(self));
}
static struct cel_value i_database_age(struct cel_run *run, const void *self)
{
    return IMAGE->db_built_ms != TIME_UNKNOWN ? span(VIEW->now_ms - IMAGE->db_built_ms) : cel_missing(cel_arena(run), db_name(self));
}
static struct cel_value i_freshness(struct cel_run *run, const void *self)
{
    (void)run;
    return cel_text(freshness_word(freshness_decide(IMAGE, VIEW->limits, VIEW->now_ms)));
}
static struct cel_value i_signed(struct cel_run *run, const void *self)
{
    return IMAGE->has_scan ? cel_bool(IMAGE->is_signed) : cel_missing(cel_arena(run), no_scan);
}
static struct cel_value i_findings(struct cel_run *run, const void *self)
{
    return IMAGE->has_scan ? cel_object_list(&VIEW->findings_object) : cel_missing(cel_arena(run), no_scan);
}
static struct cel_value i_issues(struct cel_run *run, const void *self) { (void)run; return cel_object_list(&VIEW->issues_object); }
static struct cel_value i_signers(struct cel_run *run, const void *self) { (void)run; return cel_object_list(&VIEW->signers_object); }
static struct cel_value i_counts(struct cel_run *run, const void *self)
{
    return IMAGE->has_scan ? cel_object_map(&VIEW->counts_object) : cel_missing(cel_arena(run), no_scan);
}

static const struct member image_members[] = {
    { "digest", i_digest }, { "repository", i_repository }, { "registry", i_registry }, { "reference", i_reference }, { "tag", i_tag },
    { "team", i_team }, { "arch", i_arch }, { "base_image", i_base_image }, { "os_family", i_os_family }, { "os_version", i_os_version },
    { "has_scan", i_has_scan }, { "running", i_running }, { "packages", i_packages }, { "evaluable", i_evaluable },
    { "inventory_at", i_inventory_at }, { "scanned_at", i_scanned_at }, { "database_built_at", i_database_built_at },
    { "scan_age", i_scan_age }, { "database_age", i_database_age }, { "freshness", i_freshness }, { "signed", i_signed },
    { "findings", i_findings }, { "issues", i_issues }, { "signers", i_signers }, { "counts", i_counts },
};
static struct cel_value image_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    if (VIEW->facts == NULL)
        return cel_missing(cel_arena(run), "a record of the image");
    return find(run, self, image_members, N_ITEMS(image_members), key, len);
}
static const struct cel_class image_class = { "image", image_get, NULL };

static struct cel_value l_scan(struct cel_run *run, const void *self) { (void)run; return span(VIEW->limits->scan_max_age_ms); }
static struct cel_value l_database(struct cel_run *run, const void *self) { (void)run; return span(VIEW->limits->database_max_age_ms); }
static const struct member limits_members[] = { { "scan_age", l_scan }, { "database_age", l_database } };
static struct cel_value limits_get(struct cel_run *run, const void *self, const char *key, uint32_t len)
{
    return find(run, self, limits_members, N_ITEMS(limits_members), key, len);
}
static const struct cel_class limits_class = { "limits", limits_get, NULL };

/* ---- what may be named: the compile-time half -------------------------------------------- */

static const struct cel_shape text = { .kinds = CEL_K(CEL_STRING) }, number = { .kinds = CEL_K(CEL_INT) },
    real = { .kinds = CEL_K(CEL_DOUBLE) }, yes_no = { .kinds = CEL_K(CEL_BOOL) }, instant = { .kinds = CEL_K(CEL_TIMESTAMP) },
    length = { .kinds = CEL_K(CEL_DURATION) }, texts = { .kinds = CEL_K(CEL_LIST), .items = &text };

static const struct cel_field finding_fields[] = {
    { "vulnerability", &text }, { "package", &text }, { "version", &text }, { "ecosystem", &text }, { "fixed_version", &text },
    { "fixable", &yes_no }, { "severity", &text }, { "status", &text }, { "scanner", &text }, { "title", &text }, { "kev", &yes_no },
    { "since", &instant }, { "cvss", &real }, { "epss", &real },
};
static const struct cel_shape finding_shape = { .kinds = CEL_K(CEL_MAP), .fields = finding_fields, .n_fields = N_ITEMS(finding_fields) };
static const struct cel_shape findings_shape = { .kinds = CEL_K(CEL_LIST), .items = &finding_shape };
static const struct cel_field issue_fields[] = {
    { "kind", &text }, { "rule", &text }, { "severity", &text }, { "status", &text }, { "title", &text }, { "message", &text },
    { "file", &text }, { "line", &number },
};
static const struct cel_shape issue_shape = { .kinds = CEL_K(CEL_MAP), .fields = issue_fields, .n_fields = N_ITEMS(issue_fields) };
static const struct cel_shape issues_shape = { .kinds = CEL_K(CEL_LIST), .items = &issue_shape };
static const struct cel_field counts_fields[] = {
    { "critical", &number }, { "high", &number }, { "medium", &number }, { "low", &number }, { "other", &number },
    { "fixable", &number }, { "kev", &number }, { "secrets", &number }, { "malware", &number }, { "misconfigurations", &number },
    { "excepted", &number },
};
static const struct cel_shape counts_shape = { .kinds = CEL_K(CEL_MAP), .fields = counts_fields, .n_fields = N_ITEMS(counts_fields) };
static const struct cel_field image_fields[] = {
    { "digest", &text }, { "repository", &text }, { "registry", &text }, { "reference", &text }, { "tag", &text }, { "team", &text },
    { "arch", &text }, { "base_image", &text }, { "os_family", &text }, { "os_version", &text }, { "has_scan", &yes_no },
    { "running", &number }, { "packages", &number }, { "evaluable", &number }, { "inventory_at", &instant },
    { "scanned_at", &instant }, { "database_built_at", &instant }, { "scan_age", &length }, { "database_age", &length },
    { "freshness", &text }, { "signed", &yes_no }, { "findings", &findings_shape }, { "issues", &issues_shape },
    { "signers", &texts }, { "counts", &counts_shape },
};
static const struct cel_shape image_shape = { .kinds = CEL_K(CEL_MAP), .fields = image_fields, .n_fields = N_ITEMS(image_fields) };
static const struct cel_shape images_shape = { .kinds = CEL_K(CEL_LIST), .items = &image_shape };
static const struct cel_shape any_list_shape = { .kinds = CEL_K(CEL_LIST) };
static const struct cel_field limits_fields[] = { { "scan_age", &length }, { "database_age", &length } };
static const struct cel_shape limits_shape = { .kinds = CEL_K(CEL_MAP), .fields = limits_fields, .n_fields = N_ITEMS(limits_fields) };

_Static_assert(N_ITEMS(image_fields) == N_ITEMS(image_members), "what may be named is what is answered");
_Static_assert(N_ITEMS(finding_fields) == N_ITEMS(finding_members), "what may be named is what is answered");
_Static_assert(N_ITEMS(issue_fields) == N_ITEMS(issue_members), "what may be named is what is answered");
_Static_assert(N_ITEMS(counts_fields) == N_ITEMS(counts_members), "what may be named is what is answered");

const struct cel_var facts_vars[VAR_FIXED_N] = {
    [VAR_IMAGE] = { "image", &image_shape },
    [VAR_LIMITS] = { "limits", &limits_shape },
    [VAR_PARAMS] = { "params", NULL },
    [VAR_NOW] = { "now", &instant },
    [VAR_ITEM] = { "item", NULL },
    [VAR_OBJECT] = { "object", NULL },
    [VAR_OLD_OBJECT] = { "oldObject", NULL },
    [VAR_REQUEST] = { "request", NULL },
    [VAR_NAMESPACE_OBJECT] = { "namespaceObject", NULL },
    [VAR_IMAGES] = { "images", &images_shape },
    [VAR_POD] = { "pod", NULL },
    [VAR_CONTAINERS] = { "containers", &any_list_shape },
    [VAR_EVENT] = { "event", NULL },
    [VAR_NODE] = { "node", NULL },
    [VAR_CONTAINER] = { "container", NULL },
};

int facts_view_init(struct facts_view *v, const struct image_facts *facts, const struct freshness_limits *limits,
                    int64_t now_ms, struct arena *arena, struct err *err)
{
    *v = (struct facts_view){ .facts = facts, .limits = limits, .now_ms = now_ms };
    size_t n = facts != NULL ? facts->n_findings : 0;

    v->open = arena_array(arena, n, sizeof *v->open);
    if (v->open == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct image_finding *f = &facts->findings[i];
        if (finding_is_open(f))
            v->open[v->n_open++] = f;
    }
    v->image_object = (struct cel_object){ &image_class, v, 0 };
    v->limits_object = (struct cel_object){ &limits_class, v, 0 };
    v->counts_object = (struct cel_object){ &counts_class, v, N_ITEMS(counts_members) };
    v->findings_object = (struct cel_object){ &findings_class, v, (uint32_t)v->n_open };
    v->issues_object = (struct cel_object){ &issues_class, v, facts != NULL ? (uint32_t)facts->n_issues : 0 };
    v->signers_object = (struct cel_object){ &signers_class, v, facts != NULL ? (uint32_t)facts->n_signers : 0 };
    return 0;
}

struct cel_value facts_image(const struct facts_view *v)
{
    return cel_object_map(&v->image_object);
}

struct cel_value facts_limits(const struct facts_view *v)
{
    return cel_object_map(&v->limits_object);
}

static struct cel_value images_at(struct cel_run *run, const void *self, uint32_t i)
{
    const struct facts_images *list = self;

    (void)run;
    return facts_image(&list->views[i]);
}
static const struct cel_class images_class = { "images", NULL, images_at };

struct cel_value facts_images(struct facts_images *list)
{
    list->object = (struct cel_object){ &images_class, list, (uint32_t)list->n };
    return cel_object_list(&list->object);
}
