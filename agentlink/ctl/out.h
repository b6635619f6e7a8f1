/* out.h - output: --output FORMAT[=FILE], several at once.
 *
 * A writer is pure: what is to be shown and how it should look in, text out. */
#ifndef KEEP_CTL_OUT_H
#define KEEP_CTL_OUT_H

#include "ctl/column.h"
#include "wire/jsonw.h"

enum { OUT_MAX = 16, OUT_TEXT_MAX = 256 * 1024 * 1024 };

struct listing {
    const struct column *columns; size_t n_columns;
    const struct json *items;        /* a list; or one object, shown as lines */
    const struct json *whole;        /* what JSON output prints */
};

/* What was decided about an image, and what it was decided on. */
struct assessment {
    const struct json *scan;         /* NULL: no upload */
    const struct json *image, *verdict;
    const struct json *findings;     /* list; NULL: not asked for */
    const struct json *issues;       /* list; NULL: not asked for */
    const struct json *whole;        /* the server's answer */
    const char *file;                /* the report, for locations; NULL: not known */
    int report_severity;             /* findings below are left out; 0: none are */
    int exit_code;
    const char *why;                 /* of the exit code */
};

struct out_format {
    const char *name;
    int (*list)(const struct listing *l, const struct look *look, struct arena *arena, struct buf *b, struct err *err);
    int (*assessment)(const struct assessment *a, const struct look *look, struct arena *arena, struct buf *b,
                      struct err *err);
    /* A configuration check: the answer of POST /v1/check, and why it ends as it does. */
    int (*check)(const struct json *answer, const char *why, const struct look *look, struct arena *arena, struct buf *b,
                 struct err *err);
    bool findings;                   /* an assessment needs findings and issues */
    const char *doc;
};
extern const struct out_format out_formats[];
extern const size_t n_out_formats;

struct out_spec {
    const struct out_format *format;
    const char *file;                /* NULL: standard output */
};

/* "sarif=out.sarif".  ERR_INVALID names the formats there are. */
int out_parse(const char *text, struct out_spec *out, struct err *err);

struct ctl;
int out_deliver(struct ctl *c, const struct out_spec *spec, const struct buf *b);     /* what a writer wrote; 0, or told */
int out_list(struct ctl *c, const struct listing *l);              /* exit code */
int out_assessment(struct ctl *c, const struct assessment *a);     /* 0, or CODE_LOCAL when an output failed */
int out_check(struct ctl *c, const struct json *answer, const char *why);      /* the same */

/* ---- writers, one file each -------------------------------------------------- */
#define OUT_LIST(name) int name(const struct listing *l, const struct look *look, struct arena *arena, struct buf *b, struct err *err)
#define OUT_CHECK(name) int name(const struct json *answer, const char *why, const struct look *look, struct arena *arena, struct buf *b, struct err *err)
#define OUT_ASSESSMENT(name) int name(const struct assessment *a, const struct look *look, struct arena *arena, struct buf *b, struct err *err)
OUT_LIST(out_table_list);
OUT_LIST(out_json_list);
OUT_LIST(out_markdown_list);
OUT_ASSESSMENT(out_text_assessment);
OUT_ASSESSMENT(out_json_assessment);
OUT_ASSESSMENT(out_markdown_assessment);
OUT_ASSESSMENT(out_sarif_assessment);
OUT_ASSESSMENT(out_junit_assessment);
OUT_ASSESSMENT(out_gitlab_assessment);
void out_gitlab_tool(struct jsonw *w, const char *key);      /* Keep, as GitLab's reports name a scanner */
OUT_ASSESSMENT(out_codequality_assessment);
OUT_ASSESSMENT(out_github_assessment);

/* ---- what writers share --------------------------------------------------------- */
/* Findings that are reported and count: severe enough, not excepted or suppressed. */
bool finding_is_reported(const struct assessment *a, const struct json *finding);
int severity_index(const char *word);            /* enum severity; SEVERITY_UNKNOWN for others */
/* "critical CVE-1 in openssl 3.0.1, fixed in 3.0.2" */
char *finding_sentence(const struct json *finding, struct arena *arena);
/* "repo:tag" or the digest; never NULL. */
const char *assessment_name(const struct assessment *a);
/* A location that CI systems accept: the report's path, else the image's name with
 * everything but letters, digits, '.', '-', '_' and '/' replaced. */
const char *assessment_location(const struct assessment *a, struct arena *arena);
/* Hex SHA-256 over the parts, each ended by a NUL: stable identity of a result. */
char *fingerprint_of(struct arena *arena, const char *const *parts, size_t n);
/* As text or an attribute of XML, safe for a terminal, on one line. */
void put_xml(struct buf *b, const char *s);

#endif
