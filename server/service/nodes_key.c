/* nodes_key.c - the key that session tokens of nodes are made with: 64 hex digits in a
 * file of mode 0600.  Processes that serve one database share it by a copy. */
#include "service/nodes_internal.h"
#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX_LEN = 2 * MAC_TOKEN_KEY_LEN };

static int read_key(const char *path, uint8_t *key, bool *is_there, struct err *err)
{
    char text[HEX_LEN + 2] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    *is_there = fd >= 0 || errno != ENOENT;
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "agent-session.key: %s", strerror(errno));
    bool open_to_others = fstat(fd, &st) != 0 || (st.st_mode & 077) != 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    bool ok = n == HEX_LEN || (n == HEX_LEN + 1 && text[HEX_LEN] == '\n');
    text[HEX_LEN] = '\0';
    ok = ok && hex_decode(text, key, MAC_TOKEN_KEY_LEN);
    crypto_wipe(text, sizeof text);
    if (open_to_others)
        return err_set(err, ERR_UNAVAILABLE, "agent-session.key: others may read it; its mode must be 0600");
    return ok ? 0 : err_set(err, ERR_UNAVAILABLE, "agent-session.key: not 64 hex digits");
}

/* Under another name first, then linked: whoever comes second reads the first one's. */
static int make_key(const char *path, struct err *err)
{
    char tmp[4200], text[HEX_LEN + 2];
    uint8_t key[MAC_TOKEN_KEY_LEN];

    random_bytes(key, sizeof key);
    hex_encode(key, sizeof key, text);
    text[HEX_LEN] = '\n';
    snprintf(tmp, sizeof tmp, "%s.%ld", path, (long)getpid());
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, HEX_LEN + 1) == HEX_LEN + 1 && fsync(fd) == 0 && (link(tmp, path) == 0 || errno == EEXIST);
    int why = errno;
    if (fd >= 0) {
        close(fd);
        unlink(tmp);
    }
    crypto_wipe(key, sizeof key);
    crypto_wipe(text, sizeof text);
    return ok ? 0 : err_set(err, ERR_UNAVAILABLE, "agent-session.key: cannot be written: %s", strerror(why));
}

int nodes_key_open(const char *data_dir, uint8_t key[MAC_TOKEN_KEY_LEN], struct err *err)
{
    char path[4160];
    bool is_there;

    if (data_dir == NULL || strlen(data_dir) > 4096)
        return err_set(err, ERR_UNAVAILABLE, "there is no data folder to keep the key of node sessions in");
    snprintf(path, sizeof path, "%s/agent-session.key", data_dir);
    if (read_key(path, key, &is_there, err) == 0)
        return 0;
    if (is_there || make_key(path, err) != 0)
        return -1;
    return read_key(path, key, &is_there, err);
}
