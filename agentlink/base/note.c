/* note.c - see note.h. */
#include "base/note.h"
#include "base/base64.h"

#include <stdio.h>
#include <string.h>

static const char dash[] = "\xe2\x80\x94 ";
enum { DASH_LEN = 4, SIG_BLOB = 4 + 64, ED25519_NOTE = 0x01 };

static bool name_is_valid(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f || name[i] == '+')
            return false;
    }
    return n > 0 && n <= NOTE_NAME_MAX && str_is_utf8(name, n);
}

static void key_id(const char *name, const uint8_t pub[32], uint8_t id[4])
{
    uint8_t hash[SHA256_LEN];
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, name, strlen(name));
    sha256_add(&s, "\n\x01", 2);
    sha256_add(&s, pub, 32);
    sha256_done(&s, hash);
    memcpy(id, hash, 4);
}

int note_key_init(const char *name, const struct pubkey *ed25519, struct note_key *out, struct err *err)
{
    const uint8_t *pub = pubkey_ed25519(ed25519);

    if (!name_is_valid(name))
        return err_set(err, ERR_INVALID, "note key: not a valid name");
    if (pub == NULL)
        return err_set(err, ERR_INVALID, "note key: Ed25519 is expected, found %s", key_alg_word(ed25519->alg));
    struct note_key key = { 0 };
    memcpy(key.name, name, strlen(name));
    key_id(name, pub, key.id);
    if (pubkey_from_ed25519(pub, &key.key, err) != 0)
        return -1;
    *out = key;
    return 0;
}

int note_key_parse(const char *vkey, struct note_key *out, struct err *err)
{
    char name[NOTE_NAME_MAX + 1], hex[9];
    uint8_t blob[48], id[4];
    size_t n = strcspn(vkey, "+"), blob_len;
    struct pubkey pub;

    /* "+", 8 hex digits, "+", 44 characters */
    if (n == 0 || n > NOTE_NAME_MAX || strlen(vkey + n) != 54 || vkey[n + 9] != '+')
        return err_set(err, ERR_INVALID, "note key: name+id+key is expected");
    const char *text = vkey + n + 10;
    memcpy(name, vkey, n);
    name[n] = '\0';
    memcpy(hex, vkey + n + 1, 8);
    hex[8] = '\0';
    if (!hex_decode(hex, id, sizeof id) || base64_decode(text, 44, BASE64_STD, blob, &blob_len) != 0 ||
        blob_len != 33 || blob[0] != ED25519_NOTE)
        return err_set(err, ERR_INVALID, "note key: not an Ed25519 verifier key");
    if (pubkey_from_ed25519(blob + 1, &pub, err) != 0)
        return -1;
    struct note_key key;
    int rc = note_key_init(name, &pub, &key, err);
    pubkey_clear(&pub);
    if (rc != 0)
        return -1;
    if (memcmp(key.id, id, sizeof id) != 0)
        return note_key_clear(&key), err_set(err, ERR_INVALID, "note key: the id does not fit name and key");
    *out = key;
    return 0;
}

void note_key_print(const struct note_key *key, struct buf *out)
{
    uint8_t blob[33] = { ED25519_NOTE };
    char hex[9], text[45];

    memcpy(blob + 1, pubkey_ed25519(&key->key), 32);
    hex_encode(key->id, sizeof key->id, hex);
    base64_encode(blob, sizeof blob, BASE64_STD, text);
    buf_printf(out, "%s+%s+%s", key->name, hex, text);
}

void note_key_clear(struct note_key *key)
{
    pubkey_clear(&key->key);
    *key = (struct note_key){ 0 };
}

/* UTF-8, newline at the end, no other control characters. */
static bool text_is_valid(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)s[i] < ' ' && s[i] != '\n') || s[i] == 0x7f)
            return false;
    }
    return len > 0 && s[len - 1] == '\n' && str_is_utf8(s, len);
}

/* Length of the text: up to the last empty line.  0 when there is none. */
static size_t text_len(const char *note, size_t len)
{
    for (size_t i = len; i >= 3; i--) {
        if (note[i - 2] == '\n' && note[i - 1] == '\n')
            return i - 1;
    }
    return 0;
}

/* "— name blob", without the newline.  1 when it is by `key`. */
static int parse_signature(const char *line, size_t len, const struct note_key *key, uint8_t sig[64])
{
    uint8_t blob[256 / 4 * 3 + 3];
    size_t blob_len;

    if (len <= DASH_LEN || memcmp(line, dash, DASH_LEN) != 0)
        return -1;
    line += DASH_LEN;
    len -= DASH_LEN;
    const char *space = memchr(line, ' ', len);
    if (space == NULL || space == line)
        return -1;
    size_t name_len = (size_t)(space - line), text = len - name_len - 1;
    if (text > 256) {
        /* Other algorithms' signatures may be long; ours is not among them. */
        return 0;
    }
    if (base64_decode(space + 1, text, BASE64_STD, blob, &blob_len) != 0 || blob_len < 5)
        return -1;
    bool ours = name_len == strlen(key->name) && memcmp(line, key->name, name_len) == 0 &&
                memcmp(blob, key->id, 4) == 0 && blob_len == SIG_BLOB;
    if (ours)
        memcpy(sig, blob + 4, 64);
    return ours;
}

int note_verify(const char *note, size_t len, const struct note_key *key, struct bytes *text, struct err *err)
{
    size_t n = len <= NOTE_MAX && text_is_valid(note, len) ? text_len(note, len) : 0, n_sigs = 0;
    bool good = false;

    if (n == 0)
        return err_set(err, ERR_INVALID, "note: no text with signatures below an empty line");
    for (const char *at = note + n + 1, *end = note + len; at < end;) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        uint8_t sig[64];
        int kind = parse_signature(at, (size_t)(eol - at), key, sig);
        if (kind < 0 || ++n_sigs > NOTE_SIGS_MAX)
            return err_set(err, ERR_INVALID, "note: signature line %zu is malformed or one too many", n_sigs + 1);
        if (kind == 1 && !pubkey_verify(&key->key, note, n, sig, sizeof sig))
            return err_set(err, ERR_UNPROCESSABLE, "note: the signature of %s is wrong", key->name);
        good = good || kind == 1;
        at = eol + 1;
    }
    if (!good)
        return err_set(err, ERR_UNPROCESSABLE, "note: not signed by %s", key->name);
    *text = (struct bytes){ (const unsigned char *)note, n };
    return 0;
}

int note_sign(const char *text, size_t len, const char *name, const struct privkey *key, struct buf *out,
              struct err *err)
{
    struct note_key vkey;
    uint8_t blob[4 + SIG_MAX];
    char line[160];
    size_t n;

    if (!text_is_valid(text, len) || len > NOTE_MAX / 2)
        return err_set(err, ERR_INVALID, "note: the text must be UTF-8 and end in a newline");
    if (note_key_init(name, privkey_public(key), &vkey, err) != 0)
        return -1;
    memcpy(blob, vkey.id, 4);
    note_key_clear(&vkey);
    if (privkey_sign(key, text, len, blob + 4, &n, err) != 0)
        return -1;
    base64_encode(blob, 4 + n, BASE64_STD, line);
    buf_put(out, text, len);
    buf_printf(out, "\n%s%s %s\n", dash, name, line);
    return out->failed ? err_nomem(err) : 0;
}

/* ---- checkpoints ---------------------------------------------------------- */

/* The next line without its newline; false at the end. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    const unsigned char *eol = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;

    if (eol == NULL)
        return false;
    *line = (struct bytes){ rest->ptr, (size_t)(eol - rest->ptr) };
    rest->ptr += line->len + 1;
    rest->len -= line->len + 1;
    return true;
}

static bool parse_size(struct bytes line, int64_t *size)
{
    char text[24];

    if (line.len >= sizeof text)
        return false;
    memcpy(text, line.ptr, line.len);
    text[line.len] = '\0';
    return strlen(text) == line.len && str_to_i64(text, 0, INT64_MAX, size);
}

static bool parse_root(struct bytes line, uint8_t root[SHA256_LEN])
{
    uint8_t bytes[64];
    size_t n;

    if (line.len != base64_encoded_len(SHA256_LEN) ||
        base64_decode((const char *)line.ptr, line.len, BASE64_STD, bytes, &n) != 0 || n != SHA256_LEN)
        return false;
    memcpy(root, bytes, SHA256_LEN);
    return true;
}

int checkpoint_parse(struct bytes text, struct checkpoint *out, struct err *err)
{
    struct checkpoint c;
    struct bytes line;

    if (!text_is_valid((const char *)text.ptr, text.len))
        return err_set(err, ERR_INVALID, "checkpoint: not a note's text");
    if (!take_line(&text, &c.origin) || c.origin.len == 0)
        return err_set(err, ERR_INVALID, "checkpoint: no origin");
    if (!take_line(&text, &line) || !parse_size(line, &c.size))
        return err_set(err, ERR_INVALID, "checkpoint: the second line is not a tree size");
    if (!take_line(&text, &line) || !parse_root(line, c.root))
        return err_set(err, ERR_INVALID, "checkpoint: the third line is not a root hash");
    while (take_line(&text, &line)) {
        if (line.len == 0)
            return err_set(err, ERR_INVALID, "checkpoint: empty line");
    }
    *out = c;
    return 0;
}

int checkpoint_open(const char *note, size_t len, const struct note_key *key, struct checkpoint *out,
                    struct err *err)
{
    struct checkpoint c;
    struct bytes text;

    if (note_verify(note, len, key, &text, err) != 0 || checkpoint_parse(text, &c, err) != 0)
        return -1;
    if (c.origin.len != strlen(key->name) || memcmp(c.origin.ptr, key->name, c.origin.len) != 0)
        return err_set(err, ERR_UNPROCESSABLE, "checkpoint: of another log than %s", key->name);
    *out = c;
    return 0;
}

int checkpoint_sign(const char *name, int64_t size, const uint8_t root[SHA256_LEN], const struct privkey *key,
                    struct buf *out, struct err *err)
{
    char text[NOTE_NAME_MAX + 80], root_text[45];

    base64_encode(root, SHA256_LEN, BASE64_STD, root_text);
    int n = snprintf(text, sizeof text, "%s\n%lld\n%s\n", name, (long long)size, root_text);
    if (n < 0 || (size_t)n >= sizeof text || size < 0)
        return err_set(err, ERR_INVALID, "checkpoint: name or size is out of bounds");
    return note_sign(text, (size_t)n, name, key, out, err);
}
