/* opa_key.c - the key bundles are signed with; see opa.h. */
#include "service/opa.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_key(const char *path, struct privkey **out, bool *is_there, struct err *err)
{
    char pem[PEM_MAX];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    *is_there = fd >= 0 || errno != ENOENT;
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "opa-key.pem: %s", strerror(errno));
    bool open_to_others = fstat(fd, &st) != 0 || (st.st_mode & 077) != 0;
    ssize_t n = read(fd, pem, sizeof pem);
    close(fd);
    int rc = open_to_others ? err_set(err, ERR_UNAVAILABLE, "opa-key.pem: others may read it; its mode must be 0600")
           : n <= 0         ? err_set(err, ERR_UNAVAILABLE, "opa-key.pem: cannot be read")
                            : privkey_from_pem(pem, (size_t)n, out, err);
    crypto_wipe(pem, sizeof pem);
    return rc;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* Under another name first, then linked: whoever comes second reads the first one's. */
static int make_key(const char *path, struct err *err)
{
    char tmp[4200];
    struct privkey *key;
    struct buf pem;

    if (privkey_generate(KEY_P256, &key, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    snprintf(tmp, sizeof tmp, "%s.%ld", path, (long)getpid());
    int rc = privkey_to_pem(key, &pem, err);
    int fd = rc == 0 ? open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (rc == 0 && (fd < 0 || write_all(fd, pem.ptr, pem.len) != 0 || (link(tmp, path) != 0 && errno != EEXIST)))
        rc = err_set(err, ERR_UNAVAILABLE, "opa-key.pem: cannot be written: %s", strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(tmp);
    }
    if (pem.ptr != NULL)
        crypto_wipe(pem.ptr, pem.len);
    buf_free(&pem);
    privkey_free(key);
    return rc;
}

int opa_key_open(const char *data_dir, struct privkey **out, struct err *err)
{
    char path[4160];
    bool is_there;

    if (data_dir == NULL || strlen(data_dir) > 4096)
        return err_set(err, ERR_UNAVAILABLE, "there is no data folder to keep a signing key in");
    snprintf(path, sizeof path, "%s/opa-key.pem", data_dir);
    if (read_key(path, out, &is_there, err) == 0)
        return 0;
    if (is_there || make_key(path, err) != 0)
        return -1;
    return read_key(path, out, &is_there, err);
}
