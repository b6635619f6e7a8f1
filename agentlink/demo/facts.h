/* facts.h - packages and vulnerabilities the demo fleet is made of.
 *
 * Facts about the world: names, versions, severities, vectors and fixed versions
 * are those of the public advisories.  Made up is only when the demo's scanners
 * learn of a vulnerability (`appears`), so that a fleet has a history. */
#ifndef KEEP_DEMO_FACTS_H
#define KEEP_DEMO_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum eco { ECO_DEBIAN12, ECO_DEBIAN13, ECO_DEBIAN7, ECO_ALPINE, ECO_ALPINE_OLD, ECO_NPM, ECO_MAVEN, ECO_PYPI, ECO_GO, ECO_N };

enum { FACT_VERSIONS = 4 };

/* What sets an ecosystem apart in a report; one row per enum eco. */
struct demo_eco {
    const char *purl;                          /* "pkg:deb/debian/" */
    const char *purl_tail;                     /* "?distro=debian-12", or "" */
    const char *grype_type, *trivy_type, *trivy_target, *path;
    const char *os, *os_version;               /* NULL for languages */
};
extern const struct demo_eco demo_ecos[ECO_N];

struct demo_package {
    enum eco eco;
    unsigned chance;                           /* percent of the images of its ecosystem that have it */
    const char *name, *source, *licence;       /* source NULL: as name */
    const char *versions[FACT_VERSIONS];       /* oldest first; the last one is the best there is */
};
extern const struct demo_package demo_packages[];
extern const size_t n_demo_packages;

struct demo_vulnerability {
    const char *cve, *package;
    enum eco eco;
    int fixed_at;                              /* index in versions of the first without it; 0: none */
    const char *fixed;                         /* NULL: versions[fixed_at] */
    const char *severity;                      /* as the vendor says it, upper case */
    const char *vector;                        /* CVSS 3.1 */
    int epss;                                  /* millionths */
    bool kev;
    const char *published;                     /* date */
    int appears;                               /* day, counted from today; 0: long known */
    const char *title;
};
extern const struct demo_vulnerability demo_vulnerabilities[];
extern const size_t n_demo_vulnerabilities;

#endif
