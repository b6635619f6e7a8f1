/* The demo fleet: its facts fit together, it is the same each time, and its reports
 * say to the decoders what they are meant to say. */
#include "demo/fleet.h"
#include "demo/report.h"

#include "base/crypto.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define NOW (INT64_C(1790000000) * 1000)

static struct arena arena;
static struct fleet fleet;

static int set_up(void **state)
{
    struct err err = { 0 };

    (void)state;
    arena_init(&arena, 256 << 20);
    return crypto_init(&err) != 0 ? -1 : fleet_make(&arena, NOW, &fleet, &err);
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const struct demo_package *package_of(const struct demo_vulnerability *v)
{
    for (size_t i = 0; i < n_demo_packages; i++) {
        if (demo_packages[i].eco == v->eco && str_eq(demo_packages[i].name, v->package))
            return &demo_packages[i];
    }
    return NULL;
}

static void every_vulnerability_is_of_a_package_and_fixed_in_one_of_its_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_demo_vulnerabilities; i++) {
        const struct demo_vulnerability *v = &demo_vulnerabilities[i];
        const struct demo_package *p = package_of(v);
        int64_t at;
        if (p == NULL)
            fail_msg("%s: no package %s", v->cve, v->package);
        assert_in_range(v->fixed_at, 0, FACT_VERSIONS - 1);
        assert_non_null(p->versions[v->fixed_at]);
        assert_true(time_parse_loose(v->published, &at));
        assert_in_range(v->epss, 0, 1000000);
        assert_true(v->appears <= 0);
    }
}

static void the_fleet_is_the_same_each_time(void **state)
{
    struct arena other;
    struct fleet again;
    struct err err = { 0 };

    (void)state;
    arena_init(&other, 256 << 20);
    assert_int_equal(fleet_make(&other, NOW, &again, &err), 0);
    assert_int_equal(again.n_images, fleet.n_images);
    assert_int_equal(again.n_scans, fleet.n_scans);
    for (size_t i = 0; i < fleet.n_scans; i++) {
        assert_int_equal(again.scans[i].at_ms, fleet.scans[i].at_ms);
        assert_string_equal(again.scans[i].image->digest, fleet.scans[i].image->digest);
    }
    arena_clear(&other);
}

static void scans_come_in_order_and_none_from_the_future(void **state)
{
    (void)state;
    assert_true(fleet.n_images > 300);
    assert_true(fleet.n_scans > 5 * fleet.n_images);
    for (size_t i = 0; i < fleet.n_scans; i++) {
        const struct demo_scan *s = &fleet.scans[i];
        assert_true(s->at_ms <= NOW && s->database_ms < s->at_ms);
        assert_true(i == 0 || s->at_ms >= fleet.scans[i - 1].at_ms);
        assert_true(digest_is_valid(s->image->digest));
    }
}

static void no_two_images_share_a_digest(void **state)
{
    (void)state;
    for (size_t i = 0; i < fleet.n_images; i++) {
        for (size_t k = i + 1; k < fleet.n_images; k++)
            assert_string_not_equal(fleet.images[i].digest, fleet.images[k].digest);
    }
}

/* What the decoder makes of a report is what the fleet put into it. */
static void check_report(const struct demo_scan *scan)
{
    struct held held[FLEET_PACKAGES_MAX];
    struct found found[FLEET_FINDINGS_MAX];
    struct arena memory;
    struct scan decoded;
    struct err err = { 0 };
    struct buf text;

    arena_init(&memory, 16 << 20);
    buf_init(&text, 4 << 20);
    report_write(&fleet, scan, &text);
    assert_false(text.failed);
    if (report_parse(text.ptr, text.len, &memory, &decoded, &err) != 0)
        fail_msg("%s: %s", scan->image->repository->name, err.msg);
    size_t n_held = image_held(&fleet, scan->image, held), n_found = scan_found(&fleet, scan, held, n_held, found);
    assert_int_equal(decoded.n_findings, n_found);
    assert_int_equal(decoded.n_unmapped, 0);
    if (scan->tool == TOOL_TRIVY)
        assert_int_equal(decoded.n_packages, n_held);
    assert_int_equal(decoded.image.n_digests, 1);
    assert_string_equal(decoded.image.digests[0], scan->image->digest);
    assert_int_equal(decoded.scanned_ms / MS_SECOND, scan->at_ms / MS_SECOND);
    for (size_t i = 0; i < decoded.n_packages; i++)
        assert_true(decoded.packages[i].is_evaluable || str_eq(decoded.packages[i].not_evaluable, "not a package"));
    buf_free(&text);
    arena_clear(&memory);
}

static void reports_decode_to_what_the_fleet_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < fleet.n_scans; i += 7)
        check_report(&fleet.scans[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vulnerability_is_of_a_package_and_fixed_in_one_of_its_versions),
        cmocka_unit_test(the_fleet_is_the_same_each_time),
        cmocka_unit_test(scans_come_in_order_and_none_from_the_future),
        cmocka_unit_test(no_two_images_share_a_digest),
        cmocka_unit_test(reports_decode_to_what_the_fleet_holds),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
