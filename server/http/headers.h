/* headers.h - the security headers, said once. */
#ifndef KEEP_HTTP_HEADERS_H
#define KEEP_HTTP_HEADERS_H

#include <microhttpd.h>
#include <stdbool.h>

enum header_set {
    HEADERS_API = 0,         /* JSON, text: never stored, never rendered */
    HEADERS_FILE,            /* scripts, styles, images of our own pages */
    HEADERS_PAGE,            /* HTML */
};

/* False when out of memory. */
bool headers_add(struct MHD_Response *response, enum header_set set, bool secure);

#endif
