/* keepctl profile: offline (init, check, generate, simulate), and against a real keepd. */
#include "tests/flow/ctl_fixture.h"

static const char config[] =
    "[{\"RepoDigests\":[\"acme/shop@" DIGEST_A "\"],\"Config\":{\"Entrypoint\":[\"/shop\",\"serve\"],\"ExposedPorts\":{\"8080/tcp\":{}},"
    "\"User\":\"1000:1000\",\"Volumes\":{\"/data\":{}}}}]";
static const char events[] =
    "{\"seq\":1,\"at\":\"2026-11-25T13:00:00Z\",\"source\":\"agent\",\"kind\":\"exec\",\"verdict\":\"observed\",\"severity\":6,\"process\":{\"exe\":\"/shop\",\"uid\":1000},\"count\":1}\n"
    "{\"seq\":2,\"at\":\"2026-11-25T13:00:01Z\",\"source\":\"agent\",\"kind\":\"exec\",\"verdict\":\"observed\",\"severity\":6,\"process\":{\"exe\":\"/bin/sh\",\"uid\":0},\"count\":1}\n"
    "not an event\n"
    "{\"seq\":3,\"at\":\"2026-11-25T13:00:02Z\",\"source\":\"agent\",\"kind\":\"listen\",\"verdict\":\"observed\",\"severity\":6,\"net\":{\"protocol\":\"tcp\",\"local_port\":4444},\"count\":1}\n";

static void a_draft_says_what_the_image_says_and_what_it_does_not(void **state)
{
    struct fixture *t = *state;

    write_file(t, "config.json", config, 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "profile", "init", "--config", "config.json"));
    says(t, "image: docker.io/acme/shop\n");
    says(t, "path: /shop\n");
    says(t, "port: 8080\n");
    says(t, "\"/data/**\"\n");
    says(t, "No image says whom it talks to");
    write_file(t, "shop.yaml", t->out, 0644);
    expect(t, 0, RUN(t, WHO_ANYONE, "profile", "check", "shop.yaml"));
    says(t, "not judged: egress");
    expect(t, 1, RUN(t, WHO_ANYONE, "profile", "init"));
    write_file(t, "bare.json", "{\"config\":{\"Cmd\":[\"nginx\"],\"User\":\"www\"}}", 0644);
    expect(t, 1, RUN(t, WHO_ANYONE, "profile", "init", "--config", "bare.json"));
    expect(t, 0, RUN(t, WHO_ANYONE, "profile", "init", "--config", "bare.json", "--image", "nginx"));
    says(t, "It is started as nginx, found through PATH");
    says(t, "It runs as user www");
}

static void mistakes_are_told_with_their_lines(void **state)
{
    struct fixture *t = *state;

    write_file(t, "bad.yaml", "apiVersion: keep/v1\nkind: Profile\nmetadata: {name: x}\nspec:\n  image: a/b\n  writes: [tmp, /a/]\n", 0644);
    expect(t, 2, RUN(t, WHO_ANYONE, "profile", "check", "bad.yaml", "shop.yaml"));
    says(t, "bad.yaml:6:12: a path begins with a slash");
    says(t, "bad.yaml:6:17: ");
    says(t, "shop.yaml: ok");
}

static void a_profile_is_written_in_other_languages(void **state)
{
    struct fixture *t = *state;

    expect(t, 0, RUN(t, WHO_ANYONE, "profile", "generate", "--as", "networkpolicy", "--namespace", "prod", "shop.yaml"));
    says(t, "kind: NetworkPolicy\n");
    says(t, "namespace: prod\n");
    expect(t, 0, RUN(t, WHO_ANYONE, "profile", "generate", "--as", "falco", "shop.yaml"));
    says(t, "proc.exepath in (/shop)");
    expect(t, 1, RUN(t, WHO_ANYONE, "profile", "generate", "--as", "klingon", "shop.yaml"));
    says(t, "networkpolicy, cilium, istio, falco, tetragon, seccomp, apparmor");
}

static void recorded_events_are_asked_about_offline(void **state)
{
    struct fixture *t = *state;

    write_file(t, "events.jsonl", events, 0644);
    expect(t, 8, RUN(t, WHO_ANYONE, "profile", "simulate", "shop.yaml", "events.jsonl"));
    says(t, "unexpected-shell");
    says(t, "tcp/4444");
    says(t, "2 of 3 recorded events would have been reported");
    says(t, "1 lines are no events");
}

static void a_profile_is_pushed_approved_and_shown(void **state)
{
    struct fixture *t = *state;

    expect(t, 4, RUN(t, ROLE_CI, "profile", "push", "shop.yaml"));
    expect(t, 0, RUN(t, ROLE_CI, "profile", "push", "shop.yaml", "--key", "ci.key"));
    says(t, "declared version 1 of docker.io/acme/shop");
    expect(t, 0, RUN(t, ROLE_POLICY, "profile", "approve", "acme/shop", "--version", "1", "--reason", "looked at it"));
    says(t, "version 1 counts, in mode discover");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "list"));
    says(t, "docker.io/acme/shop");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "show", "acme/shop"));
    says(t, "looked at it");
    says(t, "containers");                 /* what is asked for before it goes on */
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "diff", "acme/shop"));
    says(t, "allowed, never seen");
    says(t, "not judged: egress");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "observations", "acme/shop"));
    says(t, "nothing has been seen of it yet");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "generate", "--as", "apparmor", "acme/shop"));
    says(t, "profile keep-shop ");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "simulate", "acme/shop"));
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "simulate", "shop.yaml"));
    says(t, "0 of 0 recorded events");
}

static void a_mode_is_set_by_force_only_with_a_reason(void **state)
{
    struct fixture *t = *state;

    assert_int_not_equal(RUN(t, ROLE_POLICY, "profile", "mode", "acme/shop", "monitor"), 0);
    says(t, "the evidence for mode monitor is not there yet");
    says(t, "containers");
    assert_int_not_equal(RUN(t, ROLE_POLICY, "profile", "mode", "acme/shop", "monitor", "--force"), 0);
    expect(t, 0, RUN(t, ROLE_POLICY, "profile", "mode", "acme/shop", "monitor", "--force", "--reason", "we know this image well"));
    says(t, "mode monitor");
    expect(t, 0, RUN(t, ROLE_VIEWER, "profile", "history", "acme/shop"));
    says(t, "we know this image well");
    assert_int_not_equal(RUN(t, ROLE_POLICY, "profile", "learn", "acme/shop"), 0);
    says(t, "nothing has been seen");
    assert_int_not_equal(RUN(t, ROLE_VIEWER, "profile", "show", "acme/shop:1.0"), 0);
    says(t, "not to a tag");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_says_what_the_image_says_and_what_it_does_not),
        cmocka_unit_test(mistakes_are_told_with_their_lines),
        cmocka_unit_test(a_profile_is_written_in_other_languages),
        cmocka_unit_test(recorded_events_are_asked_about_offline),
        cmocka_unit_test(a_profile_is_pushed_approved_and_shown),
        cmocka_unit_test(a_mode_is_set_by_force_only_with_a_reason),
    };

    return cmocka_run_group_tests_name("keepctl profile", tests, fixture_open, fixture_close);
}
