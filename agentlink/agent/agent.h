/* agent.h - the daemon: who does what, and what they share.
 *
 *     main      signals, its own bounds, the status file            agent.c
 *     poller    session, roots, bundle; hands what it applied on    agent_poll.c
 *     sender    spool -> server                                     agent.c
 *     reporter  inventory differences, status report                agent_report.c
 *     sources   followed files -> spool                             agent.c
 *     receiver  HTTP on loopback -> spool (its own, agent/receive.h)
 *
 * No thread waits for another one's network.  Whatever fails is tried again with a
 * growing, jittered pause; only a wrong configuration or a state folder that cannot be
 * used ends the program.  A node that is revoked sends nothing any more and goes on
 * enforcing the last good bundle, and says so. */
#ifndef KEEP_AGENT_AGENT_H
#define KEEP_AGENT_AGENT_H

#include "agent/identity.h"
#include "agent/inventory/inventory.h"
#include "agent/link.h"
#include "agent/sender.h"
#include "agent/settings.h"
#include "agent/source.h"
#include "agent/spool.h"
#include "agent/update.h"
#include "agent/walls.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>

enum { AGENT_KEEPERS = 4, AGENT_STACK = 512 * 1024, AGENT_PAUSE_MOST_MS = 300000 };

/* What a thread put into the spool and has not committed. */
struct keeper_slot {
    pthread_t who;
    bool is_used;
    struct spool_group group;
};

/* What threads tell the others, under `lock`. */
struct agent_shared {
    struct update_state bundle;
    char bundle_problem[200], poll_words[320];
    int64_t polled_ms;                   /* last round that went well; 0 none */
    int64_t containers, containers_left_out, generation, inventory_ms;
    char inventory_problem[200], send_problem[200], report_problem[200];
    bool has_told_revoked;
};

/* What the server wants, from its bundle; else the settings. */
struct agent_pace {
    _Atomic int64_t poll_interval_ms, poll_wait_ms, inventory_interval_ms, status_interval_ms, linger_ms;
    _Atomic int64_t batch_events, batch_bytes;
    _Atomic int64_t events_per_s;        /* past it, events of class low are dropped and counted; 0: no bound */
};

/* A bucket of what may come in; under `lock`. */
struct agent_rate { int64_t at_ms, left, n_dropped; };

struct agent {
    const char *config_file;
    const struct command_line *cl;
    struct arena arena;                  /* of settings */
    struct settings settings;            /* as of the start; what can change is in pace */
    struct settings fresh;               /* as of the last reload; under lock */
    struct log log;
    struct machine machine;
    struct identity *identity;
    struct identity_facts facts;
    struct pass *pass;
    struct spool *spool;
    struct update *update;               /* the poller's; NULL: no root of trust */
    struct sources *sources;
    struct walls *walls;
    struct sender sender;
    struct agent_pace pace;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct agent_shared shared;
    struct keeper_slot keepers[AGENT_KEEPERS];
    struct agent_rate rate;

    _Atomic bool is_stopping;            /* polls and sources end */
    _Atomic bool has_ended;              /* all threads have */
    _Atomic bool is_over;                /* sending ends, too */
    _Atomic unsigned round;              /* grows with SIGHUP: pauses end */
    _Atomic int64_t slow_ms;             /* what sources wait because of limit.cpu_percent */
    int64_t started_ms, started_mono_ms;
    int status_fd;
    /* its own bounds, main's */
    int64_t cpu_at_ms;
    _Atomic int64_t cpu_ms, rss_kib, rss_peak_kib;
    _Atomic int64_t cpu_percent;
};

/* Runs until SIGTERM: the exit code. */
int agent_run(const char *config_file, const struct command_line *cl);

/* Waits, at most ms; ends early when the agent stops or is told to look again. */
void agent_pause(struct agent *a, int64_t ms);
struct client_config agent_client(const struct agent *a, bool (*give_up)(void *data));
bool agent_is_stopping(void *a);
bool agent_is_over(void *a);

/* Threads. */
void *agent_poll_main(void *a);
void *agent_report_main(void *a);

/* The session, told once in the log when it is refused for ever. */
bool agent_is_revoked(struct agent *a);

/* Sets the pace: our own settings, over them what the settings.json of a bundle says. */
void agent_take_settings(struct agent *a, const struct settings *s);
void agent_take_bundle(struct agent *a, struct bytes settings);
/* Both, and the walls' profiles: what is in force.  The poller's, and before threads. */
void agent_apply(struct agent *a);

/* ---- agent_watch.c: its own bounds ---------------------------------------------------- */

void agent_limit(const struct settings *s);              /* before threads: setrlimit, mallopt */
void agent_watch(struct agent *a);                       /* about once a second */
int64_t agent_rss_kib(void);
void agent_notify(const char *state);                    /* notify.c: "READY=1"; nothing without systemd */

/* ---- agent_status.c ---------------------------------------------------------------------- */

enum { STATUS_FILE_SIZE = 32 * 1024 };
#define STATUS_FILE "status.json"
int agent_status_open(struct agent *a, struct err *err);
void agent_status_write(struct agent *a);
/* The report to the server; lives in the arena. */
int agent_report(struct agent *a, struct arena *arena, struct node_status_report *out, struct err *err);

#endif
