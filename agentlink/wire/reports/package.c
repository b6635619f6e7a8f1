/* package.c - see decode.h: from what a report says of a package to a row that
 * can be matched against advisories, or to the reason why it cannot.
 *
 * An advisory is found by (ecosystem, name): for language packages the
 * ecosystem follows from the kind of package, for packages of a distribution
 * from the distribution and its release.  Without those a package would look
 * like a package without vulnerabilities; is_evaluable says so. */
#include "wire/reports/decode.h"

#include <string.h>

/* ---- language packages --------------------------------------------------------- */

/* Words of package URLs, Trivy, Syft and others -> OSV's word. */
static const struct { const char *word, *ecosystem; } languages[] = {
    { "npm", "npm" }, { "node-pkg", "npm" }, { "yarn", "npm" }, { "pnpm", "npm" }, { "bun", "npm" },
    { "pypi", "PyPI" }, { "python", "PyPI" }, { "python-pkg", "PyPI" }, { "pip", "PyPI" }, { "pipenv", "PyPI" },
    { "poetry", "PyPI" }, { "uv", "PyPI" }, { "pylock", "PyPI" },
    { "maven", "Maven" }, { "jar", "Maven" }, { "pom", "Maven" }, { "gradle", "Maven" }, { "sbt", "Maven" },
    { "java-archive", "Maven" }, { "jenkins-plugin", "Maven" },
    { "setuptools", "PyPI" }, { "go", "Go" }, { "golang", "Go" }, { "gobinary", "Go" }, { "gomod", "Go" }, { "go-module", "Go" },
    { "gem", "RubyGems" }, { "gemspec", "RubyGems" }, { "bundler", "RubyGems" }, { "rubygems", "RubyGems" },
    { "cargo", "crates.io" }, { "rustbinary", "crates.io" }, { "rust-binary", "crates.io" },
    { "rust-crate", "crates.io" },
    { "nuget", "NuGet" }, { "dotnet", "NuGet" }, { "dotnet-core", "NuGet" }, { "packages-props", "NuGet" },
    { "composer", "Packagist" }, { "composer-vendor", "Packagist" }, { "php-composer", "Packagist" },
    { "hex", "Hex" }, { "pub", "Pub" }, { "dart-pub", "Pub" }, { "swift", "SwiftURL" },
    { "conan", "ConanCenter" }, { "cran", "CRAN" }, { "R-package", "CRAN" }, { "hackage", "Hackage" },
    { "bitnami", "Bitnami" }, { "julia", "Julia" }, { "githubactions", "GitHub Actions" },
    { "github-action", "GitHub Actions" }, { "opam", "opam" },
};

static const char *language_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < N_ITEMS(languages); i++) {
        if (str_eq_nocase(word, languages[i].word))
            return languages[i].ecosystem;
    }
    return NULL;
}

/* ---- distributions -------------------------------------------------------------- */

enum release_style { RELEASE_NONE, RELEASE_MAJOR, RELEASE_V_MINOR, RELEASE_UBUNTU, RELEASE_RHEL, RELEASE_LEAP,
                     RELEASE_SLE, RELEASE_WHOLE };

static const struct distro {
    const char *family;           /* as scanners and /etc/os-release write it, lower case */
    const char *word;             /* OSV's, or the usual one */
    enum release_style style;
    bool is_covered;              /* advisories by ecosystem exist */
} distros[] = {
    { "debian", "Debian", RELEASE_MAJOR, true },
    { "ubuntu", "Ubuntu", RELEASE_UBUNTU, true },
    { "alpine", "Alpine", RELEASE_V_MINOR, true },
    { "wolfi", "Wolfi", RELEASE_NONE, true },
    { "chainguard", "Chainguard", RELEASE_NONE, true },
    { "minimos", "MinimOS", RELEASE_NONE, true },
    { "echo", "Echo", RELEASE_NONE, true },
    { "redhat", "Red Hat", RELEASE_RHEL, true },
    { "rhel", "Red Hat", RELEASE_RHEL, true },
    { "alma", "AlmaLinux", RELEASE_MAJOR, true },
    { "almalinux", "AlmaLinux", RELEASE_MAJOR, true },
    { "rocky", "Rocky Linux", RELEASE_MAJOR, true },
    { "opensuse", "openSUSE", RELEASE_LEAP, true },
    { "opensuse-leap", "openSUSE", RELEASE_LEAP, true },
    { "opensuse.leap", "openSUSE", RELEASE_LEAP, true },
    { "opensuse-tumbleweed", "openSUSE:Tumbleweed", RELEASE_NONE, true },
    { "opensuse.tumbleweed", "openSUSE:Tumbleweed", RELEASE_NONE, true },
    { "sles", "SUSE", RELEASE_SLE, true },
    { "suse linux enterprise server", "SUSE", RELEASE_SLE, true },
    { "mageia", "Mageia", RELEASE_MAJOR, true },
    { "openeuler", "openEuler", RELEASE_WHOLE, true },
    { "photon", "Photon OS", RELEASE_WHOLE, true },
    { "azurelinux", "Azure Linux", RELEASE_MAJOR, true },
    { "azure", "Azure Linux", RELEASE_MAJOR, true },
    { "mariner", "Azure Linux", RELEASE_MAJOR, true },
    { "cbl-mariner", "Azure Linux", RELEASE_MAJOR, true },
    { "centos", "CentOS", RELEASE_MAJOR, false },
    { "fedora", "Fedora", RELEASE_MAJOR, false },
    { "amazon", "Amazon Linux", RELEASE_MAJOR, false },
    { "amzn", "Amazon Linux", RELEASE_MAJOR, false },
    { "oracle", "Oracle Linux", RELEASE_MAJOR, false },
    { "ol", "Oracle Linux", RELEASE_MAJOR, false },
    { "arch", "Arch Linux", RELEASE_NONE, false },
};

static const struct distro *distro_find(const char *family)
{
    for (size_t i = 0; family != NULL && i < N_ITEMS(distros); i++) {
        if (str_eq_nocase(family, distros[i].family))
            return &distros[i];
    }
    return NULL;
}

static bool is_lts(const char *release)
{
    return strlen(release) >= 5 && strncmp(release + 2, ".04", 3) == 0 && (release[1] - '0') % 2 == 0;
}

/* "Debian" and "12.4" -> "Debian:12", as OSV writes it. */
static const char *distro_ecosystem(struct decode *d, const struct distro *o, const char *release)
{
    const char *dot = strchr(release, '.');
    int major = (int)(dot != NULL ? (size_t)(dot - release) : strcspn(release, " -_"));
    const char *second = dot != NULL ? strchr(dot + 1, '.') : NULL;
    int minor = (int)(second != NULL ? (size_t)(second - release) : strcspn(release, " _-"));

    if (strlen(release) > 60)
        return NULL;
    switch (o->style) {
    case RELEASE_NONE:
        return o->word;
    case RELEASE_MAJOR:
        return decode_printf(d, "%s:%.*s", o->word, major, release);
    case RELEASE_V_MINOR:
        return release[0] >= '0' && release[0] <= '9' ? decode_printf(d, "%s:v%.*s", o->word, minor, release) :
               decode_printf(d, "%s:%s", o->word, release);
    case RELEASE_UBUNTU:
        return decode_printf(d, "%s:%.*s%s", o->word, minor, release, is_lts(release) ? ":LTS" : "");
    case RELEASE_RHEL:
        return decode_printf(d, "%s:enterprise_linux:%.*s", o->word, major, release);
    case RELEASE_LEAP:
        return decode_printf(d, "%s:Leap %s", o->word, release);
    case RELEASE_SLE:
        return dot != NULL ? decode_printf(d, "%s:Linux Enterprise Server %.*s SP%s", o->word, major, release, dot + 1)
                           : decode_printf(d, "%s:Linux Enterprise Server %s", o->word, release);
    case RELEASE_WHOLE:
        return decode_printf(d, "%s:%s", o->word, release);
    }
    return NULL;
}

/* The part of "debian-12.4" in front of the release; what is left is the release. */
static const struct distro *split_distro(struct decode *d, const char *text, const char **release)
{
    for (const char *dash = text != NULL ? strrchr(text, '-') : NULL; dash != NULL && dash > text;) {
        const char *family = decode_strndup(d, text, (size_t)(dash - text));
        const struct distro *o = distro_find(family);
        if (o != NULL) {
            *release = dash + 1;
            return o;
        }
        const char *before = memrchr(text, '-', (size_t)(dash - text));
        dash = before;
    }
    *release = "";
    return distro_find(text);
}

static bool is_system_type(const char *word)
{
    static const char *const words[] = { "deb", "apk", "rpm", "alpm", "alpine", "dpkg", "os-pkgs", "os" };

    for (size_t i = 0; word != NULL && i < N_ITEMS(words); i++) {
        if (str_eq_nocase(word, words[i]))
            return true;
    }
    return distro_find(word) != NULL;
}

/* ---- the row ---------------------------------------------------------------------- */

static void not_evaluable(struct package *p, const char *why)
{
    p->is_evaluable = false;
    p->not_evaluable = why;
}

static void place_in_distro(struct decode *d, struct package *p, const struct purl_view *u,
                            const struct package_hints *h)
{
    const char *release = "";
    const struct distro *o = split_distro(d, u->distro, &release);

    if (o == NULL) {
        o = distro_find(h->os_family);
        release = h->os_version != NULL ? h->os_version : "";
    }
    if (o == NULL)
        o = distro_find(u->space);          /* pkg:apk/wolfi/...: the release is not needed there */
    if (o == NULL) {
        p->ecosystem = h->os_family != NULL ? h->os_family : u->type != NULL ? u->type : h->type;
        not_evaluable(p, h->os_family != NULL ? "distribution not covered" : "no distribution");
        return;
    }
    if (*release == '\0' && o->style != RELEASE_NONE) {
        p->ecosystem = o->word;
        not_evaluable(p, "no distribution release");
        return;
    }
    p->ecosystem = distro_ecosystem(d, o, release);
    if (p->ecosystem == NULL || !o->is_covered)
        not_evaluable(p, "distribution not covered");
}

/* OSV names: Maven "group:artifact", others "namespace/name". */
static const char *language_name(struct decode *d, const char *ecosystem, const char *space, const char *name)
{
    if (space == NULL || name == NULL)
        return name;
    if (strcmp(ecosystem, "Maven") == 0)
        return strchr(name, ':') != NULL ? name : decode_printf(d, "%s:%s", space, name);
    size_t n = strlen(space);
    if (strncmp(name, space, n) == 0 && name[n] == '/')
        return name;
    return decode_printf(d, "%s/%s", space, name);
}

static void place(struct decode *d, struct package *p, const struct purl_view *u, const struct package_hints *h)
{
    const char *language = language_of(u->type != NULL ? u->type : h->type);

    p->is_evaluable = true;
    if (is_system_type(u->type) || (u->type == NULL && language == NULL && is_system_type(h->type))) {
        place_in_distro(d, p, u, h);
    } else if (language != NULL) {
        p->ecosystem = language;
        p->name = u->name != NULL ? language_name(d, language, u->space, u->name)
                                  : language_name(d, language, h->group, p->name);
    } else {
        p->ecosystem = u->type != NULL ? u->type : h->type;
        not_evaluable(p, u->type == NULL && h->type == NULL ? "no purl" : "no advisories for this kind of package");
    }
}

/* Syft: "upstream=NAME" or "upstream=NAME@VERSION"; rpm: a source rpm's file name. */
static void take_upstream(struct decode *d, struct package *p, const char *upstream)
{
    if (p->source_name != NULL || upstream == NULL)
        return;
    const char *at = strrchr(upstream, '@');
    if (at != NULL && at != upstream) {
        p->source_name = decode_strndup(d, upstream, (size_t)(at - upstream));
        p->source_version = at[1] != '\0' ? at + 1 : NULL;
        return;
    }
    size_t n = strlen(upstream);
    if (!str_ends(upstream, ".src.rpm") || n > 512) {
        p->source_name = upstream;
        return;
    }
    /* NAME-VERSION-RELEASE.src.rpm */
    const char *end = upstream + n - 8;
    const char *release = memrchr(upstream, '-', (size_t)(end - upstream));
    const char *version = release != NULL ? memrchr(upstream, '-', (size_t)(release - upstream)) : NULL;
    if (version == NULL || version == upstream)
        return;
    p->source_name = decode_strndup(d, upstream, (size_t)(version - upstream));
    p->source_version = decode_strndup(d, version + 1, (size_t)(end - version - 1));
}

static bool is_epoch(const char *s)
{
    int64_t n;
    return s != NULL && str_to_i64(s, 1, INT32_MAX, &n);
}

void package_finish(struct decode *d, struct package *p, const struct package_hints *hints)
{
    struct purl_view u = { 0 };
    const char *canonical = NULL;

    if (hints->purl != NULL && !purl_view_read(d, hints->purl, &u, &canonical))
        d->scan->n_unmapped++;
    p->purl = canonical;
    if (p->name == NULL)
        p->name = u.name;
    if (p->version == NULL && u.version != NULL)
        p->version = is_epoch(u.epoch) ? decode_printf(d, "%s:%s", u.epoch, u.version) : u.version;
    if (p->arch == NULL)
        p->arch = u.arch;
    take_upstream(d, p, u.upstream);
    if (hints->not_package != NULL) {
        p->ecosystem = u.type != NULL ? u.type : hints->type;
        not_evaluable(p, hints->not_package);
        return;
    }
    place(d, p, &u, hints);
    if (p->name == NULL)
        not_evaluable(p, "no name");
    else if (p->version == NULL)
        not_evaluable(p, "no version");
}

const char *package_full_version(struct decode *d, int64_t epoch, const char *version, const char *release)
{
    if (version == NULL || *version == '\0')
        return NULL;
    bool has_release = release != NULL && *release != '\0';
    if (epoch <= 0 && !has_release)
        return version;
    if (epoch <= 0)
        return decode_printf(d, "%s-%s", version, release);
    return decode_printf(d, "%lld:%s%s%s", (long long)epoch, version, has_release ? "-" : "", has_release ? release : "");
}
