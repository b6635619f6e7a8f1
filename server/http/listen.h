/* listen.h - listening sockets and the thread that accepts.
 *
 * We accept ourselves and hand sockets over, so that "stop accepting" is one
 * step without a race, and a listener at its limit closes new connections at
 * once instead of leaving them in the kernel's queue. */
#ifndef KEEP_HTTP_LISTEN_H
#define KEEP_HTTP_LISTEN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "127.0.0.1:8470", "[::1]:8470", "*:8470" (all of IPv4 and IPv6); numeric only.
 * Port 0: the kernel's choice.  *out: a socket that listens (owned by the caller). */
int listen_open(const char *address, int backlog, int *out, struct err *err);

/* Is the address one that only this machine can reach?  False when malformed. */
bool listen_is_loopback(const char *address);

int listen_port(int fd);                      /* of a listening socket */

/* Numeric, without port; IPv4 also when it came in through IPv6. */
void address_format(const struct sockaddr *sa, char *out, size_t size);

struct acceptor;

/* Takes over the socket. */
typedef void accept_fn(void *arg, int fd, const struct sockaddr *from, socklen_t from_len);

struct accept_from {
    int fd;
    accept_fn *fn;
    void *arg;
};
enum { ACCEPT_MAX_LISTENERS = 4 };

int acceptor_open(const struct accept_from *from, int n, struct acceptor **out, struct err *err);
void acceptor_close(struct acceptor *a);      /* joins the thread; the listening sockets stay open; NULL-safe */

#endif
