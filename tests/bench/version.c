/* version.c - comparisons per second and scheme, with strcmp as the floor. */
#include "core/version/version.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    enum version_scheme scheme;
    const char *versions[6];
} rows[] = {
    { VERSION_DEB,      { "7.88.1-10+deb12u4", "7.88.1-10+deb12u5", "1:2.36-9~bpo11+1", "1.1.1n-0+deb11u5", "2.36-9+deb12u4", "6.1.76-1" } },
    { VERSION_RPM,      { "2.34-60.el9", "2.34-83.el9.12", "1:3.0.7-16.el9_2", "4.18.0-372.9.1.el8", "1:1.1.1k-9.el8_7", "2.36.1-1.fc38" } },
    { VERSION_APK,      { "3.1.4-r5", "3.1.4-r6", "1.36.1-r15", "1.1.1u-r0", "1.2.4_git20230717-r4", "2.12.7_rc1-r0" } },
    { VERSION_SEMVER,   { "4.17.20", "4.17.21", "1.0.0-beta.11", "1.0.0-rc.1", "18.2.0", "0.0.1-alpha.2+build" } },
    { VERSION_PEP440,   { "2.31.0", "2.32.0rc1", "1.0.post1.dev3", "2023.7.22", "1!1.0", "3.0.0b2" } },
    { VERSION_MAVEN,    { "2.14.1", "2.17.1", "4.1.94.Final", "31.1-jre", "1.0.0-SNAPSHOT", "2.9.10.8" } },
    { VERSION_GO,       { "v1.2.3", "v0.0.0-20200101000000-abcdefabcdef", "v2.0.0+incompatible", "1.22.3", "v1.10.0-rc.1", "v0.17.0" } },
    { VERSION_GEM,      { "5.2.4.1", "5.2.4.rc1", "1.13.10-x86_64-linux", "7.0.4.3", "3.2.0", "2.2.6.4" } },
    { VERSION_NUGET,    { "12.0.3", "13.0.1", "5.0.0-preview.7.20364.11", "4.3.1", "1.0.0-Beta.2", "6.0.0.1" } },
    { VERSION_COMPOSER, { "6.4.1", "v5.4.10", "1.0-beta2", "8.0.0-RC1", "2.x-dev", "10.48.2" } },
    { VERSION_GENERIC,  { "1.2.3", "v1.2.4-rc1", "2023-07-22", "1.0.0a", "r1234", "10.48.2" } },
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_strcmp(enum version_scheme scheme, const char *a, const char *b)
{
    (void)scheme;
    return strcmp(a, b);
}

/* Compares per second over all pairs of one row, for about 0.1 s. */
static double rate(int (*compare)(enum version_scheme, const char *, const char *), size_t row)
{
    volatile int sink = 0;
    double start = seconds(), end;
    long n = 0;

    do {
        for (int round = 0; round < 100; round++) {
            for (size_t i = 0; i < 6; i++) {
                for (size_t j = 0; j < 6; j++)
                    sink += compare(rows[row].scheme, rows[row].versions[i], rows[row].versions[j]);
            }
        }
        n += 3600;
        end = seconds();
    } while (end - start < 0.1);
    (void)sink;
    return (double)n / (end - start);
}

int main(void)
{
    printf("%-10s %14s %14s %8s\n", "scheme", "compares/s", "strcmp/s", "ns each");
    for (size_t i = 0; i < N_ITEMS(rows); i++) {
        double ours = rate(version_compare, i), floor = rate(by_strcmp, i);
        printf("%-10s %14.0f %14.0f %8.0f\n", version_scheme_name(rows[i].scheme), ours, floor, 1e9 / ours);
    }
    return 0;
}
