/* lib_named.c - Kubernetes' named string formats: format.dns1123Label().validate(s)
 * is optional.none() when s is valid, else an optional list of messages. */
#include "core/cel/internal.h"

#define K_FORMAT CEL_K(CEL_FORMAT)

typedef const char *check(const char *s, size_t n);            /* NULL: valid */

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alnum(char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z'); }

/* Lower-case letters, digits and '-'; alphanumeric at both ends. */
static bool label_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_lower(s[i]) && !is_digit(s[i]) && (s[i] != '-' || i == 0 || i == n - 1))
            return false;
    }
    return n > 0;
}

static bool subdomain_ok(const char *s, size_t n)
{
    size_t from = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && s[i] != '.')
            continue;
        if (!label_ok(s + from, i - from))
            return false;
        from = i + 1;
    }
    return true;
}

static const char *label(const char *s, size_t n)
{
    return n > 63 ? "must be no more than 63 bytes" : label_ok(s, n) ? NULL :
           "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
           "end with an alphanumeric character";
}

static const char *subdomain(const char *s, size_t n)
{
    return n > 253 ? "must be no more than 253 bytes" : subdomain_ok(s, n) ? NULL :
           "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
           "start and end with an alphanumeric character";
}

static const char *label1035(const char *s, size_t n)
{
    return n > 63 ? "must be no more than 63 bytes" : label_ok(s, n) && is_lower(*s) ? NULL :
           "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
           "character, and end with an alphanumeric character";
}

/* The name is the start of a generated one: a '-' at its end does not count. */
static size_t without_dash(const char *s, size_t n)
{
    return n > 1 && s[n - 1] == '-' ? n - 1 : n;
}

static const char *label_prefix(const char *s, size_t n)
{
    return label(s, without_dash(s, n));
}

static const char *subdomain_prefix(const char *s, size_t n)
{
    return subdomain(s, without_dash(s, n));
}

static const char *label1035_prefix(const char *s, size_t n)
{
    return label1035(s, without_dash(s, n));
}

/* Letters, digits, '-', '_', '.'; alphanumeric at both ends. */
static bool name_ok(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool inner = i > 0 && i < n - 1 && (s[i] == '-' || s[i] == '_' || s[i] == '.');
        if (!is_alnum(s[i]) && !inner)
            return false;
    }
    return true;
}

static const char *qualified_name(const char *s, size_t n)
{
    const char *slash = memchr(s, '/', n);

    if (slash != NULL) {
        size_t prefix = (size_t)(slash - s);
        if (prefix == 0)
            return "prefix part must be non-empty";
        if (subdomain(s, prefix) != NULL)
            return "prefix part must be a lowercase RFC 1123 subdomain";
        n -= prefix + 1;
        s = slash + 1;
    }
    if (n == 0)
        return "name part must be non-empty";
    return n > 63 ? "name part must be no more than 63 bytes" : name_ok(s, n) ? NULL :
           "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
           "alphanumeric character";
}

static const char *label_value(const char *s, size_t n)
{
    return n > 63 ? "must be no more than 63 bytes" : name_ok(s, n) ? NULL :
           "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
           "start and end with an alphanumeric character";
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 8-4-4-4-12 hex digits; the dashes may be missing. */
static const char *uuid(const char *s, size_t n)
{
    static const int parts[] = { 8, 4, 4, 4, 12 };
    size_t at = 0;

    for (size_t p = 0; p < N_ITEMS(parts); p++) {
        if (p > 0 && at < n && s[at] == '-')
            at++;
        for (int i = 0; i < parts[p]; i++) {
            if (at >= n || !is_hex(s[at++]))
                return "does not match the UUID format";
        }
    }
    return at == n ? NULL : "does not match the UUID format";
}

static const char *byte(const char *s, size_t n)
{
    size_t pad = 0;

    while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < n - pad; i++) {
        if (!is_alnum(s[i]) && s[i] != '+' && s[i] != '/')
            return "invalid base64";
    }
    return n % 4 == 0 && n > 0 ? NULL : "invalid base64";
}

static const char *datetime(const char *s, size_t n)
{
    int64_t seconds;
    uint32_t nanos;

    return cel_timestamp_parse(s, n, &seconds, &nanos) ? NULL : "invalid datetime";
}

static const char *date(const char *s, size_t n)
{
    char full[24];

    if (n != 10)
        return "invalid date";
    memcpy(full, s, n);
    memcpy(full + n, "T00:00:00Z", 10);
    return datetime(full, n + 10) == NULL ? NULL : "invalid date";
}

static const struct named { const char *name; check *check; } formats[] = {
    { "dns1123Label", label }, { "dns1123Subdomain", subdomain }, { "dns1035Label", label1035 },
    { "qualifiedName", qualified_name }, { "dns1123LabelPrefix", label_prefix },
    { "dns1123SubdomainPrefix", subdomain_prefix }, { "dns1035LabelPrefix", label1035_prefix },
    { "labelValue", label_value }, { "uri", cel_url_check }, { "uuid", uuid }, { "byte", byte }, { "date", date },
    { "datetime", datetime },
};

const char *format_name(const struct cel_value *v)
{
    const struct named *f = v->opaque;

    return f->name;
}

static struct cel_value format_value(size_t i)
{
    return (struct cel_value){ .kind = CEL_FORMAT, .opaque = &formats[i] };
}

static struct cel_value named(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    (void)n;
    for (size_t i = 0; i < N_ITEMS(formats); i++) {
        if (strlen(formats[i].name) == a->n && memcmp(formats[i].name, a->s, a->n) == 0)
            return run_optional(run, format_value(i));
    }
    return optional_none();
}

#define FORMAT_FN(fn, i)                                                                   \
    static struct cel_value fn(struct cel_run *run, const struct cel_value *a, uint32_t n) \
    {                                                                                      \
        (void)run, (void)a, (void)n;                                                       \
        return format_value(i);                                                            \
    }

FORMAT_FN(get_label, 0)
FORMAT_FN(get_subdomain, 1)
FORMAT_FN(get_label1035, 2)
FORMAT_FN(get_qualified_name, 3)
FORMAT_FN(get_label_prefix, 4)
FORMAT_FN(get_subdomain_prefix, 5)
FORMAT_FN(get_label1035_prefix, 6)
FORMAT_FN(get_label_value, 7)
FORMAT_FN(get_uri, 8)
FORMAT_FN(get_uuid, 9)
FORMAT_FN(get_byte, 10)
FORMAT_FN(get_date, 11)
FORMAT_FN(get_datetime, 12)

static struct cel_value validate(struct cel_run *run, const struct cel_value *a, uint32_t n)
{
    const struct named *f = a->opaque;
    const char *why = cel_pay(run, a[1].n / 8) ? f->check(a[1].s, a[1].n) : NULL;
    struct cel_items list = { 0 };

    (void)n;
    if (why == NULL)
        return optional_none();
    if (!items_add(run, &list, cel_text(why)))
        return run_stopped(run);
    return run_optional(run, cel_list(list.ptr, list.n));
}

static const struct cel_function functions[] = {
    FN("format.named", 1, K_OPTIONAL, named, K_STRING),
    FN("format.dns1123Label", 0, K_FORMAT, get_label, 0),
    FN("format.dns1123Subdomain", 0, K_FORMAT, get_subdomain, 0),
    FN("format.dns1035Label", 0, K_FORMAT, get_label1035, 0),
    FN("format.qualifiedName", 0, K_FORMAT, get_qualified_name, 0),
    FN("format.dns1123LabelPrefix", 0, K_FORMAT, get_label_prefix, 0),
    FN("format.dns1123SubdomainPrefix", 0, K_FORMAT, get_subdomain_prefix, 0),
    FN("format.dns1035LabelPrefix", 0, K_FORMAT, get_label1035_prefix, 0),
    FN("format.labelValue", 0, K_FORMAT, get_label_value, 0),
    FN("format.uri", 0, K_FORMAT, get_uri, 0),
    FN("format.uuid", 0, K_FORMAT, get_uuid, 0),
    FN("format.byte", 0, K_FORMAT, get_byte, 0),
    FN("format.date", 0, K_FORMAT, get_date, 0),
    FN("format.datetime", 0, K_FORMAT, get_datetime, 0),
    METHOD("validate", 2, K_OPTIONAL, validate, K_FORMAT, K_STRING),
};

const struct cel_library lib_named = { functions, N_ITEMS(functions) };
