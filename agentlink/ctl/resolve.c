/* resolve.c - see resolve.h. */
#include "ctl/resolve.h"

#include "client/url.h"
#include "model/severity.h"
#include "wire/imageref.h"

#include <string.h>

enum { FINDINGS_MAX = 25000, IMAGES_LOOKED_AT = 500 };

static const char *list_target(struct ctl *c, const char *key, const char *value)
{
    struct buf b;

    buf_init(&b, 8192);
    buf_puts(&b, "/v1/images");
    url_query(&b, key, value);
    url_query(&b, "sort", "recent");
    char *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return text;
}

static int unknown(struct ctl *c, const char *text)
{
    ctl_wrong(c, "keepctl scan upload FILE --image REF@sha256:...   (or look: keepctl image list)", "Keep knows no image %s: it was never scanned or registered", text);
    return CODE_NO_SCAN;
}

/* The one image whose digest begins so. */
static int by_prefix(struct ctl *c, const char *text, const char **digest)
{
    struct json answer;
    bool more;

    int rc = ctl_list(c, list_target(c, "q", text), 2, &answer, &more);
    const struct json *items = json_get(&answer, "items");
    if (rc != 0)
        return rc;
    if (json_len(items) == 0)
        return unknown(c, text);
    if (json_len(items) > 1)
        return ctl_wrong(c, "more digits of the digest", "several images begin with %s", text);
    *digest = json_get_str(json_at(items, 0), "digest", text);
    return 0;
}

static bool has_tag(const struct json *image, const char *tag)
{
    const char *reference = json_get_str(image, "reference", ""), *colon = strrchr(reference, ':');

    return str_eq(json_get_str(image, "tag", ""), tag) || (colon != NULL && str_eq(colon + 1, tag));
}

static int by_name(struct ctl *c, const char *text, const struct imageref *ref, const char **digest)
{
    const char *name = imageref_name(&c->arena, ref), *tag = ref->tag_implied ? NULL : ref->tag;
    const struct json *found = NULL;
    struct json answer;
    bool more;

    if (name == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = ctl_list(c, list_target(c, "repository", name), IMAGES_LOOKED_AT, &answer, &more);
    if (rc != 0)
        return rc;
    const struct json *items = json_get(&answer, "items");
    for (uint32_t i = 0; i < json_len(items) && found == NULL; i++) {
        if (tag == NULL || has_tag(json_at(items, i), tag))
            found = json_at(items, i);
    }
    if (found == NULL)
        return unknown(c, text);
    *digest = json_get_str(found, "digest", "");
    ctl_say(c, "%s is %s here", text, *digest);
    return 0;
}

int resolve_image(struct ctl *c, const char *text, const char **digest)
{
    struct imageref ref;
    struct err err = { 0 };

    if (str_starts(text, "sha256:") && !digest_is_valid(text))
        return strspn(text + 7, "0123456789abcdef") == strlen(text + 7) ? by_prefix(c, text, digest)
            : ctl_wrong(c, NULL, "expected sha256: and lower-case hex digits, got '%s'", text);
    if (imageref_parse(&c->arena, text, &ref, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (ref.digest == NULL)
        return by_name(c, text, &ref, digest);
    *digest = ref.digest;
    return 0;
}

const char *image_target(struct ctl *c, const char *digest, const char *rest)
{
    return arena_printf(&c->arena, "/v1/images/%s%s", digest, rest);
}

static bool wants_findings(const struct ctl *c)
{
    for (size_t i = 0; i < c->n_outs; i++) {
        if (c->outs[i].format->findings)
            return true;
    }
    return false;
}

int fetch_findings(struct ctl *c, const char *digest, struct assessment *a)
{
    struct json *answers = arena_array(&c->arena, 2, sizeof *answers);
    const char *findings = image_target(c, digest, "/findings?open=true"), *issues = image_target(c, digest, "/issues");
    bool more = false;

    if (!wants_findings(c))
        return 0;
    if (answers == NULL || findings == NULL || issues == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    int rc = ctl_list(c, findings, FINDINGS_MAX, &answers[0], &more);
    if (rc == 0)
        rc = ctl_get(c, issues, &answers[1]);
    if (rc != 0)
        return rc;
    a->findings = json_get(&answers[0], "items");
    a->issues = json_get(&answers[1], "items");
    if (more)
        ctl_say(c, "only the first %d findings are reported", FINDINGS_MAX);
    return 0;
}

int read_gate(struct ctl *c, struct gate *gate, int *report_severity)
{
    const char *severity = ctl_option(c, "report-severity");
    struct err err = { 0 };

    if (gate_parse(ctl_option(c, "fail-on"), ctl_option(c, "max-scan-age"), gate, &err) != 0)
        return ctl_fail(c, &err, NULL);
    *report_severity = severity != NULL ? severity_index(severity) : 0;
    if (severity != NULL && *report_severity == SEVERITY_UNKNOWN)
        return ctl_wrong(c, NULL, "--report-severity: expected critical, high, medium, low or negligible, got '%s'", severity);
    return 0;
}
