/* x509.h - certificates of our own making: a small CA, and servers it vouches for.
 *
 * For a server that nobody else gives a certificate to (a webhook inside a
 * cluster).  Keys are ECDSA P-256, signatures SHA-256, serial numbers 127 random
 * bits, names in subjectAltName only (what RFC 9525 and Go look at).  The CA may
 * sign servers and nothing else (pathlen 0).  Times are int64 ms, cut to seconds. */
#ifndef KEEP_BASE_X509_H
#define KEEP_BASE_X509_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { X509_NAMES_MAX = 32 };

/* Appends a certificate and its private key, PEM, to `out` (secret: the caller wipes it). */
int x509_make_ca(const char *common_name, int64_t from_ms, int64_t until_ms, struct buf *out, struct err *err);

/* Appends certificate, the CA's certificate and the private key.  `ca` is what
 * x509_make_ca wrote.  names: host names (a first label * is allowed) and IP
 * addresses.  ERR_INVALID. */
int x509_issue(const char *ca, const char *const *names, size_t n, int64_t from_ms, int64_t until_ms, struct buf *out,
               struct err *err);

/* The first certificate of a PEM text (NUL-terminated). */
struct x509_facts { int64_t from_ms, until_ms; };
int x509_read(const char *pem, struct x509_facts *out, struct err *err);

/* Appends the first certificate alone. */
int x509_certificate(const char *pem, struct buf *out, struct err *err);

/* Fingerprint (hex of SHA-256 over the SubjectPublicKeyInfo) of the last certificate's
 * key: what vouches for the chain as far as it is there.  False: there is none. */
bool x509_pin(const char *pem, char out[65]);

/* Is the last certificate its own issuer?  A chain without its root ends in a key that
 * others may replace at any time: nothing to pin. */
bool x509_ends_in_root(const char *pem);

/* Was the first certificate of `pem` signed by the first of `ca`, and is it good for
 * exactly these names? */
bool x509_is_issued(const char *pem, const char *ca);
bool x509_has_names(const char *pem, const char *const *names, size_t n);

/* A host name or an address that a certificate can be made for. */
bool x509_is_name(const char *name);

#endif
