/* paths.c - patterns of paths and names, and which programs are shells; see compile.h. */
#include "core/profile/compile.h"

#include "base/str.h"

#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* One component against one pattern component; a star is any run.  Linear in the
 * product of the lengths: the last star is tried again further on. */
static bool component_match(const char *p, size_t n_p, const char *s, size_t n_s)
{
    size_t i = 0, k = 0, star = n_p, mark = 0;

    while (k < n_s) {
        if (i < n_p && p[i] == '*') {
            star = i++;
            mark = k;
        } else if (i < n_p && p[i] == s[k]) {
            i++;
            k++;
        } else if (star < n_p) {
            i = star + 1;
            k = ++mark;
        } else {
            return false;
        }
    }
    while (i < n_p && p[i] == '*')
        i++;
    return i == n_p;
}

bool path_match(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t n_p = strcspn(pattern + 1, "/"), n_s = strcspn(path + 1, "/");
        if (n_p == 2 && pattern[1] == '*' && pattern[2] == '*')
            return n_s > 0;
        if (!component_match(pattern + 1, n_p, path + 1, n_s))
            return false;
        pattern += 1 + n_p;
        path += 1 + n_s;
    }
    return *pattern == '\0' && *path == '\0';
}

bool dns_match(const char *pattern, const char *name)
{
    size_t n = strlen(name);

    if (n > 0 && name[n - 1] == '.')
        n--;
    if (str_starts(pattern, "*.")) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label >= n)
            return false;
        pattern += 1;
        name += label;
        n -= label;
    }
    for (size_t i = 0; i < n; i++) {
        if (lower(pattern[i]) != lower(name[i]))       /* the pattern's end is no character of a name */
            return false;
    }
    return pattern[n] == '\0' || (pattern[n] == '.' && pattern[n + 1] == '\0');
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* python3.11 is python. */
static bool is_program(const char *base, const char *name)
{
    size_t n = strlen(name);

    return strncmp(base, name, n) == 0 && strspn(base + n, "0123456789.-") == strlen(base + n);
}

bool is_shell(const char *path)
{
    static const char *const names[] = {
        "sh", "bash", "rbash", "dash", "ash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "busybox", "toybox",
    };
    const char *base = base_of(path);

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (is_program(base, names[i]))
            return true;
    }
    return false;
}

bool is_interpreter(const char *path)
{
    static const char *const names[] = { "python", "perl", "ruby", "php", "node", "lua", "tclsh", "awk", "gawk", "mawk", "java", "pwsh" };
    const char *base = base_of(path);

    for (size_t i = 0; i < N_ITEMS(names); i++) {
        if (is_program(base, names[i]))
            return true;
    }
    return is_shell(path);
}
