/* image_facts.c - see image_facts.h. */
#include "ctl/image_facts.h"

#include "ctl/resolve.h"
#include "wire/jsonw.h"

#include <string.h>

/* A key of the server's answer, and what the case calls it (NULL: the same). */
struct key { const char *from, *to; };

static const struct key image_keys[] = {
    { "digest", NULL }, { "repository", NULL }, { "tag", NULL }, { "reference", NULL }, { "team", NULL }, { "arch", NULL },
    { "base_image", NULL }, { "os.family", "os_family" }, { "os.version", "os_version" }, { "signed", NULL }, { "inventory_at", NULL },
    { "scanned_at", NULL }, { "db_built_at", "database_built_at" }, { "packages", NULL }, { "evaluable", NULL }, { "running", NULL },
};
static const struct key finding_keys[] = {
    { "vulnerability", NULL }, { "package", NULL }, { "version", NULL }, { "fixed_version", NULL }, { "severity", NULL }, { "status", NULL },
    { "scanner", NULL }, { "since", NULL }, { "cvss", NULL }, { "epss", NULL }, { "kev", NULL }, { "title", NULL }, { "suppressed", NULL },
};
static const struct key issue_keys[] = {
    { "kind", NULL }, { "rule", NULL }, { "severity", NULL }, { "status", NULL }, { "title", NULL }, { "message", NULL }, { "file", NULL }, { "line", NULL },
};

static void put_members(struct jsonw *w, const struct json *v, const struct key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *member = json_path(v, keys[i].from);
        if (member == NULL || member->type == JSON_NULL)
            continue;
        jsonw_key(w, keys[i].to != NULL ? keys[i].to : keys[i].from);
        jsonw_value(w, member);
    }
}

static void put_list(struct jsonw *w, const char *name, const struct json *items, const struct key *keys, size_t n)
{
    jsonw_key(w, name);
    jsonw_array(w);
    for (uint32_t i = 0; i < json_len(items); i++) {
        jsonw_object(w);
        put_members(w, json_at(items, i), keys, n);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void put_case(struct buf *b, int64_t now_ms, const struct json *image, const struct json *findings, const struct json *issues)
{
    struct jsonw w;

    jsonw_init(&w, b);
    jsonw_object(&w);
    jsonw_kstr(&w, "name", json_get_str(image, "reference", json_get_str(image, "digest", "image")));
    jsonw_kstr(&w, "stage", "build");
    jsonw_ktime(&w, "now", now_ms);
    jsonw_key(&w, "image");
    jsonw_object(&w);
    put_members(&w, image, image_keys, N_ITEMS(image_keys));
    jsonw_kbool(&w, "has_scan", !str_eq(json_get_str(image, "freshness", "never_scanned"), "never_scanned"));
    put_list(&w, "findings", findings, finding_keys, N_ITEMS(finding_keys));
    put_list(&w, "issues", issues, issue_keys, N_ITEMS(issue_keys));
    jsonw_object_end(&w);
    jsonw_object_end(&w);
}

int image_facts_fetch(struct ctl *c, const char *name, const char **text)
{
    struct json image, findings, issues;
    const char *digest;
    struct buf b;
    bool more = false;

    int rc = resolve_image(c, name, &digest);
    if (rc != 0)
        return rc;
    const char *targets[] = { image_target(c, digest, ""), image_target(c, digest, "/findings"), image_target(c, digest, "/issues") };
    if (targets[0] == NULL || targets[1] == NULL || targets[2] == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    if ((rc = ctl_get(c, targets[0], &image)) != 0 || (rc = ctl_list(c, targets[1], FACTS_FINDINGS_MAX, &findings, &more)) != 0 ||
        (rc = ctl_get(c, targets[2], &issues)) != 0)
        return rc;
    if (more)
        ctl_say(c, "only the first %d findings are looked at", FACTS_FINDINGS_MAX);
    buf_init(&b, OUT_TEXT_MAX);
    put_case(&b, c->look.now_ms, &image, json_get(&findings, "items"), json_get(&issues, "items"));
    *text = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    buf_free(&b);
    return *text != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
}
