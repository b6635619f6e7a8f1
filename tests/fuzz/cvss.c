/* cvss.c - an accepted vector has a score in range that does not depend on the
 * order of its metrics, and is refused when a metric is repeated. */
#include "core/cvss.h"

#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* The fields of a vector behind its prefix, last one first. */
static void reverse(const char *vector, char *out)
{
    size_t prefix = str_starts(vector, "CVSS:") ? strcspn(vector, "/") + 1 : 0;
    const char *end = vector + strlen(vector);

    memcpy(out, vector, prefix);
    out += prefix;
    while (end > vector + prefix) {
        const char *start = end;
        while (start > vector + prefix && start[-1] != '/')
            start--;
        memcpy(out, start, (size_t)(end - start));
        out += end - start;
        end = start > vector + prefix ? start - 1 : start;
        if (end > vector + prefix)
            *out++ = '/';
    }
    *out = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[1024], other[2048];
    struct cvss_score c, d;
    struct err err;

    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (cvss_from_vector(text, &c, &err) != 0)
        return 0;
    check(c.score >= 0 && c.score <= 100 && cvss_severity(&c) != SEVERITY_UNKNOWN);
    check(c.version == 20 || c.version == 30 || c.version == 31 || c.version == 40);
    if (text[0] == '(')
        return 0;
    reverse(text, other);
    check(cvss_from_vector(other, &d, &err) == 0);
    check(c.version == d.version && c.score == d.score);
    size_t n = strlen(text);
    const char *last = strrchr(text, '/');
    memcpy(other, text, n);
    memcpy(other + n, last, strlen(last) + 1);
    check(cvss_from_vector(other, &d, &err) != 0);
    return 0;
}
