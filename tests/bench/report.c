/* report.c - what reading a scanner's report costs: the JSON reader alone (the
 * floor), with the decoder, and jansson's reader alone on the same text.
 *
 *   build/release/tests/bench/report [SECONDS PER LINE] */
#include "tests/support/jansson_apart.h"

#include "base/buf.h"
#include "wire/report.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A Trivy report with its packages, about 5 MB, every finding tied to a package. */
static void make_report(struct buf *b)
{
    enum { PACKAGES = 1500 };

    buf_puts(b, "{\"SchemaVersion\":2,\"CreatedAt\":\"2026-01-01T00:00:00Z\",\"ArtifactName\":\"example/app:1.0\","
                "\"ArtifactType\":\"container_image\",\"Metadata\":{\"OS\":{\"Family\":\"debian\",\"Name\":\"12.5\"}},"
                "\"Results\":[{\"Target\":\"example/app:1.0 (debian 12.5)\",\"Class\":\"os-pkgs\",\"Type\":\"debian\",\"Packages\":[");
    for (int i = 0; i < PACKAGES; i++)
        buf_printf(b, "%s{\"ID\":\"lib%d@1.2.%d-3\",\"Name\":\"lib%d\",\"Identifier\":{\"PURL\":\"pkg:deb/debian/lib%d@1.2.%d-3?"
                      "arch=amd64&distro=debian-12.5\",\"UID\":\"%016x\"},\"Version\":\"1.2.%d\",\"Release\":\"3\",\"Arch\":\"amd64\","
                      "\"SrcName\":\"src%d\",\"SrcVersion\":\"1.2.%d\",\"SrcRelease\":\"3\",\"Licenses\":[\"MIT\",\"GPL-2.0-only\"],"
                      "\"Layer\":{\"Digest\":\"sha256:%064d\"}}", i > 0 ? "," : "", i, i % 7, i, i, i % 7, i, i % 7, i / 3, i % 7, i % 9);
    buf_puts(b, "],\"Vulnerabilities\":[");
    for (int i = 0; b->len < 5 * 1000 * 1000; i++) {
        int p = i * 7 % PACKAGES;
        buf_printf(b, "%s{\"VulnerabilityID\":\"CVE-2025-%05d\",\"PkgID\":\"lib%d@1.2.%d-3\",\"PkgName\":\"lib%d\",\"PkgIdentifier\":{"
                      "\"PURL\":\"pkg:deb/debian/lib%d@1.2.%d-3?arch=amd64&distro=debian-12.5\",\"UID\":\"%016x\"},"
                      "\"InstalledVersion\":\"1.2.%d-3\",\"FixedVersion\":\"1.2.%d-4\",\"Status\":\"fixed\",\"SeveritySource\":\"debian\","
                      "\"PrimaryURL\":\"https://advisories.example.com/nvd/cve-2025-%05d\",\"Title\":\"lib%d: overflow in \\\"parse\\\"\","
                      "\"Description\":\"A flaw was found. When a crafted file is opened, the parser reads past the end of a buffer."
                      "\\n\\nAn attacker who can supply such a file may cause a crash; the highest threat is to availability.\","
                      "\"Severity\":\"MEDIUM\",\"CweIDs\":[\"CWE-787\"],\"VendorSeverity\":{\"debian\":2,\"nvd\":3},\"CVSS\":{\"nvd\":{"
                      "\"V3Vector\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H\",\"V3Score\":6.5}},\"References\":["
                      "\"https://example.com/security/cve/CVE-2025-%05d\",\"https://lists.example.org/announce/2025/%d.html\"],"
                      "\"PublishedDate\":\"2025-02-03T10:15:09.12Z\"}",
                   i > 0 ? "," : "", i, p, p % 7, p, p, p % 7, p, p % 7, p % 7, i, p, i, i);
    }
    buf_puts(b, "]}]}");
}

enum reader { READ_JSON, READ_REPORT, READ_JANSSON };

/* One reading; bytes of memory taken at its end, 0 when it failed. */
static size_t read_once(enum reader reader, const struct buf *text, struct arena *a)
{
    struct json doc;
    struct scan scan;
    struct err err;
    size_t used = 0;

    if (reader == READ_JANSSON) {
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        json_t *root = json_loadb(text->ptr, text->len, 0, NULL);
        used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        if (root == NULL)
            used = 0;
        json_decref(root);
        return used;
    }
    int rc = reader == READ_JSON ? json_parse(a, text->ptr, text->len, &report_json_opts, &doc, &err)
                                 : report_parse(text->ptr, text->len, a, &scan, &err);
    if (rc == 0)
        used = a->used;
    else
        fprintf(stderr, "%s\n", err.msg);
    arena_clear(a);
    return used;
}

static double measure(enum reader reader, const char *name, const struct buf *text, double seconds)
{
    struct arena a;
    size_t used = 0, n = 0;
    double spent;                            /* CPU seconds: the machine may be shared */

    arena_init(&a, (size_t)1 << 30);
    read_once(reader, text, &a);             /* warm */
    clock_t start = clock();
    do {
        used = read_once(reader, text, &a);
        n++;
        spent = (double)(clock() - start) / CLOCKS_PER_SEC;
    } while (spent < seconds && used > 0);
    double rate = (double)text->len * (double)n / 1e6 / spent;
    printf("%-28s %8.1f MB/s %8.1f ms %8.1f MB of memory (%.1f x)\n", name, rate, spent * 1000 / (double)n,
           (double)used / 1e6, (double)used / (double)text->len);
    return rate;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    struct buf text;
    struct arena a;
    struct scan scan;
    struct err err;

    buf_init(&text, 16 << 20);
    make_report(&text);
    arena_init(&a, (size_t)1 << 30);
    if (text.failed || report_parse(text.ptr, text.len, &a, &scan, &err) != 0)
        return fprintf(stderr, "%s\n", text.failed ? "no memory" : err.msg), 1;
    printf("a Trivy report of %.1f MB: %zu packages, %zu findings\n", (double)text.len / 1e6, scan.n_packages, scan.n_findings);
    arena_clear(&a);
    double floor = measure(READ_JSON, "json_parse (floor)", &text, seconds);
    double whole = measure(READ_REPORT, "json_parse + report_decode", &text, seconds);
    double other = measure(READ_JANSSON, "jansson json_loadb", &text, seconds);
    printf("decoding costs %.0f %% on top of parsing; the whole is %.1f x jansson's parsing alone\n",
           (floor / whole - 1) * 100, whole / other);
    buf_free(&text);
    return 0;
}
