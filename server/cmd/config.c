/* config.c - see config.h. */
#include "cmd/config.h"

#include "base/time.h"

#include <stddef.h>

#define AT(member) offsetof(struct config, member)
#define DAYS(n) ((n) * MS_DAY)

const struct setting settings_table[] = {
    { "listen", SETTING_TEXT, AT(listen), "127.0.0.1:8470", 0, 0, false, "Address and port of the API and the web pages." },
    { "listen_reserve", SETTING_TEXT, AT(listen_reserve), NULL, 0, 0, false, "A second listener with limits of its own, for admission and health." },
    { "listen_nodes", SETTING_TEXT, AT(listen_nodes), NULL, 0, 0, false, "A listener for agents alone, with little memory per connection: for thousands of nodes." },
    { "public_url", SETTING_TEXT, AT(public_url), NULL, 0, 0, false, "Address that people type, when a proxy is in front (https://keep.example.org)." },
    { "database", SETTING_TEXT, AT(db_url), NULL, 0, 0, false, "postgresql://... ; without it, one SQLite file in the data folder." },
    { "tls.cert", SETTING_TEXT, AT(tls_cert), NULL, 0, 0, false, "File with the certificate chain, PEM. SIGHUP reads it again." },
    { "tls.key", SETTING_TEXT, AT(tls_key), NULL, 0, 0, false, "File with the private key, PEM. SIGHUP reads it again." },
    { "tls.self_managed", SETTING_TEXT, AT(tls_self), NULL, 0, 0, false, "Names and addresses of this server, separated by commas: it then makes and renews its own CA and certificate (keepd ca prints what to trust)." },
    { "tls.client_ca", SETTING_TEXT, AT(client_ca), NULL, 0, 0, false, "File with the CAs of client certificates, PEM: agents that show one are verified, and their sessions bound to its key." },
    { "tls.client_required", SETTING_BOOL, AT(client_required), "false", 0, 0, false, "Agents must show a client certificate of tls.client_ca." },
    { "tls.insecure_plaintext", SETTING_BOOL, AT(insecure_plaintext), "false", 0, 0, false, "Serve plain HTTP to other machines: tokens and sessions can then be read on the way." },
    { "tls.secure_cookies", SETTING_BOOL, AT(secure_cookies), "false", 0, 0, false, "Mark cookies Secure although we serve plain HTTP (a proxy in front has TLS)." },
    { "log.level", SETTING_TEXT, AT(log_level), "info", 0, 0, true, "debug, info, warn or error." },
    { "freshness.scan_max_age", SETTING_DURATION, AT(settings.scan_max_age_ms), "7d", MS_MINUTE, DAYS(3650), false, "A scan older than this is stale." },
    { "freshness.database_max_age", SETTING_DURATION, AT(settings.database_max_age_ms), "3d", MS_MINUTE, DAYS(3650), false, "A scan with a vulnerability database older than this is stale." },
    { "freshness.clock_skew", SETTING_DURATION, AT(settings.clock_skew_ms), "5m", 0, MS_DAY, false, "How far in the future a scan may be dated." },
    { "session.idle", SETTING_DURATION, AT(settings.session_idle_ms), "12h", MS_MINUTE, DAYS(90), false, "A session unused for this long ends." },
    { "session.max", SETTING_DURATION, AT(settings.session_max_ms), "7d", MS_MINUTE, DAYS(365), false, "A session ends after this." },
    { "token.max", SETTING_DURATION, AT(settings.token_max_ms), "400d", MS_HOUR, DAYS(3650), false, "Longest life of an API token." },
    { "exception.max", SETTING_DURATION, AT(settings.exception_max_ms), "365d", MS_HOUR, DAYS(3650), false, "Longest life of an exception." },
    { "admission.excluded_namespaces", SETTING_TEXT, AT(settings.admission_excluded), "kube-system,kube-public,kube-node-lease", 0, 0, false, "Namespaces that admission does not judge; names or patterns with *, separated by commas." },
    { "admission.break_glass", SETTING_BOOL, AT(settings.admission_break_glass), "false", 0, 0, false, "The annotation keep.example/break-glass: REASON lets a refused pod in, recorded and alerted." },
    { "admission.refuse_controllers", SETTING_BOOL, AT(settings.admission_refuse_controllers), "false", 0, 0, false, "Refuse Deployments and the like; otherwise they are warned about and their pods are refused." },
    { "nodes.silent", SETTING_DURATION, AT(settings.node_silent_ms), "10m", MS_SECOND, DAYS(30), false, "A node not heard of for this long is silent." },
    { "nodes.session", SETTING_DURATION, AT(settings.node_session_ms), "1h", MS_SECOND, DAYS(1), false, "Life of a node's session token." },
    { "nodes.poll", SETTING_DURATION, AT(settings.node_poll_ms), "30s", MS_SECOND, MS_HOUR, false, "How often a node is to ask for its bundle." },
    { "nodes.join_token_max", SETTING_DURATION, AT(settings.join_token_max_ms), "30d", MS_MINUTE, DAYS(3650), false, "Longest life of a join token." },
    { "profiles.containers", SETTING_INT, AT(settings.profile_containers), "3", 1, 32, false, "How many containers must show a thing before a profile goes on to the next mode." },
    { "profiles.watched", SETTING_DURATION, AT(settings.profile_watched_ms), "24h", MS_MINUTE, DAYS(365), false, "How long an image is watched before its profile goes on to the next mode." },
    { "profiles.quiet", SETTING_DURATION, AT(settings.profile_quiet_ms), "24h", 0, DAYS(365), false, "How long nothing new may come before a profile goes on to the next mode." },
    { "bundle.life", SETTING_DURATION, AT(settings.bundle_life_ms), "7d", 10 * MS_SECOND, DAYS(90), false, "Life of a signed bundle; it is signed again after half of it." },
    { "bundle.root_life", SETTING_DURATION, AT(settings.root_life_ms), "365d", MS_MINUTE, DAYS(3650), false, "Life of a root of trust that this server makes by itself." },
    { "agents.wait", SETTING_INT, AT(settings.agents.wait_s), "240", 0, 300, false, "Seconds that agents' polls are held; 0: they are answered at once." },
    { "agents.batch_events", SETTING_INT, AT(settings.agents.batch_events), "1000", 1, 1000, false, "Events of one batch at most." },
    { "agents.batch_bytes", SETTING_BYTES, AT(settings.agents.batch_bytes), "2MiB", 4096, 2 << 20, false, "Bytes of one batch at most, decoded." },
    { "agents.events_per_second", SETTING_INT, AT(settings.agents.events_per_s), "2000", 1, 1000000, false, "Above it a node drops events of low priority, and counts them." },
    { "agents.spool", SETTING_BYTES, AT(settings.agents.spool_bytes), "256MiB", 1 << 20, INT64_C(1) << 40, false, "Of a node's disk, for events that wait." },
    { "agents.inventory_interval", SETTING_INT, AT(settings.agents.inventory_interval_s), "10", 1, 86400, false, "Seconds between looks at what runs." },
    { "agents.status_interval", SETTING_INT, AT(settings.agents.status_interval_s), "30", 1, 86400, false, "Seconds between agents' reports of themselves." },
    { "agents.lease", SETTING_INT, AT(settings.agents.lease_s), "60", 5, 86400, false, "Seconds that walls stand without their agent." },
    { "agents.walls", SETTING_BOOL, AT(settings.agents.walls), "true", 0, 0, false, "Let agents enforce, in the kernel, profiles in mode protect." },
    { "limit.upload", SETTING_BYTES, AT(settings.scan_body_max), "64MiB", 1024, 64 << 20, false, "Bytes of an uploaded report after decompression." },
    { "limit.rate", SETTING_INT, AT(rate), "100", 0, 1000000, false, "Requests a second per caller; 0: no limit." },
    { "limit.burst", SETTING_INT, AT(burst), "1000", 1, 1000000, false, "Requests at once before the rate counts." },
    { "limit.connections", SETTING_INT, AT(max_connections), "12000", 10, 1000000, false, "Open connections." },
    { "limit.connections_per_address", SETTING_INT, AT(max_per_address), "2000", 1, 1000000, false, "Open connections from one address." },
    { "limit.connection_memory", SETTING_BYTES, AT(connection_memory), "8KiB", 4096, 1 << 20, false, "Memory per connection: bounds the request head." },
    { "threads.loops", SETTING_INT, AT(loops), "0", 0, 64, false, "Threads for sockets; 0: one per core, at most 4." },
    { "threads.workers", SETTING_INT, AT(workers), "0", 0, 256, false, "Threads that decode, verify and read; 0: 4." },
    { "queue.work", SETTING_INT, AT(work_queue), "256", 1, 100000, false, "Requests that may wait for a worker." },
    { "queue.bytes", SETTING_BYTES, AT(work_bytes), "256MiB", 1 << 20, INT64_C(1) << 40, false, "Bytes of request bodies in memory at once." },
    { "queue.write", SETTING_INT, AT(writer_queue), "1024", 1, 1000000, false, "Writes that may wait for the writer." },
    { "queue.batch", SETTING_INT, AT(writer_batch), "64", 1, 10000, false, "Writes committed together." },
    { "retain.scans", SETTING_INT, AT(settings.retain_scans), "10", 1, 100000, false, "Superseded scans kept per image and scanner." },
    { "retain.admissions", SETTING_INT, AT(settings.retain_admissions), "100000", 100, 100000000, false, "Newest admission reviews kept." },
    { "retain.admissions_age", SETTING_DURATION, AT(settings.retain_admissions_ms), "90d", MS_HOUR, DAYS(3650), false, "Admission reviews older than this are dropped." },
    { "retain.opa_decisions", SETTING_INT, AT(settings.retain_decisions), "100000", 100, 100000000, false, "Newest decisions of OPA agents kept." },
    { "retain.opa_decisions_age", SETTING_DURATION, AT(settings.retain_decisions_ms), "30d", MS_HOUR, DAYS(3650), false, "Decisions of OPA agents older than this are dropped, and agents silent for longer." },
    { "retain.events", SETTING_INT, AT(settings.retain_events), "20000000", 1000, INT64_C(10000000000), false, "Newest runtime events kept." },
    { "retain.events_age", SETTING_DURATION, AT(settings.retain_events_ms), "30d", MS_MINUTE, DAYS(3650), false, "Runtime events recorded longer ago are dropped." },
};
const size_t n_settings_table = N_ITEMS(settings_table);

/* Flags that are short for a setting. */
static const struct setting_flag flags[] = {
    { "listen", "listen" }, { "db", "database" }, { "tls-cert", "tls.cert" }, { "tls-key", "tls.key" },
    { "tls-self-managed", "tls.self_managed" },
    { "insecure-plaintext", "tls.insecure_plaintext" }, { "log-level", "log.level" },
};

static const struct setting_table table = {
    .rows = settings_table, .n = N_ITEMS(settings_table), .flags = flags, .n_flags = N_ITEMS(flags),
    .environment = "KEEP_", .says_flag = true, .empty_is_true = true,
};

int config_load(const char *file, const struct command_line *cl, struct arena *arena, struct config *out,
                enum setting_from *from, struct err *err)
{
    struct config c = { .arena = arena };
    enum setting_from unused[N_ITEMS(settings_table)];

    if (settings_read(&table, file, cl, arena, &c, from != NULL ? from : unused, err) != 0)
        return -1;
    if ((c.tls_cert == NULL) != (c.tls_key == NULL))
        return err_set(err, ERR_INVALID, "tls.cert and tls.key: give both, or neither");
    if (c.tls_cert != NULL && c.tls_self != NULL)
        return err_set(err, ERR_INVALID, "tls.cert and tls.self_managed: one of them");
    c.data_dir = cl != NULL ? command_get(cl, "data") : NULL;
    c.settings.secure_cookies = c.tls_cert != NULL || c.tls_self != NULL || c.secure_cookies;
    *out = c;
    return 0;
}

void config_print(const struct config *c, const enum setting_from *from, struct buf *out)
{
    for (size_t i = 0; i < n_settings_table; i++) {
        const struct setting *s = &settings_table[i];
        buf_printf(out, "# %s%s\n%s: ", s->doc, s->reloadable ? " (SIGHUP)" : "", s->key);
        setting_print(c, s, false, out);
        buf_printf(out, "   # %s\n", setting_from_word(from[i]));
    }
}
