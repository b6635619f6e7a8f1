/* peer.c - see peer.h. */
#include "http/peer.h"
#include "http/request.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

static const char agents[] = "/v1/agent/";

/* SHA-256 of the SubjectPublicKeyInfo of the first certificate. */
static bool fingerprint_of(gnutls_session_t tls, char out[65])
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls, &n);
    gnutls_x509_crt_t cert;
    unsigned char hash[32];
    size_t len = sizeof hash;

    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&cert) < 0)
        return false;
    bool ok = gnutls_x509_crt_import(cert, &chain[0], GNUTLS_X509_FMT_DER) >= 0 &&
              gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, hash, &len) >= 0 && len == sizeof hash;
    gnutls_x509_crt_deinit(cert);
    if (ok)
        hex_encode(hash, sizeof hash, out);
    return ok;
}

/* In time, of a CA of ours, and for clients. */
static bool is_trusted(gnutls_session_t tls)
{
    unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st want = { GNUTLS_DT_KEY_PURPOSE_OID, purpose, 0 };
    unsigned status = ~0u;

    return gnutls_certificate_type_get(tls) == GNUTLS_CRT_X509 && gnutls_certificate_verify_peers(tls, &want, 1, &status) >= 0 && status == 0;
}

static enum conn_peer look(struct request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t tls = info == NULL ? NULL : info->tls_session;
    unsigned n = 0;

    if (tls == NULL || gnutls_certificate_get_peers(tls, &n) == NULL || n == 0)
        return PEER_NONE;
    if (is_trusted(tls) && fingerprint_of(tls, r->conn->certificate))
        return PEER_TRUSTED;
    r->conn->certificate[0] = '\0';
    return PEER_REFUSED;
}

int peer_check(struct request *r)
{
    if (r->server->cfg.client_ca == NULL)
        return 0;
    if (r->conn->peer == PEER_UNKNOWN)
        r->conn->peer = look(r);
    if (r->route == NULL || !str_starts(r->route->path, agents))
        return 0;
    if (r->conn->peer == PEER_REFUSED)
        err_set(&r->err, ERR_UNAUTHENTICATED, "the TLS client certificate is not one of a CA that is trusted here, or not in time");
    else if (r->conn->peer == PEER_NONE && r->server->cfg.client_required)
        err_set(&r->err, ERR_UNAUTHENTICATED, "a TLS client certificate is required here, and none was shown");
    else
        return 0;
    atomic_fetch_add_explicit(&r->server->peers_refused, 1, memory_order_relaxed);
    return request_fail(r, 0);
}
