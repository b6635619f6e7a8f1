/* pem.h - one textual block (RFC 7468), strict.
 *
 * White space around the block; base64 lines of any length, each ended by LF or
 * CRLF; padding and canonical last bits required; nothing else: no headers, no
 * second block, no text before or after. */
#ifndef KEEP_BASE_PEM_H
#define KEEP_BASE_PEM_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

/* The DER bytes of the block labelled `label`, at most max of them.  On failure
 * out's content is unspecified (the caller wipes it when it may be secret). */
int pem_decode(const char *pem, size_t len, const char *label, uint8_t *out, size_t max, size_t *out_len,
               struct err *err);

/* Lines of 64 characters. */
void pem_encode(const char *label, const uint8_t *der, size_t len, struct buf *out);

#endif
