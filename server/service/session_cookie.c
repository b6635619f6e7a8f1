/* session_cookie.c - see session_cookie.h. */
#include "service/session_cookie.h"
#include "base/crypto.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void session_key_make(char text[SESSION_TEXT_LEN + 1], struct session_key *out)
{
    uint8_t random[(SESSION_ID_LEN + SESSION_SECRET_LEN) / 2];

    random_bytes(random, sizeof random);
    hex_encode(random, SESSION_ID_LEN / 2, text);
    text[SESSION_ID_LEN] = '.';
    hex_encode(random + SESSION_ID_LEN / 2, SESSION_SECRET_LEN / 2, text + SESSION_ID_LEN + 1);
    crypto_wipe(random, sizeof random);
    session_key_parse(text, out);
}

bool session_key_parse(const char *text, struct session_key *out)
{
    static const char hex[] = "0123456789abcdef";
    struct session_key key = { 0 };

    if (strspn(text, hex) != SESSION_ID_LEN || text[SESSION_ID_LEN] != '.' ||
        strspn(text + SESSION_ID_LEN + 1, hex) != SESSION_SECRET_LEN || text[SESSION_TEXT_LEN] != '\0')
        return false;
    memcpy(key.id, text, SESSION_ID_LEN);
    sha256(text, SESSION_TEXT_LEN, key.hash);
    *out = key;
    return true;
}

const char *session_cookie_name(bool secure)
{
    return secure ? "__Host-keep_session" : "keep_session";
}

bool session_cookie_find(const char *header, bool secure, struct session_key *out)
{
    const char *name = session_cookie_name(secure);
    size_t name_len = strlen(name), found = 0;
    char text[SESSION_TEXT_LEN + 1] = "";

    for (const char *p = header; *p != '\0';) {
        p += strspn(p, " \t;");
        size_t len = strcspn(p, ";");
        size_t end = len;
        while (end > 0 && (p[end - 1] == ' ' || p[end - 1] == '\t'))
            end--;
        if (end > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
            size_t value = end - name_len - 1;
            found++;
            if (value == SESSION_TEXT_LEN)
                memcpy(text, p + name_len + 1, value);
        }
        p += len;
    }
    bool ok = found == 1 && session_key_parse(text, out);
    crypto_wipe(text, sizeof text);
    return ok;
}

void session_cookie_set(bool secure, const char *text, int64_t max_age_s, char out[SET_COOKIE_MAX])
{
    snprintf(out, SET_COOKIE_MAX, "%s=%s; Max-Age=%" PRId64 "; Path=/; HttpOnly; SameSite=Strict%s",
             session_cookie_name(secure), max_age_s > 0 ? text : "", max_age_s, secure ? "; Secure" : "");
}
