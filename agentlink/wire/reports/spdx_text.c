/* spdx_text.c - SPDX 2 as lines of "Tag: value"; a value may be <text> over many
 * lines </text>.  Only what an inventory needs is read, the rest is counted. */
#include "wire/reports/decode.h"

#include <string.h>

struct text_reader {
    struct decode *d;
    const char *at, *end;
    struct package *package;      /* the one being described */
    const char *purl;
    char tag[64];
};

bool spdx_text_detect(const void *text, size_t len)
{
    static const char first[] = "SPDXVersion:";
    const char *s = text, *end = s + len;

    if (len >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0)
        s += 3;
    while (s < end && strchr("\r\n #", *s) != NULL && *s != '\0') {     /* comment lines may come first */
        const char *nl = *s == '#' ? memchr(s, '\n', (size_t)(end - s)) : s;
        s = nl != NULL ? nl + 1 : end;
    }
    return (size_t)(end - s) >= sizeof first - 1 && memcmp(s, first, sizeof first - 1) == 0;
}

static void fail(struct text_reader *r, const char *what)
{
    if (!r->d->failed)
        err_set(r->d->err, ERR_INVALID, "SPDX tag-value: %s", what);
    r->d->failed = true;
}

/* The next tag and value; false at the end. */
static bool next_line(struct text_reader *r, const char **value)
{
    static const char open[] = "<text>", close[] = "</text>";

    while (r->at < r->end && !r->d->failed) {
        const char *line = r->at, *nl = memchr(line, '\n', (size_t)(r->end - line));
        const char *stop = nl != NULL ? nl : r->end, *colon = memchr(line, ':', (size_t)(stop - line));
        r->at = nl != NULL ? nl + 1 : r->end;
        if (colon == NULL || *line == '#' || (size_t)(colon - line) >= sizeof r->tag)
            continue;
        memcpy(r->tag, line, (size_t)(colon - line));
        r->tag[colon - line] = '\0';
        const char *s = colon + 1;
        while (s < stop && (*s == ' ' || *s == '\t'))
            s++;
        if ((size_t)(stop - s) >= sizeof open - 1 && memcmp(s, open, sizeof open - 1) == 0) {
            s += sizeof open - 1;
            stop = memmem(s, (size_t)(r->end - s), close, sizeof close - 1);
            if (stop == NULL) {
                fail(r, "<text> without </text>");
                return false;
            }
            r->at = stop + sizeof close - 1;
        }
        while (stop > s && (stop[-1] == '\r' || stop[-1] == ' '))
            stop--;
        if (stop - s > MAX_TEXT) {
            fail(r, "value over 1 MiB");
            return false;
        }
        *value = decode_strndup(r->d, s, (size_t)(stop - s));
        return *value != NULL;
    }
    return false;
}

static void finish_package(struct text_reader *r)
{
    if (r->package != NULL)
        package_finish(r->d, r->package, &(struct package_hints){ .purl = r->purl });
    r->package = NULL;
    r->purl = NULL;
}

static void line_decode(struct text_reader *r, const char *value)
{
    static const char purl[] = " purl ";
    struct scan *scan = r->d->scan;
    bool is_said = strcmp(value, "NOASSERTION") != 0 && strcmp(value, "NONE") != 0 && *value != '\0';

    if (strcmp(r->tag, "PackageName") == 0) {
        finish_package(r);
        r->package = decode_add_package(r->d);
        if (r->package != NULL)
            r->package->name = *value != '\0' ? value : NULL;
    } else if (strcmp(r->tag, "SPDXVersion") == 0) {
        scan->format_version = value;
    } else if (strcmp(r->tag, "DocumentName") == 0) {
        scan->image.reference = value;
    } else if (strcmp(r->tag, "Created") == 0) {
        time_parse_loose(value, &scan->scanned_ms);
    } else if (strcmp(r->tag, "Creator") == 0 && str_starts(value, "Tool: ")) {
        scan->scanner = value + 6;
    } else if (strcmp(r->tag, "FileName") == 0) {
        finish_package(r);
        scan->n_unmapped++;
    } else if (r->package == NULL || !is_said) {
        return;
    } else if (strcmp(r->tag, "PackageVersion") == 0) {
        r->package->version = value;
    } else if (strcmp(r->tag, "PackageLicenseConcluded") == 0) {
        r->package->licences = value;
    } else if (strcmp(r->tag, "ExternalRef") == 0 && strstr(value, purl) != NULL) {
        r->purl = strstr(value, purl) + sizeof purl - 1;
    }
}

void spdx_text_decode(struct decode *d, const void *text, size_t len)
{
    struct text_reader r = { .d = d, .at = text, .end = (const char *)text + len };
    const char *value;

    if (!str_is_utf8(text, len)) {
        fail(&r, "not UTF-8, or a NUL in it");
        return;
    }
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        r.at += 3;
    d->scan->has_inventory = true;
    while (!d->failed && next_line(&r, &value))
        line_decode(&r, value);
    finish_package(&r);
}
