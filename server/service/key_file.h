/* key_file.h - private keys of the server's own, as files in its data folder (0600). */
#ifndef KEEP_SERVICE_KEY_FILE_H
#define KEEP_SERVICE_KEY_FILE_H

#include "base/crypto.h"

/* DATA/name.  Not there: *out is NULL.  A file that others may read is refused:
 * ERR_UNAVAILABLE. */
int key_file_read(const char *data_dir, const char *name, struct privkey **out, struct err *err);

/* Makes it when it is not there; whoever comes second gets the first one's. */
int key_file_open(const char *data_dir, const char *name, enum key_alg alg, struct privkey **out, struct err *err);

/* Gives it another name, replacing what has it. */
int key_file_rename(const char *data_dir, const char *name, const char *to, struct err *err);

#endif
