/* noun_tool.c - key, cel, version, completion, man: what needs no server. */
#include "core/cel/cases.h"
#include "ctl/attest.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"

#include <string.h>
#include <unistd.h>

/* ---- key ----------------------------------------------------------------------------------- */

static int write_pair(const struct privkey *key, const char *private_path, const char *public_path, struct err *err)
{
    struct buf secret, open;

    buf_init(&secret, PEM_MAX);
    buf_init(&open, PEM_MAX);
    pubkey_to_pem(privkey_public(key), &open);
    int rc = privkey_to_pem(key, &secret, err);
    if (rc == 0)
        rc = file_write(private_path, (struct bytes){ (const unsigned char *)secret.ptr, secret.len }, 0600, false, err);
    if (rc == 0)
        rc = file_write(public_path, (struct bytes){ (const unsigned char *)open.ptr, open.len }, 0644, false, err);
    if (secret.ptr != NULL)
        crypto_wipe(secret.ptr, secret.len);
    buf_free(&secret);
    buf_free(&open);
    return rc;
}

static int key_generate(struct ctl *c)
{
    const char *word = ctl_option(c, "algorithm") != NULL ? ctl_option(c, "algorithm") : "ed25519";
    char *private_path = arena_printf(&c->arena, "%s.key", ctl_arg(c, 0)), *public_path = arena_printf(&c->arena, "%s.pub", ctl_arg(c, 0));
    struct privkey *key = NULL;
    struct err err = { 0 };
    enum key_alg alg;

    if (str_eq(word, "p256"))
        word = "ecdsa-p256";
    if (!key_alg_from_word(word, &alg) || (alg != KEY_ED25519 && alg != KEY_P256))
        return ctl_wrong(c, NULL, "--algorithm: expected ed25519 or ecdsa-p256, got '%s'", word);
    if (private_path == NULL || public_path == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    if (access(public_path, F_OK) == 0)
        return ctl_wrong(c, "another name", "%s is there already", public_path);
    int rc = privkey_generate(alg, &key, &err);
    if (rc == 0)
        rc = write_pair(key, private_path, public_path, &err);
    if (rc == 0) {
        printf("%s\n", privkey_public(key)->fingerprint);
        ctl_say(c, "private key: %s (mode 0600; keep it in your CI's secrets), public key: %s", private_path, public_path);
        ctl_next(c, "keepctl signer add NAME --public-key %s", public_path);
    }
    privkey_free(key);
    return rc == 0 ? 0 : ctl_fail(c, &err, NULL);
}

/* The public half of a private key, or a public key itself. */
static int key_show(struct ctl *c)
{
    struct privkey *key = NULL;
    struct pubkey own = { 0 };
    struct bytes pem;
    struct err err = { 0 };
    struct buf b;

    if (file_read(&c->arena, ctl_arg(c, 0), PEM_MAX, &pem, &err) != 0)
        return ctl_fail(c, &err, NULL);
    bool secret = memmem(pem.ptr, pem.len, "PRIVATE KEY", 11) != NULL;
    int rc = secret ? privkey_from_pem((const char *)pem.ptr, pem.len, &key, &err)
                    : pubkey_from_pem((const char *)pem.ptr, pem.len, &own, &err);
    crypto_wipe((void *)(uintptr_t)pem.ptr, pem.len);
    if (rc != 0)
        return ctl_fail(c, &err, NULL);
    const struct pubkey *public = secret ? privkey_public(key) : &own;
    buf_init(&b, PEM_MAX);
    pubkey_to_pem(public, &b);
    printf("%s %s\n%s", key_alg_word(public->alg), public->fingerprint, b.ptr != NULL ? b.ptr : "");
    buf_free(&b);
    pubkey_clear(&own);
    privkey_free(key);
    return 0;
}

/* ---- cel ------------------------------------------------------------------------------------- */

static void print_case(void *data, const struct cel_case *one)
{
    (void)data;
    printf("%s\t%s", one->agreed ? "agreed" : "disagreed", one->name);
    if (!one->agreed)
        printf("\texpected %s\tgot %s", one->expected, one->got);
    putchar('\n');
}

static int cel(struct ctl *c)
{
    struct cel_cases_sum sum = { 0 };
    struct err err = { 0 };

    if (ctl_option(c, "cases") == NULL)
        return ctl_wrong(c, "keepctl cel --cases < FILE", "what is to be done?");
    int rc = cel_cases_run(stdin, print_case, NULL, &sum, &err);
    printf("cel\t%u\t%u\t%u\n", sum.n, sum.agreed, sum.disagreed);
    if (rc != 0)
        return ctl_fail(c, &err, NULL);
    ctl_say(c, "%u cases, %u agreed, %u disagreed", sum.n, sum.agreed, sum.disagreed);
    return sum.disagreed == 0 ? CODE_PASS : CODE_POLICY;
}

/* ---- version, completion, man ------------------------------------------------------------------ */

static int version(struct ctl *c)
{
    struct json answer;

    printf("keepctl %s\n", KEEP_VERSION);
    if (ctl_option(c, "client") != NULL)
        return 0;
    int rc = ctl_get(c, "/healthz", &answer);
    if (rc == 0)
        printf("keepd %s at %s\n", json_get_str(&answer, "version", "?"), c->settings.server);
    return rc;
}

static int completion(struct ctl *c)
{
    const char *shell = ctl_arg(c, 0);

    if (!str_eq(shell, "bash") && !str_eq(shell, "zsh") && !str_eq(shell, "fish"))
        return ctl_wrong(c, "keepctl completion bash", "expected bash, zsh or fish, got '%s'", shell);
    command_completion(c->cl->program, shell, stdout);
    return 0;
}

static int man(struct ctl *c)
{
    command_man(c->cl->program, stdout);
    return 0;
}

static const struct command_option generate_options[] = { { "algorithm", "NAME", "ed25519 (default) or ecdsa-p256.", false } };
static const struct command_option cel_options[] = { { "cases", NULL, "Run test cases from standard input, one JSON object a line.", false } };
static const struct command_option version_options[] = { { "client", NULL, "Ask no server.", false } };

static const struct ctl_command rows[] = {
    { ROW("key generate", "NAME", 1, 1, "Make a key pair to sign with: NAME.key (mode 0600) and NAME.pub.", generate_options, NULL), key_generate, NULL },
    { PLAIN("key show", "FILE", 1, 1, "Print a key's algorithm, fingerprint and public half."), key_show, NULL },
    { ROW("cel", "", 0, 0, "Run test cases of the policy language. Exit 2 when one disagrees.", cel_options, NULL), cel, NULL },
    { ROW("version", "", 0, 0, "Print the versions of keepctl and of the server.", version_options, NULL), version, NULL },
    { PLAIN("completion", "SHELL", 1, 1, "Print completion for bash, zsh or fish."), completion, NULL },
    { PLAIN("man", "", 0, 0, "Print the manual page (roff)."), man, NULL },
};
const struct ctl_commands tool_commands = { rows, N_ITEMS(rows) };
