/* x509.c - see x509.h; OpenSSL's libcrypto does the work. */
#include "base/x509.h"

#include "base/crypto.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static int failed(struct err *err, const char *what)
{
    return err_set(err, ERR_INTERNAL, "certificate: %s failed", what);
}

/* ---- names ------------------------------------------------------------------- */

static bool is_address(const char *name)
{
    unsigned char raw[16];

    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

static bool is_label(const char *s, size_t n, bool first)
{
    if (first && n == 1 && *s == '*')
        return true;
    for (size_t i = 0; i < n; i++) {
        bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9');
        if (!alnum && (s[i] != '-' || i == 0 || i + 1 == n))
            return false;
    }
    return n >= 1 && n <= 63;
}

bool x509_is_name(const char *name)
{
    if (is_address(name))
        return true;
    if (strlen(name) > 253)
        return false;
    for (const char *s = name;; s++) {
        size_t n = strcspn(s, ".");
        if (!is_label(s, n, s == name))
            return false;
        s += n;
        if (*s == '\0')
            return true;
    }
}

static int alt_names(const char *const *names, size_t n, struct buf *out, struct err *err)
{
    if (n == 0 || n > X509_NAMES_MAX)
        return err_set(err, ERR_INVALID, "certificate: 1 to %d names expected, found %zu", X509_NAMES_MAX, n);
    for (size_t i = 0; i < n; i++) {
        if (!x509_is_name(names[i]))
            return err_set(err, ERR_INVALID, "certificate: %.100s is no host name or address", names[i]);
        buf_printf(out, "%s%s:%s", i > 0 ? "," : "", is_address(names[i]) ? "IP" : "DNS", names[i]);
    }
    return out->failed ? err_nomem(err) : 0;
}

/* ---- PEM ------------------------------------------------------------------------ */

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

/* No password is ever asked for. */
static int no_password(char *buf, int size, int rw, void *arg)
{
    (void)buf, (void)size, (void)rw, (void)arg;
    return 0;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool take(BIO *bio, struct buf *out)
{
    char *text;
    long n = BIO_get_mem_data(bio, &text);

    if (n > 0) {
        buf_put(out, text, (size_t)n);
        crypto_wipe(text, (size_t)n);
    }
    BIO_free(bio);
    return n > 0 && !out->failed;
}

static bool put_cert(X509 *cert, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio != NULL && PEM_write_bio_X509(bio, cert) == 1 ? take(bio, out) : (BIO_free(bio), false);
}

static bool put_key(EVP_PKEY *key, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 ? take(bio, out) : (BIO_free(bio), false);
}

/* ---- making ------------------------------------------------------------------------ */

static bool set_serial(X509 *cert)
{
    unsigned char raw[16];

    random_bytes(raw, sizeof raw);
    raw[0] = (unsigned char)((raw[0] & 0x7f) | 0x40);
    BIGNUM *n = BN_bin2bn(raw, sizeof raw, NULL);
    bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return ok;
}

static bool set_period(X509 *cert, int64_t from_ms, int64_t until_ms)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(from_ms / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(until_ms / 1000)) != NULL;
}

static X509_NAME *common_name(const char *text)
{
    X509_NAME *name = X509_NAME_new();

    if (name != NULL && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1)
        return name;
    X509_NAME_free(name);
    return NULL;
}

struct extension { int nid; const char *value; };

static bool extend(X509 *cert, X509 *issuer, const struct extension *list, size_t n)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, list[i].nid, list[i].value);
        bool ok = x != NULL && X509_add_ext(cert, x, -1) == 1;
        X509_EXTENSION_free(x);
        if (!ok)
            return false;
    }
    return true;
}

/* A certificate without its extensions; NULL when anything failed. */
static X509 *blank(EVP_PKEY *key, const X509_NAME *subject, const X509_NAME *issuer, int64_t from_ms, int64_t until_ms)
{
    X509 *cert = X509_new();

    if (cert != NULL && X509_set_version(cert, 2) == 1 && set_serial(cert) && set_period(cert, from_ms, until_ms) &&
        X509_set_subject_name(cert, subject) == 1 && X509_set_issuer_name(cert, issuer) == 1 && X509_set_pubkey(cert, key) == 1)
        return cert;
    X509_free(cert);
    return NULL;
}

int x509_make_ca(const char *name, int64_t from_ms, int64_t until_ms, struct buf *out, struct err *err)
{
    static const struct extension extensions[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" }, { NID_key_usage, "critical,keyCertSign,cRLSign" },
        { NID_subject_key_identifier, "hash" },
    };
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_NAME *subject = common_name(name);
    X509 *cert = key != NULL && subject != NULL ? blank(key, subject, subject, from_ms, until_ms) : NULL;

    bool ok = cert != NULL && extend(cert, cert, extensions, N_ITEMS(extensions)) && X509_sign(cert, key, EVP_sha256()) > 0 &&
              put_cert(cert, out) && put_key(key, out);
    X509_free(cert);
    X509_NAME_free(subject);
    EVP_PKEY_free(key);
    return ok ? 0 : failed(err, "making a CA");
}

/* With everything read; `alt` is the extension's text. */
static int issue(X509 *ca, EVP_PKEY *ca_key, const char *name, const char *alt, int64_t from_ms, int64_t until_ms, struct buf *out,
                 struct err *err)
{
    const struct extension extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" }, { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "serverAuth" }, { NID_subject_key_identifier, "hash" }, { NID_authority_key_identifier, "keyid" },
        { NID_subject_alt_name, alt },
    };
    char shown[64];
    size_t n = strlen(name) < sizeof shown ? strlen(name) : sizeof shown - 1;      /* a CN has at most 64 characters */

    memcpy(shown, name, n);
    shown[n] = '\0';
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_NAME *subject = common_name(shown);
    X509 *cert = key != NULL && subject != NULL ? blank(key, subject, X509_get_subject_name(ca), from_ms, until_ms) : NULL;
    bool ok = cert != NULL && extend(cert, ca, extensions, N_ITEMS(extensions)) && X509_sign(cert, ca_key, EVP_sha256()) > 0 &&
              put_cert(cert, out) && put_cert(ca, out) && put_key(key, out);
    X509_free(cert);
    X509_NAME_free(subject);
    EVP_PKEY_free(key);
    return ok ? 0 : failed(err, "issuing");
}

int x509_issue(const char *ca, const char *const *names, size_t n, int64_t from_ms, int64_t until_ms, struct buf *out,
               struct err *err)
{
    struct buf alt;

    buf_init(&alt, 16 << 10);
    if (alt_names(names, n, &alt, err) != 0)
        return buf_free(&alt), -1;
    X509 *cert = read_cert(ca);
    EVP_PKEY *key = read_key(ca);
    int rc = cert != NULL && key != NULL && X509_check_private_key(cert, key) == 1
        ? issue(cert, key, names[0], alt.ptr, from_ms, until_ms, out, err)
        : err_set(err, ERR_INVALID, "certificate: the CA is no certificate with its key");
    X509_free(cert);
    EVP_PKEY_free(key);
    buf_free(&alt);
    return rc;
}

/* ---- reading ---------------------------------------------------------------------------- */

static bool time_of(const ASN1_TIME *t, int64_t *ms)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

int x509_read(const char *pem, struct x509_facts *out, struct err *err)
{
    struct x509_facts f;
    X509 *cert = read_cert(pem);
    bool ok = cert != NULL && time_of(X509_get0_notBefore(cert), &f.from_ms) && time_of(X509_get0_notAfter(cert), &f.until_ms);

    X509_free(cert);
    if (!ok)
        return err_set(err, ERR_INVALID, "certificate: cannot be read");
    *out = f;
    return 0;
}

int x509_certificate(const char *pem, struct buf *out, struct err *err)
{
    X509 *cert = read_cert(pem);
    bool ok = cert != NULL && put_cert(cert, out);

    X509_free(cert);
    return ok ? 0 : err_set(err, ERR_INVALID, "certificate: cannot be read");
}

static bool pin_of(X509 *cert, char out[65])
{
    unsigned char *der = NULL;
    uint8_t hash[SHA256_LEN];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    if (len <= 0)
        return false;
    sha256(der, (size_t)len, hash);
    hex_encode(hash, sizeof hash, out);
    OPENSSL_free(der);
    return true;
}

/* The caller's to free; NULL: there is none. */
static X509 *read_last(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *last = NULL, *cert;

    while (bio != NULL && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        X509_free(last);
        last = cert;
    }
    ERR_clear_error();                   /* the end of the list is one */
    BIO_free(bio);
    return last;
}

bool x509_pin(const char *pem, char out[65])
{
    X509 *last = read_last(pem);
    bool ok = last != NULL && pin_of(last, out);

    X509_free(last);
    return ok;
}

bool x509_ends_in_root(const char *pem)
{
    X509 *last = read_last(pem);
    EVP_PKEY *key = last != NULL ? X509_get0_pubkey(last) : NULL;
    bool ok = key != NULL && X509_NAME_cmp(X509_get_subject_name(last), X509_get_issuer_name(last)) == 0 && X509_verify(last, key) == 1;

    X509_free(last);
    return ok;
}

bool x509_is_issued(const char *pem, const char *ca)
{
    X509 *cert = read_cert(pem), *issuer = read_cert(ca);
    EVP_PKEY *key = issuer != NULL ? X509_get0_pubkey(issuer) : NULL;
    bool ok = cert != NULL && key != NULL && X509_check_issued(issuer, cert) == X509_V_OK && X509_verify(cert, key) == 1;

    X509_free(cert);
    X509_free(issuer);
    return ok;
}

bool x509_has_names(const char *pem, const char *const *names, size_t n)
{
    X509 *cert = read_cert(pem);
    GENERAL_NAMES *have = cert != NULL ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;
    bool ok = have != NULL && (size_t)sk_GENERAL_NAME_num(have) == n;

    for (size_t i = 0; ok && i < n; i++)
        ok = is_address(names[i]) ? X509_check_ip_asc(cert, names[i], 0) == 1
                                  : X509_check_host(cert, names[i], 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    GENERAL_NAMES_free(have);
    X509_free(cert);
    return ok;
}
