/* pin.c - see pin.h. */
#include "client/pin.h"
#include "base/str.h"
#include "base/x509.h"

#include <curl/curl.h>

enum { CONNECT_S = 10 };

static void set_options(CURL *curl, const char *url, char *problem)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 2L * CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    /* The one place: what is looked for is the key, and nothing is sent. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

static const char *certificate_of(const struct curl_slist *facts)
{
    for (; facts != NULL; facts = facts->next)
        if (str_starts(facts->data, "Cert:"))
            return facts->data + 5;
    return NULL;
}

static int find(CURL *curl, const char *pin, struct arena *arena, const char **pem, struct err *err)
{
    struct curl_certinfo *chain = NULL;
    char hex[65];

    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL)
        return err_set(err, ERR_UNAVAILABLE, "the server's certificates cannot be seen");
    for (int i = 0; i < chain->num_of_certs; i++) {
        const char *cert = certificate_of(chain->certinfo[i]);
        if (cert == NULL || !x509_pin(cert, hex) || !str_eq(hex, pin))
            continue;
        *pem = arena_strdup(arena, cert);
        return *pem != NULL ? 0 : err_nomem(err);
    }
    return err_set(err, ERR_FORBIDDEN, "none of the server's %d certificates has the key that was named (sha256:%.16s...): "
                   "this is another server, or somebody is between", chain->num_of_certs, pin);
}

int client_pin_find(const char *base_url, const char *pin, struct arena *arena, const char **pem, struct err *err)
{
    char problem[CURL_ERROR_SIZE] = "";

    if (!str_starts(base_url, "https://"))
        return err_set(err, ERR_INVALID, "a pinned key needs https://, got %.100s", base_url);
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (curl == NULL)
        return err_set(err, ERR_UNAVAILABLE, "libcurl cannot be started");
    set_options(curl, base_url, problem);
    CURLcode code = curl_easy_perform(curl);
    int rc = code == CURLE_OK ? find(curl, pin, arena, pem, err)
           : err_set(err, ERR_UNAVAILABLE, "%s: %s", base_url, problem[0] != '\0' ? problem : curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return rc;
}
