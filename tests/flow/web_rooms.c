/* The web interface as the server serves it: its addresses, its headers, and the
 * filter by age that its overview links to. */
#include "tests/flow/upload.h"

static struct reply page(struct fixture *t, const char *path, const char *headers)
{
    struct ask ask = { "GET", path, NULL, headers, NULL, 0 };

    return client_send(&t->client, &ask);
}

static void the_address_of_a_room_answers_with_the_page(void **state)
{
    static const char *const rooms[] = { "/", "/images", "/images/sha256:aa", "/images?verdict=fail&cursor=x", "/findings?vulnerability=CVE-2021-44228",
                                         "/packages", "/running", "/exceptions", "/audit", "/login" };
    char text[700];

    for (size_t i = 0; i < N_ITEMS(rooms); i++) {
        struct reply r = page(*state, rooms[i], NULL);
        if (r.status != 200 || r.len < 15 || memcmp(r.body, "<!doctype html>", 15) != 0)
            fail_msg("%s: %d, %zu bytes", rooms[i], r.status, r.len);
        assert_true(reply_header(&r, "Content-Security-Policy", text, sizeof text));
        assert_non_null(strstr(text, "default-src 'none'; script-src 'self'"));
        assert_non_null(strstr(text, "trusted-types 'none'"));
    }
}

static void any_other_address_stays_unknown(void **state)
{
    static const char *const paths[] = { "/image", "/images/", "/images/a/b", "/imagesx", "/login/x", "/index", "/v1/images/sha256:aa/none", "/js", "/.git/config" };

    for (size_t i = 0; i < N_ITEMS(paths); i++) {
        int status = page(*state, paths[i], NULL).status;
        if (status != 404)
            fail_msg("%s: %d", paths[i], status);
    }
}

static void files_are_served_with_their_type_and_validated(void **state)
{
    static const struct { const char *path, *type; bool for_ever; } files[] = {
        { "/app.js", "text/javascript; charset=utf-8", false }, { "/app.css", "text/css; charset=utf-8", false },
        { "/js/ui.js", "text/javascript; charset=utf-8", false }, { "/vendor/htm-3.1.1.mjs", "text/javascript; charset=utf-8", true },
        { "/icon.svg", "image/svg+xml", false },
    };
    char text[200], headers[160];

    for (size_t i = 0; i < N_ITEMS(files); i++) {
        struct reply r = page(*state, files[i].path, NULL);
        assert_int_equal(r.status, 200);
        assert_true(reply_header(&r, "Content-Type", text, sizeof text));
        assert_string_equal(text, files[i].type);
        assert_true(reply_header(&r, "Cache-Control", text, sizeof text));
        assert_true((strstr(text, "immutable") != NULL) == files[i].for_ever);
        assert_true(reply_header(&r, "ETag", text, sizeof text));
        snprintf(headers, sizeof headers, "If-None-Match: %.100s\r\n", text);
        assert_int_equal(page(*state, files[i].path, headers).status, 304);
    }
}

/* ---- the filter behind the bars ----------------------------------------------------------- */

static int aged_open(void **state)
{
    static const int days[] = { 0, 2, 5, 10, 40, 200 };

    fixture_open(state);
    for (size_t i = 0; i < N_ITEMS(days); i++) {
        struct report_spec s = spec_of(300 + (int)i);
        s.scanned_ms = time_now_ms() - days[i] * MS_DAY - MS_HOUR;
        upload(*state, &s, 201);
    }
    return 0;
}

static int64_t total(struct fixture *t, const char *query)
{
    char url[200];

    snprintf(url, sizeof url, "/v1/images?%s", query);
    return json_int(json_get(get(t, url, 200), "total"), 0);      /* 0 is left out */
}

static void images_are_found_by_the_age_of_their_newest_scan(void **state)
{
    static const struct { const char *query; int64_t images; } cases[] = {
        { "age_max=1", 1 }, { "age_min=1", 5 }, { "age_min=1&age_max=3", 1 }, { "age_min=3&age_max=7&sort=risk", 1 }, { "age_min=7&age_max=14&sort=name", 1 },
        { "age_min=14&age_max=30&sort=recent", 0 }, { "age_min=90", 1 }, { "age_max=30", 4 }, { "age_max=3650", 6 }, { "age_min=30&verdict=pass", 0 },
    };

    for (size_t i = 0; i < N_ITEMS(cases); i++) {
        int64_t n = total(*state, cases[i].query);
        if (n != cases[i].images)
            fail_msg("%s: %lld images, expected %lld", cases[i].query, (long long)n, (long long)cases[i].images);
    }
    get(*state, "/v1/images?age_min=0", 400);
    get(*state, "/v1/images?age_max=x", 400);
}

/* What the overview shows and where its bars lead must not differ. */
static void each_bar_of_the_posture_counts_what_its_filter_finds(void **state)
{
    int64_t bars[16], from[16], to[16], min = 0;
    uint32_t n = 0;
    char query[80];

    const struct json *ages = json_get(get(*state, "/v1/posture", 200), "scan_age");
    for (uint32_t i = 0; i + 1 < json_len(ages); i++, n++) {
        const struct json *bar = json_at(ages, i);
        bars[n] = json_int(json_get(bar, "images"), -1);
        from[n] = min;
        to[n] = min = json_int(json_get(bar, "max_days"), 3650);
    }
    assert_int_equal(n, 7);
    for (uint32_t i = 0; i < n; i++) {
        if (from[i] == 0)
            snprintf(query, sizeof query, "age_max=%lld", (long long)to[i]);
        else
            snprintf(query, sizeof query, "age_min=%lld&age_max=%lld", (long long)from[i], (long long)to[i]);
        assert_int_equal(total(*state, query), bars[i]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_of_a_room_answers_with_the_page),
        cmocka_unit_test(any_other_address_stays_unknown),
        cmocka_unit_test(files_are_served_with_their_type_and_validated),
        cmocka_unit_test(images_are_found_by_the_age_of_their_newest_scan),
        cmocka_unit_test(each_bar_of_the_posture_counts_what_its_filter_finds),
    };

    return cmocka_run_group_tests_name("web rooms", tests, aged_open, fixture_close);
}
