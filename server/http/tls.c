/* tls.c - see tls.h. */
#include "http/tls.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct tls_creds {
    atomic_int refs;
    gnutls_pcert_st chain[TLS_MAX_CHAIN];
    unsigned n_chain;
    gnutls_privkey_t key;
    int64_t not_after_ms;
};

struct tls {
    char *cert_file, *key_file;
    pthread_mutex_t lock;            /* guards current */
    struct tls_creds *current;
};

static int tls_err(struct err *err, const char *file, int rc)
{
    return err_set(err, ERR_INVALID, "%s: %s", file, gnutls_strerror(rc));
}

void tls_drop(struct tls_creds *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < c->n_chain; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key != NULL)
        gnutls_privkey_deinit(c->key);
    free(c);
}

/* Do certificate and key belong together?  GnuTLS checks when both are set. */
static int check_pair(const char *cert_file, const char *key_file, struct err *err)
{
    gnutls_certificate_credentials_t both = NULL;

    int rc = gnutls_certificate_allocate_credentials(&both);
    if (rc >= 0)
        rc = gnutls_certificate_set_x509_key_file(both, cert_file, key_file, GNUTLS_X509_FMT_PEM);
    if (both != NULL)
        gnutls_certificate_free_credentials(both);
    return rc < 0 ? tls_err(err, cert_file, rc) : 0;
}

static int load_chain(struct tls_creds *c, const gnutls_datum_t *pem, const char *file, struct err *err)
{
    gnutls_x509_crt_t *certs = NULL;
    unsigned n = 0;

    int rc = gnutls_x509_crt_list_import2(&certs, &n, pem, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0)
        return tls_err(err, file, rc);
    if (n == 0 || n > TLS_MAX_CHAIN)
        rc = err_set(err, ERR_INVALID, "%s: %u certificates, expected 1 to %d", file, n, TLS_MAX_CHAIN);
    else
        c->not_after_ms = (int64_t)gnutls_x509_crt_get_expiration_time(certs[0]) * 1000;
    for (unsigned i = 0; i < n; i++) {
        if (rc >= 0) {
            rc = gnutls_pcert_import_x509(&c->chain[i], certs[i], 0);
            if (rc < 0)
                rc = tls_err(err, file, rc);
            else
                c->n_chain = i + 1;
        }
        gnutls_x509_crt_deinit(certs[i]);
    }
    gnutls_free(certs);
    return rc < 0 ? -1 : 0;
}

static int load_key(struct tls_creds *c, const char *file, struct err *err)
{
    gnutls_datum_t pem = { NULL, 0 };

    int rc = gnutls_load_file(file, &pem);
    if (rc >= 0)
        rc = gnutls_privkey_init(&c->key);
    if (rc >= 0)
        rc = gnutls_privkey_import_x509_raw(c->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (pem.data != NULL)
        gnutls_memset(pem.data, 0, pem.size);
    gnutls_free(pem.data);
    return rc < 0 ? tls_err(err, file, rc) : 0;
}

static int load(const struct tls *t, struct tls_creds **out, struct err *err)
{
    gnutls_datum_t pem = { NULL, 0 };
    struct tls_creds *c = calloc(1, sizeof *c);

    if (c == NULL)
        return err_nomem(err);
    atomic_init(&c->refs, 1);
    int rc = gnutls_load_file(t->cert_file, &pem);
    if (rc < 0)
        rc = tls_err(err, t->cert_file, rc);
    else
        rc = load_chain(c, &pem, t->cert_file, err);
    gnutls_free(pem.data);
    if (rc < 0 || load_key(c, t->key_file, err) != 0 || check_pair(t->cert_file, t->key_file, err) != 0) {
        tls_drop(c);
        return -1;
    }
    *out = c;
    return 0;
}

int tls_open(const char *cert_file, const char *key_file, struct tls **out, struct err *err)
{
    struct tls *t = calloc(1, sizeof *t);

    if (t == NULL)
        return err_nomem(err);
    pthread_mutex_init(&t->lock, NULL);
    t->cert_file = strdup(cert_file);
    t->key_file = strdup(key_file);
    if (t->cert_file == NULL || t->key_file == NULL) {
        tls_close(t);
        return err_nomem(err);
    }
    if (load(t, &t->current, err) != 0) {
        tls_close(t);
        return -1;
    }
    *out = t;
    return 0;
}

void tls_close(struct tls *t)
{
    if (t == NULL)
        return;
    tls_drop(t->current);
    pthread_mutex_destroy(&t->lock);
    free(t->cert_file);
    free(t->key_file);
    free(t);
}

int tls_reload(struct tls *t, struct err *err)
{
    struct tls_creds *fresh = NULL, *old;

    if (load(t, &fresh, err) != 0)
        return -1;
    pthread_mutex_lock(&t->lock);
    old = t->current;
    t->current = fresh;
    pthread_mutex_unlock(&t->lock);
    tls_drop(old);
    return 0;
}

struct tls_creds *tls_take(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    struct tls_creds *c = t->current;
    atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&t->lock);
    return c;
}

int64_t tls_not_after_ms(struct tls *t)
{
    struct tls_creds *c = tls_take(t);
    int64_t ms = c->not_after_ms;

    tls_drop(c);
    return ms;
}

void tls_material(struct tls_creds *c, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key)
{
    *chain = c->chain;
    *n = c->n_chain;
    *key = c->key;
}

int tls_client_ca(const char *file, char **out, struct err *err)
{
    gnutls_datum_t pem = { NULL, 0 };
    gnutls_x509_crt_t *certs = NULL;
    unsigned n = 0;

    int rc = gnutls_load_file(file, &pem);
    if (rc >= 0)
        rc = gnutls_x509_crt_list_import2(&certs, &n, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (rc >= 0 && n == 0)
        rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
    for (unsigned i = 0; rc >= 0 && i < n; i++)
        gnutls_x509_crt_deinit(certs[i]);
    gnutls_free(certs);
    char *copy = rc >= 0 ? strndup((const char *)pem.data, pem.size) : NULL;
    gnutls_free(pem.data);
    if (rc < 0)
        return tls_err(err, file, rc);
    *out = copy;
    return copy != NULL ? 0 : err_nomem(err);
}
