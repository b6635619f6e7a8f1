/* TLS: versions, certificates replaced while connections live, pairs that do not fit. */
#include "tests/flow/http_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cmocka.h>

extern char **environ;

static const struct work_config small_pool = { .threads = 2, .queue_max = 16 };

#define LIGHT "GET /v1/light HTTP/1.1\r\nHost: a\r\n\r\n"

static int try_open(const struct http_config *cfg, const struct route *table, size_t n, struct err *err)
{
    struct work_pool *work = NULL;
    struct http_server *s = NULL;

    assert_int_equal(work_open(&(struct work_config){ .threads = 1 }, &work, err), 0);
    struct http_back back = { .hooks = &fx_hooks, .routes = table, .n_routes = n, .work = work };
    int rc = http_open(cfg, &back, &s, err);
    http_close(s);
    work_close(work);
    return rc;
}

static void make_certificate(const char *dir, const char *cn)
{
    char key[128], cert[128], subject[64];
    const char *argv[] = { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-days", "30", "-subj", subject, "-keyout", key, "-out", cert, NULL };
    posix_spawn_file_actions_t quiet;
    int status = 0;
    pid_t pid;

    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(subject, sizeof subject, "/CN=%s", cn);
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    union { const char **in; char *const *out; } args = { .in = argv };
    assert_int_equal(posix_spawnp(&pid, "openssl", &quiet, NULL, args.out, environ), 0);
    waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&quiet);
    assert_int_equal(status, 0);
}

struct tls_client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t creds;
    char cn[64];
};

static int tls_connect(struct tls_client *c, int port, const char *priority)
{
    memset(c, 0, sizeof *c);
    c->fd = fx_connect(port);
    gnutls_certificate_allocate_credentials(&c->creds);
    gnutls_init(&c->session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(c->session, priority, NULL);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->creds);
    gnutls_transport_set_int(c->session, c->fd);
    gnutls_handshake_set_timeout(c->session, 3000);
    int rc;
    do
        rc = gnutls_handshake(c->session);
    while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
    if (rc < 0)
        return rc;
    unsigned n = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(c->session, &n);
    gnutls_x509_crt_t crt;
    size_t len = sizeof c->cn;
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_import(crt, &peers[0], GNUTLS_X509_FMT_DER);
    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, c->cn, &len);
    gnutls_x509_crt_deinit(crt);
    return 0;
}

static int tls_ask(struct tls_client *c, const char *request, char *out, size_t size)
{
    gnutls_record_send(c->session, request, strlen(request));
    size_t n = 0;
    while (n + 1 < size && memmem(out, n, "\"n\":0}", 6) == NULL) {
        ssize_t got = gnutls_record_recv(c->session, out + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    out[n] = '\0';
    return strncmp(out, "HTTP/1.1 200", 12) == 0 ? 0 : -1;
}

static void tls_end(struct tls_client *c)
{
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->creds);
    close(c->fd);
}

static void a_new_certificate_is_taken_without_dropping_connections(void **state)
{
    char dir[] = "/tmp/keep-tls-XXXXXX", cert[128], key[128], text[8192];
    struct tls_client old, fresh, ancient;
    struct fixture f;
    struct err err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    make_certificate(dir, "first");
    fx_start(&f, &(struct http_config){ .listen = "127.0.0.1:0", .tls_cert = cert, .tls_key = key }, &small_pool, NULL, 0);
    assert_in_range(http_tls_not_after_ms(f.server) - time_now_ms(), 29 * MS_DAY, 31 * MS_DAY);

    assert_int_equal(tls_connect(&old, f.port, "NORMAL"), 0);
    assert_string_equal(old.cn, "first");
    assert_int_equal(tls_ask(&old, LIGHT, text, sizeof text), 0);
    assert_non_null(strstr(text, "Strict-Transport-Security"));

    assert_int_not_equal(tls_connect(&ancient, f.port, "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT"), 0);
    tls_end(&ancient);

    make_certificate(dir, "second");
    assert_int_equal(http_reload_tls(f.server, &err), 0);
    assert_int_equal(tls_connect(&fresh, f.port, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
    assert_string_equal(fresh.cn, "second");
    assert_int_equal(tls_ask(&fresh, LIGHT, text, sizeof text), 0);
    assert_int_equal(tls_ask(&old, LIGHT, text, sizeof text), 0);     /* the old connection lives */
    tls_end(&fresh);

    unlink(key);                                                      /* half a pair: the old one stays */
    assert_int_equal(http_reload_tls(f.server, &err), -1);
    assert_int_equal(tls_connect(&fresh, f.port, "NORMAL"), 0);
    assert_string_equal(fresh.cn, "second");
    tls_end(&fresh);
    tls_end(&old);
    fx_stop(&f);
    unlink(cert);
    rmdir(dir);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    char dir[] = "/tmp/keep-tls-XXXXXX", cert[128], key[128], other[128];
    struct err err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(other, sizeof other, "%s/other.pem", dir);
    make_certificate(dir, "a");
    assert_int_equal(rename(key, other), 0);
    make_certificate(dir, "b");
    assert_int_equal(try_open(&(struct http_config){ .listen = "127.0.0.1:0", .tls_cert = cert, .tls_key = other },
                              fx_routes, 1, &err), -1);
    assert_int_equal(try_open(&(struct http_config){ .listen = "127.0.0.1:0", .tls_cert = cert }, fx_routes, 1, &err), -1);
    assert_int_equal(try_open(&(struct http_config){ .listen = "0.0.0.0:0", .tls_cert = cert, .tls_key = key },
                              fx_routes, 1, &err), 0);
    unlink(cert);
    unlink(key);
    unlink(other);
    rmdir(dir);
}

static void plain_bytes_on_a_tls_port_are_closed(void **state)
{
    char dir[] = "/tmp/keep-tls-XXXXXX", cert[128], key[128];
    struct fixture f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    make_certificate(dir, "a");
    fx_start(&f, &(struct http_config){ .tls_cert = cert, .tls_key = key, .head_ms = 1000 }, &small_pool, NULL, 0);
    int fd = fx_connect(f.port), silent = fx_connect(f.port);
    fx_puts(fd, LIGHT);
    assert_true(fx_closes(fd, 3000));
    assert_true(fx_closes(silent, 3000));                    /* and so is a handshake that never comes */
    close(fd);
    close(silent);
    fx_stop(&f);
    unlink(cert);
    unlink(key);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_certificate_is_taken_without_dropping_connections),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
        cmocka_unit_test(plain_bytes_on_a_tls_port_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
