/* imageref.c - see imageref.h. */
#include "wire/imageref.h"

#include "base/str.h"

#include <string.h>

static const char default_registry[] = "docker.io";
static const char official_prefix[] = "library/";

/* ---- characters ---------------------------------------------------------- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower_alnum(char c) { return is_lower(c) || is_digit(c); }
static bool is_alnum(char c) { return is_lower_alnum(c) || is_upper(c); }

/* For messages: at most 60 bytes of the text. */
static int shown(size_t len) { return len < 60 ? (int)len : 60; }

/* ---- the parts ----------------------------------------------------------- */

/* sha256 or sha512 with all its lower-case hex digits. */
static bool is_digest(const char *s)
{
    static const struct {
        const char *prefix;
        size_t n_hex;
    } kinds[] = { { "sha256:", 64 }, { "sha512:", 128 } };

    for (size_t i = 0; i < N_ITEMS(kinds); i++) {
        if (str_starts(s, kinds[i].prefix)) {
            const char *hex = s + strlen(kinds[i].prefix);
            return strspn(hex, "0123456789abcdef") == kinds[i].n_hex && hex[kinds[i].n_hex] == '\0';
        }
    }
    return false;
}

static int check_tag(const char *tag, struct err *err)
{
    size_t len = strlen(tag);

    if (len == 0)
        return err_set(err, ERR_INVALID, "image reference: empty tag");
    if (len > IMAGEREF_TAG_MAX)
        return err_set(err, ERR_TOO_LARGE, "image reference: tag of %zu bytes, at most %d", len, IMAGEREF_TAG_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(tag[i]) && tag[i] != '_' && (i == 0 || (tag[i] != '.' && tag[i] != '-')))
            return err_set(err, ERR_INVALID, "image reference: tag \"%.*s\" may hold letters, digits, '_', and behind the first '.' and '-'", shown(len), tag);
    }
    return 0;
}

/* Between letters and digits: one '.', one or two '_', or any run of '-'. */
static size_t separator_len(const char *s)
{
    if (*s == '.')
        return 1;
    if (*s == '_')
        return s[1] == '_' ? 2 : 1;
    return strspn(s, "-");
}

static bool is_path_segment(const char *s, size_t len)
{
    size_t i = 0;

    for (;;) {
        size_t start = i;
        while (i < len && is_lower_alnum(s[i]))
            i++;
        if (i == start)
            return false;
        if (i == len)
            return true;
        size_t n = separator_len(s + i);
        if (n == 0)
            return false;
        i += n;
    }
}

static int check_repository(const char *path, struct err *err)
{
    size_t total = strlen(path);

    if (total == 0)
        return err_set(err, ERR_INVALID, "image reference: no repository");
    if (total > IMAGEREF_REPOSITORY_MAX)
        return err_set(err, ERR_TOO_LARGE, "image reference: repository of %zu bytes, at most %d", total, IMAGEREF_REPOSITORY_MAX);
    for (const char *s = path;;) {
        size_t len = strcspn(s, "/");
        for (size_t i = 0; i < len; i++) {
            if (is_upper(s[i]))
                return err_set(err, ERR_INVALID, "image reference: repository \"%.*s\" must be lower case", shown(total), path);
        }
        if (!is_path_segment(s, len))
            return err_set(err, ERR_INVALID, "image reference: \"%.*s\" is no repository name", shown(total), path);
        if (s[len] == '\0')
            return 0;
        s += len + 1;
    }
}

/* Labels of letters, digits and inner hyphens. */
static bool is_host(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool edge = i == 0 || i + 1 == len || s[i - 1] == '.' || s[i + 1] == '.';
        if (!is_alnum(s[i]) && !(s[i] == '-' && !edge) && !(s[i] == '.' && i > 0 && i + 1 < len && s[i - 1] != '.'))
            return false;
    }
    return len > 0;
}

static bool is_ipv6(const char *s, size_t len)
{
    if (len < 4 || s[0] != '[' || s[len - 1] != ']')
        return false;
    return strspn(s + 1, "0123456789abcdefABCDEF:") == len - 2;
}

static int check_registry(const char *s, struct err *err)
{
    size_t len = strlen(s), host = s[0] == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":");
    int64_t port;

    if (len > 255 || host > len)
        return err_set(err, ERR_INVALID, "image reference: \"%.*s\" is no registry", shown(len), s);
    if (!is_ipv6(s, host) && !is_host(s, host))
        return err_set(err, ERR_INVALID, "image reference: \"%.*s\" is no registry host", shown(len), s);
    if (s[host] != '\0' && (s[host] != ':' || !str_to_i64(s + host + 1, 1, 65535, &port)))
        return err_set(err, ERR_INVALID, "image reference: registry \"%.*s\" needs a port 1 to 65535", shown(len), s);
    return 0;
}

/* ---- reading ------------------------------------------------------------- */

/* Where container runtimes say what kind of name follows. */
static const char *skip_prefix(const char *s)
{
    static const char *const prefixes[] = { "docker-pullable://", "docker://", "containerd://", "cri-o://", "oci://" };

    for (size_t i = 0; i < N_ITEMS(prefixes); i++) {
        if (str_starts(s, prefixes[i]))
            return s + strlen(prefixes[i]);
    }
    return s;
}

static bool is_hex_id(const char *s)
{
    return strspn(s, "0123456789abcdef") == 64 && s[64] == '\0';
}

/* Is the first component a registry?  Docker's rule. */
static bool is_registry(const char *s, size_t len)
{
    return memchr(s, '.', len) != NULL || memchr(s, ':', len) != NULL || (len == 9 && memcmp(s, "localhost", 9) == 0);
}

static int read_id(struct arena *a, const char *text, struct imageref *out, struct err *err)
{
    const char *digest = arena_printf(a, "%s%s", is_hex_id(text) ? "sha256:" : "", text);

    if (digest == NULL)
        return err_nomem(err);
    *out = (struct imageref){ .digest = digest, .is_id = true };
    return 0;
}

/* Registry and repository of a name without tag and digest, in place. */
static int read_name(struct arena *a, char *name, struct imageref *ref, struct err *err)
{
    char *slash = strchr(name, '/');
    const char *path = name;

    ref->registry = default_registry;
    if (slash != NULL && is_registry(name, (size_t)(slash - name))) {
        *slash = '\0';
        if (check_registry(name, err) != 0)
            return -1;
        str_lower(name);
        ref->registry = str_eq(name, "index.docker.io") ? default_registry : name;
        path = slash + 1;
    }
    bool official = str_eq(ref->registry, default_registry) && strchr(path, '/') == NULL;
    ref->repository = official ? arena_printf(a, "%s%s", official_prefix, path) : path;
    if (ref->repository == NULL)
        return err_nomem(err);
    return check_repository(path, err) != 0 ? -1 : check_repository(ref->repository, err);
}

static int check_whole(const char *text, struct err *err)
{
    size_t len = strnlen(text, IMAGEREF_MAX + 1);

    if (len == 0)
        return err_set(err, ERR_INVALID, "image reference: empty");
    if (len > IMAGEREF_MAX)
        return err_set(err, ERR_TOO_LARGE, "image reference of more than %d bytes", IMAGEREF_MAX);
    for (const char *s = text; *s != '\0'; s++) {
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F)
            return err_set(err, ERR_INVALID, "image reference: blank, control or non-ASCII character at byte %zu", (size_t)(s - text) + 1);
    }
    return 0;
}

int imageref_parse(struct arena *a, const char *text, struct imageref *out, struct err *err)
{
    struct imageref ref = { 0 };

    if (check_whole(text, err) != 0)
        return -1;
    text = skip_prefix(text);
    if (is_digest(text) || is_hex_id(text))
        return read_id(a, text, out, err);
    char *name = arena_strdup(a, text);
    if (name == NULL)
        return err_nomem(err);
    char *at = strchr(name, '@');
    if (at != NULL) {
        *at = '\0';
        if (!is_digest(at + 1))
            return err_set(err, ERR_INVALID, "image reference: \"%.*s\" is no sha256 or sha512 digest in lower-case hex", shown(strlen(at + 1)), at + 1);
        ref.digest = at + 1;
    }
    char *last = strrchr(name, '/'), *colon = strchr(last != NULL ? last : name, ':');
    if (colon != NULL) {
        *colon = '\0';
        if (check_tag(colon + 1, err) != 0)
            return -1;
        ref.tag = colon + 1;
    }
    ref.tag_implied = ref.tag == NULL && ref.digest == NULL;
    if (ref.tag_implied)
        ref.tag = "latest";
    if (read_name(a, name, &ref, err) != 0)
        return -1;
    *out = ref;
    return 0;
}

/* ---- printing ------------------------------------------------------------ */

static const char *print(struct arena *a, const char *registry, const char *repository, const struct imageref *ref)
{
    return arena_printf(a, "%s%s%s%s%s%s%s", registry, *registry != '\0' ? "/" : "", repository, ref->tag != NULL ? ":" : "",
                        ref->tag != NULL ? ref->tag : "", ref->digest != NULL ? "@" : "", ref->digest != NULL ? ref->digest : "");
}

const char *imageref_canonical(struct arena *a, const struct imageref *ref)
{
    return ref->is_id ? arena_strdup(a, ref->digest) : print(a, ref->registry, ref->repository, ref);
}

const char *imageref_familiar(struct arena *a, const struct imageref *ref)
{
    if (ref->is_id)
        return arena_strdup(a, ref->digest);
    if (!str_eq(ref->registry, default_registry))
        return print(a, ref->registry, ref->repository, ref);
    const char *path = ref->repository;
    if (str_starts(path, official_prefix) && strchr(path + sizeof official_prefix - 1, '/') == NULL)
        path += sizeof official_prefix - 1;
    /* "localhost/x" on Docker Hub cannot be said without its registry; nor can 64 hex digits. */
    const char *slash = strchr(path, '/');
    bool ambiguous = slash != NULL ? is_registry(path, (size_t)(slash - path)) : is_hex_id(path);
    return print(a, ambiguous ? default_registry : "", ambiguous ? ref->repository : path, ref);
}

const char *imageref_name(struct arena *a, const struct imageref *ref)
{
    return ref->is_id ? NULL : arena_printf(a, "%s/%s", ref->registry, ref->repository);
}

bool imageref_equal(const struct imageref *a, const struct imageref *b)
{
    if (a->digest != NULL && b->digest != NULL)
        return str_eq(a->digest, b->digest);
    if (a->is_id || b->is_id || a->tag == NULL || b->tag == NULL)
        return false;
    return str_eq(a->registry, b->registry) && str_eq(a->repository, b->repository) && str_eq(a->tag, b->tag);
}

/* ---- patterns ------------------------------------------------------------ */

static int check_pattern(const char *s, struct err *err)
{
    size_t len = strnlen(s, IMAGEREF_PATTERN_MAX + 1);

    if (len == 0 || len > IMAGEREF_PATTERN_MAX)
        return err_set(err, ERR_INVALID, "image pattern: 1 to %d bytes", IMAGEREF_PATTERN_MAX);
    if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:[]*") != len)
        return err_set(err, ERR_INVALID, "image pattern: character that no image name holds in \"%.*s\"", shown(len), s);
    if (strstr(s, "***") != NULL || s[0] == '/' || s[len - 1] == '/' || strstr(s, "//") != NULL)
        return err_set(err, ERR_INVALID, "image pattern: \"%.*s\" has an empty segment or \"***\"", shown(len), s);
    return 0;
}

/* Behind the registry: no upper case, no ':' (a pattern names no tag). */
static int check_pattern_path(const char *path, struct err *err)
{
    for (const char *s = path; *s != '\0'; s++) {
        if (is_upper(*s))
            return err_set(err, ERR_INVALID, "image pattern: repository \"%.60s\" must be lower case", path);
        if (*s == ':' || *s == '[' || *s == ']')
            return err_set(err, ERR_INVALID, "image pattern: \"%.60s\" may not name a tag", path);
    }
    return 0;
}

/* Length of the registry in a pattern, 0 when it names none. */
static size_t pattern_registry_len(const char *pattern)
{
    size_t first = strcspn(pattern, "/");
    bool star = strspn(pattern, "*") == first;

    if (pattern[first] == '\0')
        return star && first == 2 ? first : 0;
    return star || is_registry(pattern, first) ? first : 0;
}

int imageref_pattern_parse(struct arena *a, const char *pattern, const char **out, struct err *err)
{
    if (check_pattern(pattern, err) != 0)
        return -1;
    size_t len = pattern_registry_len(pattern);
    char *registry = arena_strndup(a, pattern, len);
    const char *path = pattern + len + (pattern[len] == '/');
    if (registry == NULL)
        return err_nomem(err);
    if (check_pattern_path(path, err) != 0)
        return -1;
    str_lower(registry);
    const char *host = len == 0 || str_eq(registry, "index.docker.io") ? default_registry : registry;
    bool official = str_eq(host, default_registry) && strchr(path, '/') == NULL && strstr(path, "**") == NULL;
    const char *full = arena_printf(a, "%s%s%s%s", host, *path != '\0' ? "/" : "", official ? official_prefix : "", path);
    if (full == NULL)
        return err_nomem(err);
    *out = full;
    return 0;
}

enum { NAME_MAX_LEN = 255 + 1 + IMAGEREF_REPOSITORY_MAX };

/* reach[i]: the pattern so far can end before name[i].  One pass over the name
 * per pattern character. */
static void step(const char *name, size_t len, bool *reach, char c, bool crosses)
{
    if (c == '*') {
        for (size_t i = 1; i <= len; i++)
            reach[i] = reach[i] || (reach[i - 1] && (crosses || name[i - 1] != '/'));
        return;
    }
    for (size_t i = len; i > 0; i--)
        reach[i] = reach[i - 1] && name[i - 1] == c;
    reach[0] = false;
}

bool imageref_name_match(const char *pattern, const char *name)
{
    bool reach[NAME_MAX_LEN + 1] = { true };
    size_t len = strlen(name);

    if (len > NAME_MAX_LEN)
        return false;
    for (const char *p = pattern; *p != '\0'; p++) {
        bool crosses = p[0] == '*' && p[1] == '*';
        step(name, len, reach, *p, crosses);
        p += crosses;
    }
    return reach[len];
}

bool imageref_pattern_match(const char *pattern, const struct imageref *ref)
{
    char name[NAME_MAX_LEN + 1];

    if (ref->is_id)
        return false;
    size_t host = strlen(ref->registry), path = strlen(ref->repository);
    if (host + 1 + path > NAME_MAX_LEN)
        return false;
    memcpy(name, ref->registry, host);
    name[host] = '/';
    memcpy(name + host + 1, ref->repository, path + 1);
    return imageref_name_match(pattern, name);
}
