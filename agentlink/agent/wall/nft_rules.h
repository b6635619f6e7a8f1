/* nft_rules.h - a profile's ports and peers as the text of one nftables table.  Pure.
 *
 * The table is `inet keep` of a container's own network namespace.  The text replaces it
 * in one transaction, or makes it.  Nothing a profile says is copied into the text: ports
 * are numbers, networks are parsed and written anew, and names (DNS, services) mean, as
 * for the BPF half, any address on their ports, and DNS.
 *
 * Only first packets are judged: a connection that is established passes, and so do
 * loopback, ICMP and IGMP.  Where a way is judged no other protocol is a way around. */
#ifndef KEEP_AGENT_WALL_NFT_RULES_H
#define KEEP_AGENT_WALL_NFT_RULES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/profile.h"

#include <stdint.h>

enum { NFT_TEXT_MAX = 1 << 20, NFT_PEERS_MAX = 4096 };

/* Takes the table out; fails, and changes nothing, where the table is not one of ours. */
extern const char nft_rules_none[];

/* Empty when there is nothing to enforce: the profile does not protect, or covers neither
 * ports nor peers.  lease_s > 0: after so many seconds without being loaded again the
 * rules let everything pass; 0: they stay.  out is bounded by NFT_TEXT_MAX.  The arena is
 * for working memory.  ERR_INVALID names what is no network or port; ERR_TOO_LARGE. */
int nft_rules_write(const struct profile *p, int64_t lease_s, struct arena *a, struct buf *out, struct err *err);

#endif
