/* identity.h - who this machine is to the server, and how it proves it.
 *
 * In DIR (0700): node.key (0600, Ed25519, PKCS#8; made here and never sent anywhere),
 * node.json (what enrolment answered), ca.pem (whom to trust as the server, when it is
 * not the system's list), root.json (the root of trust, as it was signed).  Every file
 * is written beside its place, synced and renamed. */
#ifndef KEEP_AGENT_IDENTITY_H
#define KEEP_AGENT_IDENTITY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { INSTANCE_TEXT = 33 };

/* What the machine says of itself. */
struct machine {
    char name[254], kernel[129], arch[33], version[65];
    char instance[INSTANCE_TEXT];        /* of this boot: two machines with one identity differ in it */
};
/* version: of the agent.  Without /proc/sys/kernel/random/boot_id the instance is random. */
void machine_read(const char *version, struct machine *out);

struct identity;

struct identity_facts {
    const char *dir, *server;            /* where its files are; the server's address */
    const char *node_id, *cluster, *scope, *labels;      /* labels: JSON */
    const char *ca_file;                 /* NULL: the system's */
    const char *cert_file, *key_file;    /* for TLS, PEM; NULL: none */
};

/* Reads what enrolment left.  ERR_NOT_FOUND: this machine is not enrolled.  The identity
 * is used by one thread. */
int identity_open(const char *dir, const struct machine *machine, struct identity **out, struct err *err);
void identity_close(struct identity *id);                /* NULL-safe; wipes the key */
const struct identity_facts *identity_facts(const struct identity *id);
const struct privkey *identity_key(const struct identity *id);

/* ---- enrolment ----------------------------------------------------------------- */

struct enroll_request {
    const char *dir;                     /* made when it is not there */
    const char *server;                  /* https://host:port */
    const char *token;
    const char *trust;                   /* "sha256:<hex>" of the root's payload; NULL: the first one is believed */
    const char *ca_pin;                  /* "sha256:<hex>" of a key in the server's chain; NULL: none */
    const char *ca_file;                 /* PEM; NULL: the system's list, or what ca_pin names */
    const char *cert_file, *key_file;    /* TLS client certificate; NULL: none */
    const char *name;                    /* NULL: the machine's */
};
struct enrolled {
    const char *node_id, *cluster, *scope;
    int64_t root_version;                /* 0: the server has no root of trust yet */
    char root[FINGERPRINT_LEN + 1];      /* what was pinned, "" none */
    int64_t clock_skew_ms;
};
/* Makes the key, or takes the one that is there, enrols, keeps what came, and proves the
 * key with a first session.  May be repeated after a failure.  ERR_CONFLICT: enrolled
 * already. */
int identity_enroll(const struct enroll_request *r, const struct machine *machine, struct arena *arena, struct enrolled *out,
                    struct err *err);

/* ---- session --------------------------------------------------------------------- */

struct session {
    const char *token;                   /* NULL: none */
    int64_t until_monotonic_ms;          /* a new one is due then: well before it ends */
    int64_t poll_interval_s;
    int64_t clock_skew_ms;               /* our clock minus the server's */
};

/* The token that is valid now; asks for a new one when it is due, or when `anew` (an
 * answer was 401).  It lives until the next call.  ERR_FORBIDDEN: this node was revoked;
 * asking on is of no use.  Others: try again later. */
int identity_session(struct identity *id, bool anew, struct session *out, struct err *err);

/* The parts of it, for who drives many nodes from one process. */
int session_ask(const struct privkey *key, const char *node_id, const struct machine *machine, int64_t at_ms, const char *challenge,
                struct arena *arena, struct buf *out, struct err *err);

struct session_reply {
    const char *token, *challenge, *ca;  /* a token, or a challenge: ask again with it */
    int64_t expires_ms, server_time_ms, poll_interval_s, clock_skew_ms;
};
int session_read(struct bytes body, struct arena *arena, struct session_reply *out, struct err *err);

#endif
