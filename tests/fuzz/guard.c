/* The guard over heads made from arbitrary bytes.
 *
 * The bytes are a request head as it came off the wire.  The harness reads it
 * as leniently as the library does (bare LF, NUL, folds, blanks before the colon:
 * all stepped over) and hands the pieces to the guard.  The oracle is a strict
 * reader of RFC 9112 of its own: what guard_check and guard_layout both let
 * through must be a head that the strict reader reads the same way. */
#include "http/guard.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = 16384 };

struct lenient {
    char *buf;
    size_t at, len;
    struct guard_header headers[GUARD_MAX_HEADERS];
    struct guard_head head;
    char uri[MAX];
};

/* A line without its ending; the ending becomes NULs.  NULL at the end. */
static char *next_line(struct lenient *l)
{
    char *line = l->buf + l->at;
    char *lf = memchr(line, '\n', l->len - l->at);

    if (lf == NULL)
        return NULL;
    l->at = (size_t)(lf - l->buf) + 1;
    if (lf > line && lf[-1] == '\r')
        lf[-1] = '\0';
    *lf = '\0';
    return line;
}

static bool request_line(struct lenient *l)
{
    char *line = next_line(l);

    while (line != NULL && line[0] == '\0')
        line = next_line(l);
    if (line == NULL)
        return false;
    char *uri = strchr(line, ' ');
    if (uri == NULL)
        return false;
    *uri++ = '\0';
    while (*uri == ' ')
        uri++;
    char *version = strrchr(uri, ' ');
    if (version == NULL)
        return false;
    *version++ = '\0';
    l->head.method = line;
    l->head.uri = uri;
    l->head.uri_len = strlen(uri);
    l->head.version = version;
    memcpy(l->uri, uri, l->head.uri_len + 1);
    return true;
}

static bool header_lines(struct lenient *l)
{
    for (char *line = next_line(l); line != NULL; line = next_line(l)) {
        if (line[0] == '\0') {
            l->head.head_len = l->at - (size_t)(l->head.method - l->buf);
            return true;
        }
        if (line[0] == ' ' || line[0] == '\t')
            continue;                                   /* a folded line is stepped over */
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        while (*value == ' ' || *value == '\t')
            value++;
        if (l->head.n_headers == GUARD_MAX_HEADERS) {
            l->head.too_many = true;
            continue;
        }
        l->headers[l->head.n_headers++] = (struct guard_header){ line, value, strlen(line), strlen(value) };
    }
    return false;
}

static bool token(unsigned char c)
{
    return c > 0x20 && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

/* CR LF, or NUL LF: after the library has written NULs over both they are the same. */
static bool ending(const unsigned char *s, size_t left)
{
    return left >= 2 && (s[0] == '\r' || s[0] == '\0') && s[1] == '\n';
}

/* Four bytes that end a head, with the same ambiguity. */
static bool head_ending(const unsigned char *s, size_t left)
{
    for (size_t i = 0; i < 4; i++)
        if (left < 4 || (s[i] != '\r' && s[i] != '\n' && s[i] != '\0'))
            return false;
    return s[3] == '\n';
}

/* One strict header line at s; returns its length without the ending, 0 when malformed. */
static size_t strict_line(const unsigned char *s, size_t left, bool *te)
{
    size_t i = 0;

    while (i < left && token(s[i]))
        i++;
    if (i == 0 || i >= left || s[i] != ':')
        return 0;
    if (i == 17 && strncasecmp((const char *)s, "transfer-encoding", 17) == 0)
        *te = true;
    for (i++; i < left && !ending(s + i, left - i) && !head_ending(s + i, left - i); i++)
        if ((s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
            return 0;
    return i < left ? i : 0;
}

/* The oracle, on the untouched bytes from the method on. */
static void strict(const unsigned char *s, size_t len, const struct guard_head *head)
{
    size_t i = 0, n = 0;
    bool te = false;

    while (i < len && s[i] >= 'A' && s[i] <= 'Z')
        i++;
    assert(i == strlen(head->method) && i < len && s[i] == ' ');
    i++;
    for (size_t k = 0; k < head->uri_len; k++, i++)
        assert(i < len && s[i] > 0x20 && s[i] < 0x7f);
    assert(len - i >= 9 && (memcmp(s + i, " HTTP/1.1", 9) == 0 || memcmp(s + i, " HTTP/1.0", 9) == 0));
    i += 9;
    while (!head_ending(s + i, len - i)) {
        assert(ending(s + i, len - i));
        size_t line = strict_line(s + i + 2, len - i - 2, &te);
        assert(line > 0);
        i += 2 + line;
        n++;
    }
    assert(i + 4 == head->head_len);
    assert(n == head->n_headers);
    assert(!te);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guard_facts facts;
    struct err err;

    if (size > MAX - 1)
        return 0;
    struct lenient *l = calloc(1, sizeof *l);
    assert(l != NULL);
    l->buf = malloc(size + 1);
    assert(l->buf != NULL);
    if (size > 0)
        memcpy(l->buf, data, size);
    l->buf[size] = '\0';
    l->len = size;
    l->head.headers = l->headers;
    l->head.max_head = MAX;
    if (request_line(l) && header_lines(l)) {
        const char *in_buffer = l->head.uri;
        l->head.uri = l->uri;
        unsigned status = guard_check(&l->head, &facts, &err);
        l->head.uri = in_buffer;
        assert(status == 0 || (status >= 400 && status <= 505 && err.msg[0] != '\0'));
        if (status == 0 && guard_layout(&l->head))
            strict(data + (l->head.method - l->buf), size - (size_t)(l->head.method - l->buf), &l->head);
    }
    free(l->buf);
    free(l);
    return 0;
}
