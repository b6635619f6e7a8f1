/* policy_where.c - from a place within a decoded text back to the file.
 *
 * An expression is refused at a byte of its decoded text, but people look at the
 * file, where it may be folded, quoted or indented.  What survives decoding is
 * the order of the characters that are not white space: the place is found by
 * counting those.  Exact for plain, literal, folded and single-quoted texts;
 * double-quoted ones may be off by the escapes before the place. */
#include "core/policy_internal.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Past "&anchor " and "!!tag ", past an opening quote or the line of a block's header. */
static uint32_t content_start(const char *text, size_t len, uint32_t at, char *quote)
{
    *quote = '\0';
    while (at < len && (text[at] == '&' || text[at] == '!')) {
        while (at < len && !is_space(text[at]))
            at++;
        while (at < len && is_space(text[at]))
            at++;
    }
    if (at < len && (text[at] == '|' || text[at] == '>')) {
        while (at < len && text[at] != '\n')
            at++;
    } else if (at < len && (text[at] == '"' || text[at] == '\'')) {
        *quote = text[at++];
    }
    return at;
}

uint32_t policy_source_offset(const char *text, size_t len, uint32_t scalar, const char *decoded, size_t at)
{
    char quote;
    uint32_t here = content_start(text, len, scalar, &quote);
    size_t marks = 0;

    for (size_t i = 0; i < at && decoded[i] != '\0'; i++)
        marks += !is_space(decoded[i]);
    while (here < len) {
        if (is_space(text[here])) {
            here++;
            continue;
        }
        if (marks == 0)
            return here;
        bool escaped = (quote == '\'' && text[here] == '\'') || (quote == '"' && text[here] == '\\');
        here += escaped && here + 1 < len ? 2 : 1;
        marks--;
    }
    return scalar;
}

const struct json *policy_doc_at(const struct json *doc, const char *path)
{
    const char *p = path != NULL && *path == '$' ? path + 1 : "";

    while (*p == '.' || *p == '[') {
        const struct json *next = NULL;
        if (*p == '[') {
            uint32_t index = 0;
            for (p++; *p >= '0' && *p <= '9'; p++)
                index = index < UINT32_MAX / 16 ? index * 10 + (uint32_t)(*p - '0') : index;
            p += *p == ']';
            next = index < json_len(doc) ? json_at(doc, index) : NULL;
        } else {
            char key[64];
            size_t n = strcspn(++p, ".[");
            if (n >= sizeof key)
                return doc;
            memcpy(key, p, n);
            key[n] = '\0';
            p += n;
            next = json_get(doc, key);
        }
        if (next == NULL)
            return doc;
        doc = next;
    }
    return doc;
}
