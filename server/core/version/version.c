/* version.c - the table of schemes; see version.h. */
#include "core/version/parts.h"

#include "base/str.h"

static const struct scheme {
    const char *name;
    int (*compare)(const char *a, const char *b);
    bool (*is_valid)(const char *s);
} schemes[VERSION_N] = {
    [VERSION_GENERIC]  = { "generic",  generic_compare,  generic_is_valid },
    [VERSION_DEB]      = { "deb",      deb_compare,      deb_is_valid },
    [VERSION_RPM]      = { "rpm",      rpm_compare,      rpm_is_valid },
    [VERSION_APK]      = { "apk",      apk_compare,      apk_is_valid },
    [VERSION_SEMVER]   = { "semver",   semver_compare,   semver_is_valid },
    [VERSION_PEP440]   = { "pep440",   pep440_compare,   pep440_is_valid },
    [VERSION_MAVEN]    = { "maven",    maven_compare,    maven_is_valid },
    [VERSION_GO]       = { "go",       go_compare,       go_is_valid },
    [VERSION_GEM]      = { "gem",      gem_compare,      gem_is_valid },
    [VERSION_NUGET]    = { "nuget",    nuget_compare,    nuget_is_valid },
    [VERSION_COMPOSER] = { "composer", composer_compare, composer_is_valid },
};

static const struct scheme *scheme_get(enum version_scheme scheme)
{
    return &schemes[(unsigned)scheme < VERSION_N ? scheme : VERSION_GENERIC];
}

int version_compare(enum version_scheme scheme, const char *a, const char *b)
{
    bool long_a = strnlen(a, VERSION_MAX + 1) > VERSION_MAX;
    bool long_b = strnlen(b, VERSION_MAX + 1) > VERSION_MAX;

    if (long_a || long_b)
        return long_a && long_b ? sign_of(strcmp(a, b)) : long_a ? -1 : 1;
    return scheme_get(scheme)->compare(a, b);
}

bool version_is_valid(enum version_scheme scheme, const char *text)
{
    return text[0] != '\0' && strnlen(text, VERSION_MAX + 1) <= VERSION_MAX && scheme_get(scheme)->is_valid(text);
}

const char *version_scheme_name(enum version_scheme scheme)
{
    return scheme_get(scheme)->name;
}
