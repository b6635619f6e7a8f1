/* upload.h - a keepd, a client and ways to upload, for the flow tests of scans. */
#ifndef KEEP_TESTS_UPLOAD_H
#define KEEP_TESTS_UPLOAD_H

#include "tests/support/evidence.h"
#include "tests/support/keepd.h"

#include "base/compress.h"
#include "base/time.h"
#include "wire/detached.h"
#include "wire/statement.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
    struct keepd keepd;
    struct client client;
    struct buf body;
};

static inline int fixture_open(void **state)
{
    struct fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    keepd_open(&t->keepd, NULL, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->client, t->keepd.port);
    buf_init(&t->body, (size_t)256 << 20);
    *state = t;
    return 0;
}

static inline int fixture_close(void **state)
{
    struct fixture *t = *state;

    client_free(&t->client);
    buf_free(&t->body);
    keepd_close(&t->keepd);
    free(t);
    return 0;
}

static inline struct report_spec spec_of(int image)
{
    return (struct report_spec){ .repository = "shop.example/app", .tag = "1.0", .image = image, .packages = 20, .findings = 12,
                                 .scanned_ms = time_now_ms() - 60000, .db_built_ms = time_now_ms() - 3600000 };
}

static inline struct reply post_scan(struct fixture *t, enum role role, const char *query, const char *headers)
{
    char path[400];
    struct ask ask = { "POST", path, keepd_token(&t->keepd, role), headers, t->body.ptr, t->body.len };

    snprintf(path, sizeof path, "/v1/scans%s", query);
    return client_send(&t->client, &ask);
}

/* What is in t->body must be answered with this status. */
static inline const struct json *post_body(struct fixture *t, const char *query, const char *headers, int status)
{
    struct reply r = post_scan(t, ROLE_CI, query, headers);

    if (r.status != status) {
        fprintf(stderr, "upload: expected %d, got %d: %.*s\n", status, r.status, (int)(r.len < 1000 ? r.len : 1000),
                r.body != NULL ? r.body : "");
        fail();
    }
    return client_json(&t->client, &r);
}

static inline const struct json *upload_by(struct fixture *t, const struct report_spec *s, const struct privkey *key, int status)
{
    buf_clear(&t->body);
    envelope_make(s, key, false, &t->body);
    return post_body(t, "", NULL, status);
}

static inline const struct json *upload(struct fixture *t, const struct report_spec *s, int status)
{
    return upload_by(t, s, t->keepd.key, status);
}

static inline const struct json *get(struct fixture *t, const char *path, int status)
{
    return keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), "GET", path, NULL, status);
}

static inline const struct json *send_json(struct fixture *t, const char *method, const char *path, const char *body, int status)
{
    return keepd_ask(&t->client, keepd_token(&t->keepd, ROLE_ADMIN), method, path, body, status);
}

/* GET /v1/images/{digest of image}REST */
static inline const struct json *get_image(struct fixture *t, int image, const char *rest, int status)
{
    char digest[72], path[300];

    image_digest(image, digest);
    snprintf(path, sizeof path, "/v1/images/%s%s", digest, rest);
    return get(t, path, status);
}

static inline const char *decision_of(struct fixture *t, int image)
{
    return json_get_str(get_image(t, image, "/verdict", 200), "decision", "none");
}

static inline void nap_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static inline const char *text_at(const struct json *doc, const char *path)
{
    return json_str(json_path(doc, path), "(none)");
}

/* Free the key.  repositories: a JSON array; NULL: all. */
static inline struct privkey *new_signer(struct fixture *t, const char *name, const char *repositories, char id[80])
{
    struct privkey *key;
    struct buf pem, body;
    struct err err;

    assert_int_equal(privkey_generate(KEY_P256, &key, &err), 0);
    buf_init(&pem, 4096);
    buf_init(&body, 8192);
    pubkey_to_pem(privkey_public(key), &pem);
    buf_printf(&body, "{\"name\":\"%s\",\"public_key\":\"", name);
    for (const char *p = pem.ptr; *p != '\0'; p++)
        buf_puts(&body, *p == '\n' ? "\\n" : (char[]){ *p, '\0' });
    buf_printf(&body, "\",\"repositories\":%s}", repositories != NULL ? repositories : "[]");
    snprintf(id, 80, "%s", text_at(send_json(t, "POST", "/v1/signers", body.ptr, 201), "id"));
    buf_free(&pem);
    buf_free(&body);
    return key;
}

#endif
