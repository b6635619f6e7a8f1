/* cidr.h - networks and addresses, IPv4 and IPv6, as values that can be compared. */
#ifndef KEEP_WIRE_CIDR_H
#define KEEP_WIRE_CIDR_H

#include <stdbool.h>

/* A network: the address in 16 bytes (IPv4 mapped into ::ffff:0:0/96) and how many of
 * its 128 bits count.  A plain address is a network of one.  Host bits must be zero. */
struct cidr {
    unsigned char bytes[16];
    unsigned bits;
    bool is_v4;
};
bool cidr_parse(const char *text, struct cidr *out);
bool cidr_contains(const struct cidr *net, const struct cidr *address);
/* Neither private, shared (100.64/10), loopback, link-local, nor multicast. */
bool cidr_is_public(const struct cidr *net);

enum { CIDR_TEXT = 64 };
/* "10.0.0.0/8", "fd00::/8"; a network of one without its length. */
void cidr_format(const struct cidr *net, char out[CIDR_TEXT]);

#endif
