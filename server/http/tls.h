/* tls.h - certificate and key of the listener, replaced while connections live.
 *
 * A connection takes a reference to the credentials that are current when it is
 * accepted and gives it back when it closes: a reload never pulls a key from
 * under a handshake. */
#ifndef KEEP_HTTP_TLS_H
#define KEEP_HTTP_TLS_H

#include "base/err.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

/* TLS 1.2 and 1.3 only, no suite below 128 bits. */
#define TLS_PRIORITY "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
enum { TLS_MAX_CHAIN = 8 };

struct tls;
struct tls_creds;

/* Loads both PEM files (certificate first, then its chain). */
int tls_open(const char *cert_file, const char *key_file, struct tls **out, struct err *err);
void tls_close(struct tls *t);                     /* NULL-safe; after the last tls_drop */

/* Reads the files again; on failure the old ones stay in use. */
int tls_reload(struct tls *t, struct err *err);

/* When the first certificate of the chain ends. */
int64_t tls_not_after_ms(struct tls *t);

/* The text of a PEM file of CA certificates, checked; *out is the caller's to free. */
int tls_client_ca(const char *file, char **out, struct err *err);

struct tls_creds *tls_take(struct tls *t);
void tls_drop(struct tls_creds *c);                /* NULL-safe */

/* For the certificate callback: what the handshake needs, borrowed from c. */
void tls_material(struct tls_creds *c, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key);

#endif
