/* session.c - what is signed to get a session, and what comes back; see identity.h. */
#include "agent/identity.h"
#include "base/time.h"
#include "wire/envelope.h"
#include "wire/json.h"
#include "wire/msg/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- the machine ------------------------------------------------------------------ */

/* Printable, not empty: what servers take. */
static void copy_text(char *to, size_t max, const char *from)
{
    size_t n = 0;

    for (; from[n] != '\0' && n + 1 < max; n++)
        to[n] = from[n] > ' ' && from[n] < 0x7f ? from[n] : '_';
    to[n] = '\0';
    if (n == 0)
        snprintf(to, max, "unknown");
}

static void read_instance(char out[INSTANCE_TEXT])
{
    uint8_t hash[SHA256_LEN];
    char text[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;

    if (fd >= 0)
        close(fd);
    if (n > 0)
        sha256(text, (size_t)n, hash);
    else
        random_bytes(hash, sizeof hash);
    hex_encode(hash, (INSTANCE_TEXT - 1) / 2, out);
}

void machine_read(const char *version, struct machine *out)
{
    struct utsname u;

    memset(out, 0, sizeof *out);
    if (uname(&u) != 0)
        memset(&u, 0, sizeof u);
    copy_text(out->name, sizeof out->name, u.nodename);
    copy_text(out->kernel, sizeof out->kernel, u.release);
    copy_text(out->arch, sizeof out->arch, u.machine);
    copy_text(out->version, sizeof out->version, version);
    read_instance(out->instance);
}

/* ---- asking -------------------------------------------------------------------------- */

int session_ask(const struct privkey *key, const char *node_id, const struct machine *machine, int64_t at_ms, const char *challenge,
                struct arena *arena, struct buf *out, struct err *err)
{
    struct node_session_ask ask = {
        .node_id = node_id, .at_ms = at_ms, .instance = machine->instance, .challenge = challenge,
        .agent_version = machine->version, .kernel = machine->kernel, .arch = machine->arch,
    };
    const struct privkey *const keys[] = { key };
    uint8_t random[16];
    char nonce[2 * sizeof random + 1];
    struct buf payload;

    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, nonce);
    ask.nonce = nonce;
    buf_init(&payload, NODE_SESSION_MAX);
    shape_encode(&node_session_ask_shape, &ask, &payload);
    struct bytes bytes = { (const unsigned char *)payload.ptr, payload.len };
    int rc = payload.failed ? err_nomem(err) : envelope_sign(arena, NODE_SESSION_TYPE, bytes, keys, 1, out, err);
    buf_free(&payload);
    return rc;
}

int session_read(struct bytes body, struct arena *arena, struct session_reply *out, struct err *err)
{
    struct node_session_answer answer;
    struct json doc;

    if (json_parse(arena, body.ptr, body.len, NULL, &doc, err) != 0)
        return err_prefix(err, "session");
    shape_init(&node_session_answer_shape, &answer);
    if (shape_decode(&node_session_answer_shape, &doc, arena, &answer, NULL, err) != 0)
        return err_prefix(err, "session");
    if (answer.token == NULL && answer.challenge == NULL)
        return err_set(err, ERR_INVALID, "session: neither a token nor a challenge");
    *out = (struct session_reply){
        .token = answer.token, .challenge = answer.challenge, .ca = answer.ca, .expires_ms = answer.expires_ms,
        .server_time_ms = answer.server_time_ms, .poll_interval_s = answer.poll_interval_s, .clock_skew_ms = answer.clock_skew_ms,
    };
    return 0;
}
