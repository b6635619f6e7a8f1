/* render.c - values as text. */
#include "core/cel/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The shortest decimal digits that read back as v (finite, not zero): digits
 * without point or trailing zeros, and the exponent of the first one. */
static void shortest(double v, char digits[24], int *exponent)
{
    char text[40];

    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, fabs(v));
        double back = strtod(text, NULL);
        if (back >= fabs(v) && back <= fabs(v))
            break;
    }
    char *e = strchr(text, 'e');
    *exponent = (int)strtol(e + 1, NULL, 10);
    size_t n = 0;
    for (const char *s = text; s < e; s++) {
        if (*s != '.')
            digits[n++] = *s;
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
}

/* NaN, infinities and zeros; false for ordinary numbers. */
static bool special(double v, const char *infinity, char out[32])
{
    if (isnan(v))
        snprintf(out, 32, "NaN");
    else if (isinf(v))
        snprintf(out, 32, "%s%s", v < 0 ? "-" : "", infinity);
    else if (v >= 0 && v <= 0)
        snprintf(out, 32, "%s", signbit(v) ? "-0" : "0");
    else
        return false;
    return true;
}

void double_plain(double v, struct cel_text *out)
{
    char digits[24], text[32];
    int exponent;

    if (special(v, "Infinity", text)) {
        text_puts(out, text);
        return;
    }
    shortest(v, digits, &exponent);
    int n = (int)strlen(digits);
    if (v < 0)
        text_putc(out, '-');
    if (exponent < 0) {
        text_puts(out, "0.");
        for (int i = -1; i > exponent; i--)
            text_putc(out, '0');
        text_puts(out, digits);
        return;
    }
    for (int i = 0; i < n || i <= exponent; i++) {
        if (i == exponent + 1)
            text_putc(out, '.');
        text_putc(out, i < n ? digits[i] : '0');
    }
}

void double_text(double v, char out[32])
{
    char digits[24];
    int exponent;
    struct cel_text plain = { .ptr = out, .cap = 31 };

    if (special(v, isinf(v) && v > 0 ? "+Inf" : "Inf", out))
        return;
    shortest(v, digits, &exponent);
    /* Like Go's %g: an exponent from 1e6 on and below 1e-4. */
    if (exponent < -4 || exponent >= 6) {
        snprintf(out, 32, "%s%c%s%se%+03d", v < 0 ? "-" : "", digits[0], digits[1] != '\0' ? "." : "", digits + 1,
                 exponent);
        return;
    }
    double_plain(v, &plain);
    out[plain.len] = '\0';
}

void duration_text(int64_t nanos, struct cel_text *out)
{
    double_plain((double)(nanos / 1000000000) + (double)(nanos % 1000000000) / 1e9, out);
    text_putc(out, 's');
}

void timestamp_text(int64_t seconds, uint32_t nanos, char out[40])
{
    struct cel_civil t;
    char fraction[16] = "";

    civil_from_seconds(seconds, &t);
    if (nanos != 0) {
        size_t n = (size_t)snprintf(fraction, sizeof fraction, ".%09" PRIu32, nanos);
        while (fraction[n - 1] == '0')
            fraction[--n] = '\0';
    }
    snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)t.year, t.month, t.day, t.hour, t.minute, t.second,
             fraction);
}

/* ---- one value ------------------------------------------------------------------------------- */

struct renderer {
    struct cel_text *out;
    bool message;              /* for people: quotes, and cut where the room ends */
};

static void render(struct renderer *r, const struct cel_value *v, uint32_t depth);

static void quoted(struct cel_text *out, const struct cel_value *v)
{
    static const char from[] = "\"\\\a\b\f\n\r\t\v", into[] = "\"\\abfnrtv";

    text_puts(out, v->kind == CEL_BYTES ? "b\"" : "\"");
    for (uint32_t i = 0; i < v->n && !out->full; i++) {
        unsigned char c = (unsigned char)v->s[i];
        const char *found = c != 0 ? strchr(from, c) : NULL;
        if (found != NULL)
            text_printf(out, "\\%c", into[found - from]);
        else if (c < 0x20 || c == 0x7F || (v->kind == CEL_BYTES && c >= 0x80))
            text_printf(out, "\\x%02x", c);
        else
            text_putc(out, (char)c);
    }
    text_putc(out, '"');
}

/* Bytes as text; runs of what is not UTF-8 become one U+FFFD. */
static void bytes_text(struct cel_text *out, const struct cel_value *v)
{
    bool broken = false;

    for (uint32_t i = 0; i < v->n;) {
        size_t w = 1;
        while (w < 4 && i + w < v->n && !utf8_valid(v->s + i, w))
            w++;
        if (utf8_valid(v->s + i, w)) {
            text_put(out, v->s + i, w);
            i += (uint32_t)w;
            broken = false;
            continue;
        }
        if (!broken)
            text_puts(out, "\xEF\xBF\xBD");
        broken = true;
        i++;
    }
}

static void render_text(struct renderer *r, const struct cel_value *v)
{
    if (r->message)
        quoted(r->out, v);
    else if (v->kind == CEL_BYTES)
        bytes_text(r->out, v);
    else
        text_put(r->out, v->s, v->n);
}

static void render_list(struct renderer *r, const struct cel_value *v, uint32_t depth)
{
    text_putc(r->out, '[');
    for (uint32_t i = 0, n = cel_size(v); i < n && !r->out->full; i++) {
        struct cel_value item = cel_at(r->out->run, v, i);
        if (i > 0)
            text_puts(r->out, ", ");
        render(r, &item, depth + 1);
    }
    text_putc(r->out, ']');
}

static struct cel_value entry_value(struct renderer *r, const struct cel_value *v, uint32_t i)
{
    if (v->form == CEL_NATIVE)
        return v->map->entries[i].value;
    if (v->form == CEL_JSON)
        return cel_json(&v->json->members[i].value);
    struct cel_value key = cel_key_at(r->out->run, v, i);
    return is_bad(key) ? key : cel_get(r->out->run, v, &key);
}

static void render_entry(struct renderer *r, const struct cel_value *key, const struct cel_value *v, bool first,
                         uint32_t depth)
{
    if (!first)
        text_puts(r->out, ", ");
    if (r->message)
        render(r, key, depth + 1);
    else
        text_put(r->out, key->s, key->n);
    text_puts(r->out, ": ");
    render(r, v, depth + 1);
}

/* string.format wants the entries sorted by the text of their keys. */
static void render_sorted(struct renderer *r, const struct cel_value *v, uint32_t depth)
{
    struct cel_run *run = r->out->run;
    uint32_t n = cel_size(v);
    struct cel_value *keys = run_alloc(run, n, sizeof *keys), *values = run_alloc(run, n, sizeof *values);

    if (keys == NULL || values == NULL) {
        r->out->full = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct cel_text text = { .run = run };
        struct renderer inner = { &text, false };
        struct cel_value key = cel_key_at(run, v, i);
        render(&inner, &key, depth + 1);
        keys[i] = text_value(&text);
        values[i] = cel_list(NULL, i);             /* the number of the entry */
    }
    struct cel_value list = cel_list(values, n), by = cel_list(keys, n), sorted = list_sort_by(run, &list, &by);
    r->out->full |= is_bad(sorted);
    for (uint32_t i = 0; i < n && !r->out->full; i++) {
        uint32_t at = sorted.items[i].n;
        struct cel_value value = entry_value(r, v, at);
        render_entry(r, &keys[at], &value, i == 0, depth);
    }
}

static void render_map(struct renderer *r, const struct cel_value *v, uint32_t depth)
{
    text_putc(r->out, '{');
    if (!r->message) {
        render_sorted(r, v, depth);
    } else {
        for (uint32_t i = 0, n = cel_size(v); i < n && !r->out->full; i++) {
            struct cel_value key = cel_key_at(r->out->run, v, i), value = entry_value(r, v, i);
            render_entry(r, &key, &value, i == 0, depth);
        }
    }
    text_putc(r->out, '}');
}

static void render_scalar(struct renderer *r, const struct cel_value *v)
{
    char t[40];

    switch ((enum cel_kind)v->kind) {
    case CEL_NULL:   text_puts(r->out, "null"); return;
    case CEL_BOOL:   text_puts(r->out, v->boolean ? "true" : "false"); return;
    case CEL_INT:    text_printf(r->out, "%" PRId64, v->i); return;
    case CEL_UINT:   text_printf(r->out, "%" PRIu64 "%s", v->u, r->message ? "u" : ""); return;
    case CEL_DOUBLE: double_plain(v->d, r->out); return;
    case CEL_TIMESTAMP:
        timestamp_text(v->i, v->n, t);
        text_puts(r->out, t);
        return;
    case CEL_DURATION: duration_text(v->i, r->out); return;
    case CEL_TYPE:   text_put(r->out, v->s, v->n); return;
    case CEL_ERROR:
        text_puts(r->out, "error: ");
        text_puts(r->out, v->s);
        return;
    case CEL_UNKNOWN:
        text_puts(r->out, "unknown");
        for (uint32_t i = 0; i < v->missing->n; i++) {
            text_puts(r->out, i == 0 ? ": " : ", ");
            text_puts(r->out, v->missing->names[i]);
        }
        return;
    default:         opaque_text(v, r->out); return;
    }
}

static void render(struct renderer *r, const struct cel_value *v, uint32_t depth)
{
    if (r->out->run != NULL && !cel_pay(r->out->run, 2)) {
        r->out->full = true;
        return;
    }
    /* Without a run a struct of the host cannot be asked. */
    if (depth > (r->message ? 16 : MAX_HEIGHT) ||
        (r->out->run == NULL && is_kind(*v, K_LIST | K_MAP) && v->form == CEL_OBJECT)) {
        text_puts(r->out, v->kind == CEL_LIST ? "[...]" : "{...}");
        return;
    }
    switch ((enum cel_kind)v->kind) {
    case CEL_STRING: case CEL_BYTES: render_text(r, v); return;
    case CEL_LIST: render_list(r, v, depth); return;
    case CEL_MAP:  render_map(r, v, depth); return;
    case CEL_OPTIONAL:
        text_puts(r->out, v->some == NULL ? "optional.none()" : "optional.of(");
        if (v->some != NULL) {
            render(r, v->some, depth + 1);
            text_putc(r->out, ')');
        }
        return;
    default: render_scalar(r, v); return;
    }
}

void value_text(const struct cel_value *v, struct cel_text *out)
{
    struct renderer r = { out, false };

    render(&r, v, 0);
}

void value_message(const struct cel_value *v, struct cel_text *out)
{
    struct renderer r = { out, true };

    render(&r, v, 0);
    while (out->full && out->len > 0 && !utf8_valid(out->ptr, out->len))
        out->len--;
}

void cel_render(const struct cel_value *v, size_t max, struct buf *out)
{
    struct cel_text t = { .ptr = buf_room(out, max), .cap = max };

    if (t.ptr == NULL)
        return;
    value_message(v, &t);
    buf_grown(out, t.len);
    if (t.full)
        buf_puts(out, "...");
}
