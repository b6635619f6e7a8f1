/* Two keepd on one PostgreSQL: whom one lets in the other knows, and whom one revokes
 * the other refuses.  Skipped without KEEP_TEST_PG. */
#include "tests/flow/upload.h"
#include "tests/support/node.h"

#include <fcntl.h>
#include <unistd.h>

static void copy_file(const char *from, const char *to)
{
    char text[256];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = read(in, text, sizeof text);

    assert_true(in >= 0 && out >= 0 && n > 0);
    assert_int_equal(write(out, text, (size_t)n), n);
    close(in);
    close(out);
}

static void copy_key(const struct keepd *from, const struct keepd *to, const char *name)
{
    char a[128], b[128];

    snprintf(a, sizeof a, "%s/%s", from->dir, name);
    snprintf(b, sizeof b, "%s/%s", to->dir, name);
    if (access(a, R_OK) == 0)
        copy_file(a, b);
}

static int report(struct client *c, const char *token)
{
    struct ask ask = { "POST", "/v1/agent/status", token, "Content-Type: application/json\r\n", "{}", 2 };

    return client_send(c, &ask).status;
}

static void what_one_knows_the_other_knows(void **state)
{
    static struct keepd one, two;
    struct client a, b;
    struct test_node n;
    char path[128];
    int waited = 0, status;

    (void)state;
    if (getenv("KEEP_TEST_PG") == NULL)
        skip();
    keepd_open(&one, NULL, true);
    two = one;
    snprintf(two.dir, sizeof two.dir, "/tmp/keep-two-XXXXXX");
    assert_non_null(mkdtemp(two.dir));
    copy_key(&one, &two, "agent-session.key");
    two.key = NULL;
    keepd_start(&two);
    client_init(&a, one.port);
    client_init(&b, two.port);
    test_node_join(&a, keepd_token(&one, ROLE_ADMIN), "c", NULL, &n);
    assert_int_equal(report(&b, n.token), 200);           /* at once, though it came by the other */
    snprintf(path, sizeof path, "/v1/nodes/%s", n.node_id);
    keepd_ask(&a, keepd_token(&one, ROLE_ADMIN), "DELETE", path, NULL, 204);
    assert_int_equal(report(&a, n.token), 401);
    while ((status = report(&b, n.token)) != 401 && waited < 5000) {
        nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
        waited += 50;
    }
    assert_int_equal(status, 401);
    assert_true(waited <= 3000);
    assert_int_equal(test_node_ask(&b, &n), 403);
    test_node_free(&n);
    client_free(&a);
    client_free(&b);
    keepd_close(&two);
    keepd_close(&one);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(what_one_knows_the_other_knows) };

    return cmocka_run_group_tests_name("nodes of two servers", tests, NULL, NULL);
}
