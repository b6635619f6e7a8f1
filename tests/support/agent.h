/* agent.h - a real keep-agent for tests, enrolled at a real keepd: the binary of the
 * same variant, with a state folder and a receiver of its own.  Whatever goes wrong in
 * here ends the test program. */
#ifndef KEEP_TESTS_AGENT_H
#define KEEP_TESTS_AGENT_H

#include "tests/support/keepd.h"

struct test_agent {
    pid_t pid;
    int port;                            /* of the receiver */
    char dir[64];                        /* state folder, unless `state` says otherwise */
    char state[100];
    char node_id[80];
    const char *settings;                /* YAML lines of its own, kept for restarts */
    const char *const *environment;      /* NAME=value, NULL-terminated, or NULL */
};

/* An invitation for many; token in out. */
void agent_invite(const struct keepd *k, char *out, size_t max);

/* Makes a folder and enrols.  server: URL, NULL: the keepd's own. */
void agent_open(struct test_agent *a, const struct keepd *k, const char *server, const char *settings);
void agent_start(struct test_agent *a);              /* until the receiver answers */
int agent_stop(struct test_agent *a, int sig, int within_ms);
void agent_close(struct test_agent *a);              /* SIGKILL when it runs; removes the folder */
int agent_command(struct test_agent *a, const char *const *args, char *out, size_t max);

/* The status file, parsed; lives until the next call. */
const struct json *agent_status_read(struct test_agent *a, struct arena *arena);
int64_t agent_status_int(struct test_agent *a, const char *path);   /* -1: not there */
bool agent_wait_for(struct test_agent *a, const char *path, int64_t value, int within_ms);

/* A Falco object with this uuid; priority NULL: an observation of the agent's own kind,
 * which is of class low, for POST /events.  out has room for max. */
void falco_text(const char *uuid, const char *priority, size_t padding, char *out, size_t max);

/* Rows of the events table whose document has an event_id that begins with prefix: each
 * one's number behind the prefix counted in seen (n items).  Returns how many rows. */
size_t events_stored(const struct keepd *k, const char *prefix, unsigned char *seen, size_t n);
int64_t database_int(const struct keepd *k, const char *sql);

#endif
