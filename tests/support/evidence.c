/* evidence.c - see evidence.h. */
#include "tests/support/evidence.h"

#include "base/time.h"
#include "wire/envelope.h"
#include "wire/jsonw.h"
#include "wire/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 64 << 20 };

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "tests: %s\n", err->msg);
    abort();
}

void image_digest(int image, char out[72])
{
    char text[32];

    snprintf(text, sizeof text, "image %d", image);
    sha256_digest(text, strlen(text), out);
}

/* Words of a language of our own: as compressible as prose, and no two the same. */
static void prose(struct buf *out, size_t len, unsigned seed)
{
    static const char *const words[] = { "the", "parser", "of", "length", "field", "allows", "remote", "buffer", "before",
        "attacker", "when", "memory", "crafted", "input", "an", "integer", "header", "to", "read", "beyond", "is", "checked" };
    size_t end = out->len + len;

    while (out->len < end && !out->failed) {
        seed = seed * 1103515245u + 12345u;
        buf_printf(out, "%s%s", words[(seed >> 16) % N_ITEMS(words)], (seed >> 8) % 11 == 0 ? ". " : " ");
    }
}

static void put_package(struct jsonw *w, const struct report_spec *s, int i)
{
    char id[64], version[32], name[32], purl[128];

    snprintf(name, sizeof name, "lib%s%d", i % 7 == 0 ? "core" : "part", i);
    snprintf(version, sizeof version, "1.%d.%d-%d", i % 9, s->variant, i % 4);
    snprintf(id, sizeof id, "%s@%s", name, version);
    snprintf(purl, sizeof purl, "pkg:deb/debian/%s@%s?arch=amd64&distro=debian-12.5", name, version);
    jsonw_object(w);
    jsonw_kstr(w, "ID", id);
    jsonw_kstr(w, "Name", name);
    jsonw_key(w, "Identifier");
    jsonw_object(w);
    jsonw_kstr(w, "PURL", purl);
    jsonw_kstr(w, "UID", id);
    jsonw_object_end(w);
    jsonw_kstr(w, "Version", version);
    jsonw_kstr(w, "Arch", "amd64");
    jsonw_kstr(w, "SrcName", name);
    jsonw_kstr(w, "SrcVersion", version);
    jsonw_key(w, "Licenses");
    jsonw_array(w);
    jsonw_str(w, i % 2 == 0 ? "MIT" : "Apache-2.0");
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_cvss(struct jsonw *w)
{
    jsonw_key(w, "CVSS");
    jsonw_object(w);
    jsonw_key(w, "nvd");
    jsonw_object(w);
    jsonw_kstr(w, "V3Vector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    jsonw_key(w, "V3Score");
    jsonw_num(w, 9.8);
    jsonw_object_end(w);
    jsonw_object_end(w);
}

static void put_finding(struct jsonw *w, const struct report_spec *s, int i)
{
    static const char *const severities[] = { "MEDIUM", "LOW", "HIGH", "MEDIUM", "CRITICAL", "LOW" };
    int at = i % (s->packages > 0 ? s->packages : 1);
    char id[32], name[32], version[32], fixed[32], uid[64];
    struct buf text;

    snprintf(id, sizeof id, "CVE-2026-%04d", i + 1);
    snprintf(name, sizeof name, "lib%s%d", at % 7 == 0 ? "core" : "part", at);
    snprintf(version, sizeof version, "1.%d.%d-%d", at % 9, s->variant, at % 4);
    snprintf(fixed, sizeof fixed, "1.%d.%d-%d", at % 9 + 1, s->variant, at % 4);
    snprintf(uid, sizeof uid, "%s@%s", name, version);
    buf_init(&text, TEXT_MAX_BYTES);
    prose(&text, s->findings > 0 ? s->padding / (size_t)s->findings + 40 : 40, (unsigned)i + 1);
    jsonw_object(w);
    jsonw_kstr(w, "VulnerabilityID", id);
    jsonw_kstr(w, "PkgName", name);
    jsonw_kstr(w, "InstalledVersion", version);
    if (i % 2 == 0 && !s->harmless)
        jsonw_kstr(w, "FixedVersion", fixed);
    jsonw_kstr(w, "Severity", s->harmless ? "LOW" : severities[i % 6]);
    jsonw_kstr(w, "SeveritySource", "debian");
    jsonw_key(w, "PkgIdentifier");
    jsonw_object(w);
    jsonw_kstr(w, "UID", uid);
    jsonw_object_end(w);
    jsonw_kstr(w, "PrimaryURL", "https://advisories.example/made-up");
    jsonw_kstr(w, "Title", "a made-up flaw");
    jsonw_kstr(w, "Description", text.ptr);
    put_cvss(w);
    jsonw_object_end(w);
    buf_free(&text);
}

static void put_metadata(struct jsonw *w, const struct report_spec *s)
{
    char digest[72], text[300];

    image_digest(s->image, digest);
    jsonw_key(w, "Metadata");
    jsonw_object(w);
    jsonw_key(w, "OS");
    jsonw_object(w);
    jsonw_kstr(w, "Family", "debian");
    jsonw_kstr(w, "Name", "12.5");
    jsonw_object_end(w);
    jsonw_key(w, "RepoTags");
    jsonw_array(w);
    if (s->tag != NULL) {
        snprintf(text, sizeof text, "%s:%s", s->repository, s->tag);
        jsonw_str(w, text);
    }
    jsonw_array_end(w);
    jsonw_key(w, "RepoDigests");
    jsonw_array(w);
    snprintf(text, sizeof text, "%s@%s", s->repository, digest);
    jsonw_str(w, text);
    jsonw_array_end(w);
    jsonw_object_end(w);
}

static void put_results(struct jsonw *w, const struct report_spec *s)
{
    jsonw_key(w, "Results");
    jsonw_array(w);
    jsonw_object(w);
    jsonw_kstr(w, "Target", "app (debian 12.5)");
    jsonw_kstr(w, "Class", "os-pkgs");
    jsonw_kstr(w, "Type", "debian");
    jsonw_key(w, "Packages");
    jsonw_array(w);
    for (int i = 0; i < s->packages; i++)
        put_package(w, s, i);
    jsonw_array_end(w);
    jsonw_key(w, "Vulnerabilities");
    jsonw_array(w);
    for (int i = 0; i < s->findings; i++)
        put_finding(w, s, i);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

void report_make(const struct report_spec *s, struct buf *out)
{
    struct jsonw w;
    char name[300];

    snprintf(name, sizeof name, s->tag != NULL ? "%s:%s" : "%s%s", s->repository, s->tag != NULL ? s->tag : "");
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_kint(&w, "SchemaVersion", 2);
    jsonw_ktime(&w, "CreatedAt", s->scanned_ms);
    jsonw_kstr(&w, "ArtifactName", name);
    jsonw_kstr(&w, "ArtifactType", "container_image");
    put_metadata(&w, s);
    put_results(&w, s);
    jsonw_object_end(&w);
}

void statement_make(const struct report_spec *s, struct buf *out)
{
    struct arena arena;
    struct buf report, predicate;
    struct err err;
    char digest[72];

    arena_init(&arena, (size_t)512 << 20);
    buf_init(&report, TEXT_MAX_BYTES);
    buf_init(&predicate, TEXT_MAX_BYTES);
    report_make(s, &report);
    struct scan_spec scan = { .scanner_uri = s->scanner != NULL ? s->scanner : "pkg:github/aquasecurity/trivy@0.60.0",
        .scanner_version = "0.60.0", .db_updated_ms = s->db_built_ms, .started_ms = s->scanned_ms - 1000,
        .finished_ms = s->scanned_ms, .report = { (const unsigned char *)report.ptr, report.len } };
    must(statement_scan_predicate(&arena, &scan, &predicate, &err), &err);
    image_digest(s->image, digest);
    struct statement_spec spec = { .subject_name = s->repository, .subject_digest = digest, .predicate_type = COSIGN_VULN_TYPE,
        .predicate = { (const unsigned char *)predicate.ptr, predicate.len } };
    must(statement_build(&arena, &spec, out, &err), &err);
    buf_free(&report);
    buf_free(&predicate);
    arena_clear(&arena);
}

void envelope_around(const char *type, struct bytes payload, const struct privkey *key, struct buf *out)
{
    struct arena arena;
    struct err err;

    arena_init(&arena, (size_t)512 << 20);
    must(envelope_sign(&arena, type, payload, &key, 1, out, &err), &err);
    arena_clear(&arena);
}

void envelope_make(const struct report_spec *s, const struct privkey *key, bool with_bundle, struct buf *out)
{
    struct buf statement;

    buf_init(&statement, TEXT_MAX_BYTES);
    statement_make(s, &statement);
    if (with_bundle)
        buf_puts(out, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":"
                      "{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":");
    envelope_around("application/vnd.in-toto+json", (struct bytes){ (const unsigned char *)statement.ptr, statement.len }, key, out);
    if (with_bundle)
        buf_putc(out, '}');
    buf_free(&statement);
}
