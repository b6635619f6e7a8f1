/* session_cookie.h - the text a browser keeps: <id>.<secret>, both hex.
 *
 * 128 bits to find the row by, 256 bits to prove it.  Only SHA-256 of the whole
 * text is stored. */
#ifndef KEEP_SERVICE_SESSION_COOKIE_H
#define KEEP_SERVICE_SESSION_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

enum { SESSION_ID_LEN = 32, SESSION_SECRET_LEN = 64, SESSION_TEXT_LEN = SESSION_ID_LEN + 1 + SESSION_SECRET_LEN };

struct session_key {
    char id[SESSION_ID_LEN + 1];
    uint8_t hash[32];
};

/* A new one; text is the only copy of the secret. */
void session_key_make(char text[SESSION_TEXT_LEN + 1], struct session_key *out);

/* False for anything that is not such a text. */
bool session_key_parse(const char *text, struct session_key *out);

/* "keep_session", or "__Host-keep_session" where cookies travel by TLS only. */
const char *session_cookie_name(bool secure);

/* The session of a Cookie header (RFC 6265).  False when there is none, when it
 * is malformed, or when the name comes twice: somebody planted one of them. */
bool session_cookie_find(const char *header, bool secure, struct session_key *out);

/* A Set-Cookie value; max_age_s 0 with any text takes the cookie away. */
enum { SET_COOKIE_MAX = 256 };
void session_cookie_set(bool secure, const char *text, int64_t max_age_s, char out[SET_COOKIE_MAX]);

#endif
