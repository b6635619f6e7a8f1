/* peer.h - client certificates, really verified.
 *
 * libmicrohttpd only asks for one and serves whatever comes, with or without.  Here the
 * chain is verified against the configured CAs once per connection, when its first
 * request comes; agents' routes refuse a certificate that is not trusted, and, when
 * that is configured, none at all: with 401, for a certificate can be renewed (403 is for
 * nodes that were revoked). */
#ifndef KEEP_HTTP_PEER_H
#define KEEP_HTTP_PEER_H

struct request;

/* Looks at the connection's certificate, if that was not done yet, and refuses what
 * the route does not allow.  On the loop.  0, or -1 with r->err and the status set. */
int peer_check(struct request *r);

#endif
