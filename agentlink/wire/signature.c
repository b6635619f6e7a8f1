/* signature.c - see signature.h. */
#include "wire/signature.h"

#include <string.h>

/* Ed25519 hashes the message anew for every key it is tried with; so that a
 * large message with many signatures cannot cost minutes, the sum is bounded. */
#define HASH_BUDGET (UINT64_C(1) << 30)

struct search {
    struct bytes message;
    const struct pubkey *const *keys;
    size_t n_keys;
    bool is_spent[TRUSTED_MAX];   /* counted already, or the same key as an earlier one */
    uint8_t hash[SHA256_LEN];
    bool is_hashed;
    uint64_t work;                /* bytes hashed */
};

bool signature_hints_at(const char *keyid, const struct pubkey *key)
{
    if (str_starts(keyid, "sha256:"))
        keyid += 7;
    return str_eq(keyid, key->fingerprint);
}

static size_t mark_repeats(struct search *s)
{
    size_t n_unique = 0;

    for (size_t i = 0; i < s->n_keys; i++) {
        for (size_t j = 0; j < i && !s->is_spent[i]; j++)
            s->is_spent[i] = pubkey_same(s->keys[i], s->keys[j]);
        n_unique += !s->is_spent[i];
    }
    return n_unique;
}

static bool fits(struct search *s, const struct signature *sig, const struct pubkey *key)
{
    if (key->alg != KEY_ED25519 && !s->is_hashed) {
        sha256(s->message.ptr, s->message.len, s->hash);
        s->is_hashed = true;
        s->work += s->message.len;
    }
    if (key->alg == KEY_ED25519 && sig->sig.len == 64)
        s->work += s->message.len;
    return s->work <= HASH_BUDGET &&
           pubkey_verify_hashed(key, s->message.ptr, s->message.len, s->hash, sig->sig.ptr, sig->sig.len);
}

/* The key that made this signature, or n_keys.  Hinted keys first. */
static size_t find_signer(struct search *s, const struct signature *sig)
{
    for (int hinted = 1; hinted >= 0; hinted--) {
        for (size_t i = 0; i < s->n_keys; i++) {
            if (!s->is_spent[i] && signature_hints_at(sig->keyid, s->keys[i]) == hinted && fits(s, sig, s->keys[i]))
                return i;
        }
    }
    return s->n_keys;
}

int signature_verify(struct bytes message, const struct signature *sigs, size_t n_sigs,
                     const struct pubkey *const keys[], size_t n_keys, size_t threshold,
                     struct signers *who, struct err *err)
{
    struct search s = { .message = message, .keys = keys, .n_keys = n_keys };
    struct signers found = { 0 };

    if (threshold == 0 || n_keys > TRUSTED_MAX || n_sigs > SIGNATURES_MAX)
        return err_set(err, ERR_INTERNAL, "signatures: threshold %zu of %zu keys, %zu signatures", threshold,
                       n_keys, n_sigs);
    size_t n_unique = mark_repeats(&s);
    if (threshold > n_unique)
        return err_set(err, ERR_UNPROCESSABLE, "signatures: %zu of %zu trusted keys can never sign", threshold, n_unique);
    for (size_t i = 0; i < n_sigs; i++) {
        size_t k = find_signer(&s, &sigs[i]);
        if (s.work > HASH_BUDGET)
            return err_set(err, ERR_TOO_LARGE, "signatures: too many to try on %zu bytes", message.len);
        if (k < n_keys) {
            s.is_spent[k] = true;
            found.key[found.n++] = k;
        }
    }
    if (found.n < threshold)
        return err_set(err, ERR_UNPROCESSABLE, "signatures: %zu of the %zu trusted keys signed, %zu must",
                       found.n, n_unique, threshold);
    *who = found;
    return 0;
}
