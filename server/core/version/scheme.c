/* scheme.c - ecosystem words and the version scheme each stands for.
 *
 * Sorted by word, lower case, for the binary search; a test checks the order.
 * Words come from the OSV schema's ecosystem list, the purl type list, and the
 * type and distribution words scanners write. */
#include "core/version/parts.h"

#include "base/str.h"

struct word {
    const char *word;
    enum version_scheme scheme;
};

static const struct word words[] = {
    { "alma", VERSION_RPM },
    { "almalinux", VERSION_RPM },
    { "alpaquita", VERSION_APK },
    { "alpine", VERSION_APK },
    { "alpm", VERSION_RPM },
    { "alpm-db", VERSION_RPM },
    { "amazon", VERSION_RPM },
    { "amazonlinux", VERSION_RPM },
    { "amzn", VERSION_RPM },
    { "android", VERSION_GENERIC },
    { "apk", VERSION_APK },
    { "arch", VERSION_RPM },
    { "azure linux", VERSION_RPM },
    { "azurelinux", VERSION_RPM },
    { "bazel", VERSION_SEMVER },
    { "bellsoft hardened containers", VERSION_APK },
    { "bioconductor", VERSION_SEMVER },
    { "bitnami", VERSION_SEMVER },
    { "bottlerocket", VERSION_RPM },
    { "bun", VERSION_SEMVER },
    { "bundler", VERSION_GEM },
    { "cargo", VERSION_SEMVER },
    { "cbl-mariner", VERSION_RPM },
    { "centos", VERSION_RPM },
    { "chainguard", VERSION_APK },
    { "cocoapods", VERSION_SEMVER },
    { "composer", VERSION_COMPOSER },
    { "composer-vendor", VERSION_COMPOSER },
    { "conan", VERSION_SEMVER },
    { "conancenter", VERSION_SEMVER },
    { "conda", VERSION_PEP440 },
    { "conda-environment", VERSION_PEP440 },
    { "conda-pkg", VERSION_PEP440 },
    { "crates.io", VERSION_SEMVER },
    { "dart-pub", VERSION_SEMVER },
    { "deb", VERSION_DEB },
    { "debian", VERSION_DEB },
    { "docker hardened images", VERSION_SEMVER },
    { "dotnet", VERSION_NUGET },
    { "dotnet-core", VERSION_NUGET },
    { "dpkg", VERSION_DEB },
    { "echo", VERSION_DEB },
    { "fedora", VERSION_RPM },
    { "gem", VERSION_GEM },
    { "gemspec", VERSION_GEM },
    { "ghc", VERSION_SEMVER },
    { "github-action", VERSION_SEMVER },
    { "github-action-workflow", VERSION_SEMVER },
    { "githubactions", VERSION_SEMVER },
    { "go", VERSION_GO },
    { "go-module", VERSION_GO },
    { "gobinary", VERSION_GO },
    { "golang", VERSION_GO },
    { "gomod", VERSION_GO },
    { "gradle", VERSION_MAVEN },
    { "gradle-lockfile", VERSION_MAVEN },
    { "hex", VERSION_SEMVER },
    { "jar", VERSION_MAVEN },
    { "java", VERSION_MAVEN },
    { "java-archive", VERSION_MAVEN },
    { "javascript", VERSION_SEMVER },
    { "jenkins-plugin", VERSION_MAVEN },
    { "julia", VERSION_SEMVER },
    { "mageia", VERSION_RPM },
    { "mariner", VERSION_RPM },
    { "maven", VERSION_MAVEN },
    { "minimos", VERSION_APK },
    { "mix", VERSION_SEMVER },
    { "node-pkg", VERSION_SEMVER },
    { "npm", VERSION_SEMVER },
    { "nuget", VERSION_NUGET },
    { "openeuler", VERSION_RPM },
    { "opensuse", VERSION_RPM },
    { "opensuse-leap", VERSION_RPM },
    { "opensuse-tumbleweed", VERSION_RPM },
    { "opensuse.leap", VERSION_RPM },
    { "opensuse.tumbleweed", VERSION_RPM },
    { "oracle", VERSION_RPM },
    { "oraclelinux", VERSION_RPM },
    { "packages-props", VERSION_NUGET },
    { "packagist", VERSION_COMPOSER },
    { "photon", VERSION_RPM },
    { "photon os", VERSION_RPM },
    { "php-composer", VERSION_COMPOSER },
    { "pip", VERSION_PEP440 },
    { "pipenv", VERSION_PEP440 },
    { "pnpm", VERSION_SEMVER },
    { "poetry", VERSION_PEP440 },
    { "pom", VERSION_MAVEN },
    { "pub", VERSION_SEMVER },
    { "pylock", VERSION_PEP440 },
    { "pypi", VERSION_PEP440 },
    { "python", VERSION_PEP440 },
    { "python-pkg", VERSION_PEP440 },
    { "red hat", VERSION_RPM },
    { "redhat", VERSION_RPM },
    { "rhel", VERSION_RPM },
    { "rocky", VERSION_RPM },
    { "rocky linux", VERSION_RPM },
    { "rockylinux", VERSION_RPM },
    { "rpm", VERSION_RPM },
    { "ruby", VERSION_GEM },
    { "rubygems", VERSION_GEM },
    { "rust", VERSION_SEMVER },
    { "rust-crate", VERSION_SEMVER },
    { "rustbinary", VERSION_SEMVER },
    { "sbt", VERSION_MAVEN },
    { "sbt-lockfile", VERSION_MAVEN },
    { "semver", VERSION_SEMVER },
    { "slem", VERSION_RPM },
    { "sles", VERSION_RPM },
    { "suse", VERSION_RPM },
    { "suse linux enterprise micro", VERSION_RPM },
    { "suse linux enterprise server", VERSION_RPM },
    { "swift", VERSION_SEMVER },
    { "swifturl", VERSION_SEMVER },
    { "ubuntu", VERSION_DEB },
    { "uv", VERSION_PEP440 },
    { "wolfi", VERSION_APK },
    { "yarn", VERSION_SEMVER },
};

/* The word ends at ':' (a release), and for a purl at '/'. */
static struct part word_of(const char *text)
{
    const char *stop = ":";

    if (strncasecmp(text, "pkg:", 4) == 0) {
        text += 4 + strspn(text + 4, "/");
        stop = "/@?#";
    }
    return (struct part){ text, strcspn(text, stop) };
}

enum version_scheme version_scheme_of(const char *word)
{
    if (word == NULL)
        return VERSION_GENERIC;
    struct part want = word_of(word);
    size_t low = 0, high = N_ITEMS(words);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = compare_nocase(want, part_of(words[middle].word));
        if (c == 0)
            return words[middle].scheme;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return VERSION_GENERIC;
}
