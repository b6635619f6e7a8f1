/* http_small.h - one server with small limits for a whole test program, and asking it. */
#ifndef KEEP_TESTS_FLOW_HTTP_SMALL_H
#define KEEP_TESTS_FLOW_HTTP_SMALL_H

#include "tests/flow/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct fixture fx;

static inline int up(void **state)
{
    (void)state;
    fx_start(&fx, &(struct http_config){ .head_ms = 1500, .idle_ms = 20000, .body_grace_ms = 1000,
                                         .connection_memory = 8192 },
             &(struct work_config){ .threads = 3, .queue_max = 8 }, NULL, 0);
    return 0;
}

static inline int down(void **state)
{
    (void)state;
    fx_stop(&fx);
    return 0;
}

static inline struct answer ask(const char *request)
{
    return fx_once(fx.port, request);
}

static inline void expect_status(const char *request, int status)
{
    struct answer a = ask(request);

    if (a.status != status)
        fail_msg("expected %d, got %d for:\n%s\n%s", status, a.status, request, a.text == NULL ? "" : a.text);
    answer_free(&a);
}

static inline struct answer post(const char *path, const char *headers, const void *body, size_t len)
{
    char head[1024];
    int fd = fx_connect(fx.port);

    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n", path, headers, len);
    assert_true(fd >= 0);
    fx_puts(fd, head);
    fx_send(fd, body, len);
    struct answer a = fx_answer(fd, false, 20000, NULL);
    close(fd);
    return a;
}

#define JSON_TYPE "Content-Type: application/json\r\n"
#define CI "Authorization: Bearer ci-token\r\n"

#endif
