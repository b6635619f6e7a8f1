/* note.h - signed notes and the checkpoints of a log in them
 * (C2SP signed-note and tlog-checkpoint).
 *
 *     <origin>\n<size>\n<base64 root>\n\n- <name> <base64 of key id and signature>\n
 *
 * (the dash is U+2014).  Signatures are Ed25519 over the text up to and with
 * its last newline; key id = first 4 bytes of SHA-256(name | 0x0A | 0x01 | key). */
#ifndef KEEP_BASE_NOTE_H
#define KEEP_BASE_NOTE_H

#include "base/crypto.h"
#include "base/str.h"

enum { NOTE_MAX = 64 * 1024, NOTE_NAME_MAX = 255, NOTE_SIGS_MAX = 16 };

struct note_key {
    char name[NOTE_NAME_MAX + 1];
    uint8_t id[4];
    struct pubkey key;
};

/* Name: 1..255 bytes of UTF-8 without white space, control characters or '+'.
 * The key is copied; clear it with note_key_clear. */
int note_key_init(const char *name, const struct pubkey *ed25519, struct note_key *out, struct err *err);
/* "name+hex id+base64 key" */
int note_key_parse(const char *vkey, struct note_key *out, struct err *err);
void note_key_print(const struct note_key *key, struct buf *out);
void note_key_clear(struct note_key *key);

/* The text of a note that carries a good signature by `key`.  Signatures by
 * other keys are not looked at.  ERR_INVALID malformed, ERR_UNPROCESSABLE no
 * signature by this key or a wrong one.  text points into note. */
int note_verify(const char *note, size_t len, const struct note_key *key, struct bytes *text, struct err *err);

/* Appends text, an empty line and one signature.  text: UTF-8, ends in a
 * newline, no control characters but newlines. */
int note_sign(const char *text, size_t len, const char *name, const struct privkey *key, struct buf *out,
              struct err *err);

struct checkpoint {
    struct bytes origin;          /* in the text that was parsed */
    int64_t size;
    uint8_t root[SHA256_LEN];
};

/* A note's text.  Lines after the third are extensions: not empty, not read. */
int checkpoint_parse(struct bytes text, struct checkpoint *out, struct err *err);

/* note_verify and checkpoint_parse; the origin must be the key's name. */
int checkpoint_open(const char *note, size_t len, const struct note_key *key, struct checkpoint *out,
                    struct err *err);

/* Appends the signed note of a checkpoint whose origin is `name`. */
int checkpoint_sign(const char *name, int64_t size, const uint8_t root[SHA256_LEN], const struct privkey *key,
                    struct buf *out, struct err *err);

#endif
