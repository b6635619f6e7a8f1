/* nft.h - the process that loads tables of nftables into containers' networks.
 *
 * It is a process, not a thread, because libnftables ends its process when something is
 * wrong, and because entering a network takes a capability that the agent gives up: it
 * stands in an empty network of its own, keeps CAP_SYS_ADMIN and CAP_NET_ADMIN, may enter
 * networks and nothing else, and dies with the agent.  The agent's own namespaces never
 * change.  Not thread-safe: one request at a time. */
#ifndef KEEP_AGENT_WALL_NFT_H
#define KEEP_AGENT_WALL_NFT_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

struct nft_helper {
    pid_t pid;                           /* 0: none */
    int fd;
};

/* Starts it and has it load a table with all that rules use, in its own empty network.
 * ERR_UNAVAILABLE with what is missing: the library, a right, a part of the kernel. */
int nft_helper_open(struct nft_helper *h, struct err *err);
void nft_helper_close(struct nft_helper *h);       /* safe on one that was not opened */

/* Runs the text, as one transaction, in the network behind this descriptor.
 * ERR_NOT_FOUND: what the text deletes is not there.  ERR_UNAVAILABLE: the helper ended;
 * there will be no other one. */
int nft_helper_run(struct nft_helper *h, int network, const char *text, size_t len, struct err *err);

#endif
