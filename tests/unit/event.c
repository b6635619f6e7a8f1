/* event.c - what events of others become: each source, each kind. */
#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/event/event.h"
#include "wire/msg/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct event decode(const char *text)
{
    struct event e;
    struct err err = { 0 };

    if (event_decode(EVENT_SOURCE_N, text, strlen(text), &arena, &e, &err) != 0)
        fail_msg("%s", err.msg);
    return e;
}

/* ---- Falco -------------------------------------------------------------------------------- */

static void falco_tells_who_where_and_what(void **state)
{
    struct event e = decode(
        "{\"hostname\":\"node-1\",\"output\":\"said\",\"priority\":\"Critical\",\"rule\":\"Shell\",\"source\":\"syscall\",\"tags\":[\"shell\",\"shell\",\"T1059\"],"
        "\"time\":\"2026-01-02T03:04:05.678901234Z\",\"uuid\":\"u-1\",\"output_fields\":{\"container.id\":\"0123456789ab\",\"container.image.repository\":"
        "\"docker.io/acme/shop\",\"container.image.tag\":\"1.2\",\"container.name\":\"shop\",\"evt.time.iso8601\":1767323045678901234,\"evt.type\":\"execve\","
        "\"k8s.ns.name\":\"prod\",\"k8s.pod.name\":\"shop-1\",\"proc.aname[2]\":\"runc\",\"proc.aname[3]\":\"init\",\"proc.cmdline\":\"sh -c id\",\"proc.exepath\":"
        "\"/bin/sh\",\"proc.name\":\"sh\",\"proc.pname\":\"node\",\"proc.tty\":0,\"user.loginuid\":-1,\"user.name\":\"root\",\"user.uid\":0}}");

    (void)state;
    assert_int_equal(e.source, SOURCE_FALCO);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_int_equal(e.verdict, VERDICT_ALERT);
    assert_int_equal(e.severity, 2);
    assert_int_equal(e.at_ms, 1767323045678);
    assert_string_equal(e.container.image, "docker.io/acme/shop:1.2");
    assert_string_equal(e.process.exe, "/bin/sh");
    assert_string_equal(e.process.parent_name, "node");
    assert_int_equal(e.process.auid, -1);
    assert_int_equal(e.process.uid, 0);
    assert_int_equal(e.n_tags, 2);
    assert_int_equal(e.n_chain, 3);
    assert_string_equal(e.chain[1].exe, "runc");
    assert_string_equal(e.event_id, "u-1");
    assert_string_equal(e.place.pod, "shop-1");
}

static struct event falco(const char *fields)
{
    char *text = arena_printf(&arena, "{\"rule\":\"r\",\"priority\":\"Warning\",\"time\":\"2026-01-02T03:04:05Z\",\"output_fields\":{%s}}", fields);

    return decode(text);
}

static void falco_sockets_have_two_ends(void **state)
{
    (void)state;
    struct event e = falco("\"evt.type\":\"connect\",\"fd.name\":\"10.0.0.5:43812->10.96.0.1:443\",\"fd.l4proto\":\"tcp\"");
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_string_equal(e.net.local, "10.0.0.5");
    assert_string_equal(e.net.remote, "10.96.0.1");
    assert_int_equal(e.net.remote_port, 443);
    assert_string_equal(e.net.direction, "out");
    e = falco("\"evt.type\":\"accept4\",\"fd.name\":\"10.0.0.5:43812->10.0.0.9:8080\"");
    assert_int_equal(e.kind, EVENT_ACCEPT);
    assert_string_equal(e.net.local, "10.0.0.9");
    assert_int_equal(e.net.local_port, 8080);
    assert_string_equal(e.net.direction, "in");
    e = falco("\"evt.type\":\"listen\",\"fd.name\":\"0.0.0.0:12345\"");
    assert_int_equal(e.kind, EVENT_LISTEN);
    assert_int_equal(e.net.local_port, 12345);
    e = falco("\"evt.type\":\"connect\",\"fd.name\":\"::1:43812->fd00::9:443\",\"fd.lport\":43812,\"fd.rport\":443");
    assert_string_equal(e.net.remote, "fd00::9");
    assert_string_equal(e.net.local, "::1");
    e = falco("\"fd.name\":\"a->b\",\"evt.type\":\"openat\"");
    assert_string_equal(e.file.path, "a->b");
    e = falco("\"fd.name\":\"1.2.3.4:99999->1.2.3.4:1\"");
    assert_null(e.net.remote);
}

static void falco_opens_that_write_are_writes(void **state)
{
    (void)state;
    assert_int_equal(falco("\"evt.type\":\"openat\",\"evt.arg.flags\":\"O_RDONLY\",\"fd.name\":\"/etc/passwd\"").kind, EVENT_FILE_OPEN);
    assert_int_equal(falco("\"evt.type\":\"openat\",\"evt.arg.flags\":\"O_CREAT|O_WRONLY\",\"fd.name\":\"/bin/x\"").kind, EVENT_FILE_WRITE);
    assert_int_equal(falco("\"evt.type\":\"unlinkat\",\"evt.arg.name\":\"/var/log/x\"").kind, EVENT_FILE_WRITE);
    assert_int_equal(falco("\"evt.type\":\"finit_module\"").kind, EVENT_MODULE);
    assert_int_equal(falco("\"evt.type\":\"capset\"").kind, EVENT_CAPABILITY);
    assert_int_equal(falco("\"evt.type\":\"procexit\"").kind, EVENT_EXIT);
    assert_int_equal(falco("\"evt.type\":\"ptrace\"").kind, EVENT_OTHER);
}

static void falco_knows_no_container_on_the_host(void **state)
{
    (void)state;
    assert_null(falco("\"container.id\":\"host\"").container.id);
    assert_null(falco("\"container.id\":\"\"").container.id);
    assert_null(falco("\"container.id\":null,\"container.image.repository\":\"<NA>\"").container.image);
    assert_string_equal(falco("\"container.id\":\"0123456789ab\"").container.id, "0123456789ab");
}

static void falco_says_what_it_lost(void **state)
{
    struct event e = decode("{\"output\":\"Falco internal: syscall event drop. 42 system calls dropped\",\"output_fields\":{\"n_drops\":\"42\",\"n_evts\":\"9000\"},"
                            "\"priority\":\"Debug\",\"rule\":\"Falco internal: syscall event drop\",\"source\":\"internal\",\"time\":\"2026-01-02T03:04:05Z\"}");

    (void)state;
    assert_int_equal(e.kind, EVENT_DROP);
    assert_int_equal(e.count, 42);
    assert_int_equal(event_class_of(&e), EVENT_CLASS_CRITICAL);
    e = decode("{\"output\":\"m\",\"output_fields\":{\"falco.version\":\"0.41.0\"},\"priority\":\"Informational\",\"rule\":\"Falco internal: metrics snapshot\","
               "\"source\":\"internal\",\"time\":\"2026-01-02T03:04:05Z\"}");
    assert_int_equal(e.kind, EVENT_METRICS);
    assert_int_equal(event_class_of(&e), EVENT_CLASS_LOW);
}

static void times_are_told_by_their_size(void **state)
{
    static const char *const times[] = { "1767323045", "1767323045000", "1767323045000000", "1767323045000000000" };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(times); i++) {
        char *text = arena_printf(&arena, "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"evt.time\":%s}}", times[i]);
        assert_int_equal(decode(text).at_ms, 1767323045000);
    }
}

/* ---- Tracee ---------------------------------------------------------------------------------- */

#define TRACEE(event, args) "{\"timestamp\":1767323045678901234,\"processId\":7,\"hostProcessId\":4711,\"parentProcessId\":1,\"hostParentProcessId\":4700,\"userId\":1000," \
    "\"processName\":\"sh\",\"executable\":{\"path\":\"/bin/bash\"},\"hostName\":\"shop-1\",\"containerId\":\"" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"container\":{\"id\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"," \
    "\"name\":\"shop\",\"image\":\"acme/shop:1\",\"imageDigest\":\"acme/shop@sha256:00\"},\"kubernetes\":{\"podName\":\"shop-7c966b5d85-42jwx\",\"podNamespace\":\"prod\"}," \
    "\"eventId\":\"714\",\"eventName\":\"" event "\",\"matchedPolicies\":[\"p1\"],\"returnValue\":0,\"args\":[" args "]}"

static void tracee_classic_kinds(void **state)
{
    (void)state;
    struct event e = decode(TRACEE("sched_process_exec", "{\"name\":\"cmdpath\",\"type\":\"const char*\",\"value\":\"/usr/bin/curl\"},{\"name\":\"pathname\",\"type\":"
        "\"const char*\",\"value\":\"/usr/bin/curl\"},{\"name\":\"argv\",\"type\":\"const char**\",\"value\":[\"curl\",\"-s\",\"x\"]},{\"name\":\"prev_comm\",\"value\":\"sh\"}"));
    assert_int_equal(e.source, SOURCE_TRACEE);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_string_equal(e.process.exe, "/usr/bin/curl");
    assert_string_equal(e.process.args, "curl -s x");
    assert_int_equal(e.process.pid, 4711);
    assert_int_equal(e.at_ms, 1767323045678);
    assert_string_equal(e.place.workload, "shop");
    assert_string_equal(e.rule, "p1");
    e = decode(TRACEE("security_socket_connect", "{\"name\":\"sockfd\",\"value\":3},{\"name\":\"remote_addr\",\"type\":\"struct sockaddr*\",\"value\":{\"sa_family\":\"AF_INET\","
        "\"sin_addr\":\"10.1.2.3\",\"sin_port\":\"443\"}}"));
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_string_equal(e.net.remote, "10.1.2.3");
    assert_int_equal(e.net.remote_port, 443);
    assert_string_equal(e.process.exe, "/bin/bash");
    e = decode(TRACEE("security_socket_bind", "{\"name\":\"local_addr\",\"value\":{\"sa_family\":\"AF_INET6\",\"sin6_addr\":\"::\",\"sin6_port\":\"8081\"}}"));
    assert_int_equal(e.kind, EVENT_LISTEN);
    assert_int_equal(e.net.local_port, 8081);
    e = decode(TRACEE("security_file_open", "{\"name\":\"pathname\",\"value\":\"/etc/x\"},{\"name\":\"flags\",\"value\":\"O_WRONLY|O_LARGEFILE\"}"));
    assert_int_equal(e.kind, EVENT_FILE_WRITE);
    assert_string_equal(e.file.path, "/etc/x");
    e = decode(TRACEE("security_file_open", "{\"name\":\"pathname\",\"value\":\"/etc/x\"},{\"name\":\"flags\",\"value\":32768}"));
    assert_int_equal(e.kind, EVENT_FILE_OPEN);
    e = decode(TRACEE("net_packet_dns_request", "{\"name\":\"metadata\",\"value\":{\"src_ip\":\"10.0.0.1\",\"dst_ip\":\"10.0.0.2\",\"src_port\":5000,\"dst_port\":53,\"protocol\":17}},"
        "{\"name\":\"dns_questions\",\"value\":[{\"query\":\"example.com\",\"query_type\":\"A\"}]}"));
    assert_int_equal(e.kind, EVENT_DNS);
    assert_string_equal(e.net.remote_name, "example.com");
    assert_string_equal(e.net.protocol, "udp");
    assert_int_equal(e.net.remote_port, 53);
    assert_int_equal(decode(TRACEE("cap_capable", "{\"name\":\"cap\",\"value\":\"CAP_SYS_ADMIN\"}")).kind, EVENT_CAPABILITY);
    assert_string_equal(decode(TRACEE("cap_capable", "{\"name\":\"cap\",\"value\":\"CAP_SYS_ADMIN\"}")).capability, "SYS_ADMIN");
    assert_int_equal(decode(TRACEE("sched_process_exit", "")).kind, EVENT_EXIT);
    assert_int_equal(decode(TRACEE("something_new", "{\"name\":\"x\",\"value\":{\"y\":[1]}},7,null")).kind, EVENT_OTHER);
}

static void tracee_signatures_are_alerts(void **state)
{
    struct event e = decode("{\"timestamp\":1,\"eventName\":\"fileless_execution\",\"args\":[],\"metadata\":{\"Version\":\"1\",\"Description\":\"from memory\",\"Properties\":"
                            "{\"Severity\":3,\"signatureID\":\"TRC-105\",\"signatureName\":\"Fileless execution\"}}}");

    (void)state;
    assert_int_equal(e.verdict, VERDICT_ALERT);
    assert_int_equal(e.severity, 3);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_string_equal(e.rule, "Fileless execution");
    assert_string_equal(e.message, "from memory");
}

static void tracee_v1beta1(void **state)
{
    struct event e = decode(
        "{\"timestamp\":{\"seconds\":\"1767323045\",\"nanos\":678901234},\"id\":\"sched_process_exec\",\"name\":\"sched_process_exec\",\"policies\":{\"matched\":[\"default\"]},"
        "\"workload\":{\"process\":{\"thread\":{\"name\":\"sh\",\"host_tid\":10,\"tid\":5},\"pid\":{\"value\":5},\"host_pid\":{\"value\":10},\"executable\":{\"path\":\"/bin/sh\"},"
        "\"real_user\":{\"id\":{\"value\":33}},\"ancestors\":[{\"unique_id\":\"1\",\"host_pid\":{\"value\":9},\"executable\":{\"path\":\"/bin/parent\"}},{\"host_pid\":8}]},"
        "\"container\":{\"id\":\"0123456789abcdef\",\"name\":\"shop\",\"image\":{\"name\":\"acme/shop:1\",\"repo_digests\":[\"acme/shop@sha256:ab\"]}},"
        "\"k8s\":{\"pod\":{\"name\":\"shop-0\",\"uid\":\"u\"},\"namespace\":{\"name\":\"prod\"}}},"
        "\"data\":[{\"name\":\"pathname\",\"str\":\"/usr/bin/id\"},{\"name\":\"argv\",\"str_array\":{\"value\":[\"id\",\"-u\"]}}],\"threat\":{\"name\":\"T\",\"severity\":\"HIGH\"}}");

    (void)state;
    assert_int_equal(e.source, SOURCE_TRACEE);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_int_equal(e.at_ms, 1767323045678);
    assert_string_equal(e.process.exe, "/usr/bin/id");
    assert_string_equal(e.process.args, "id -u");
    assert_int_equal(e.process.pid, 10);
    assert_int_equal(e.process.ppid, 9);
    assert_int_equal(e.process.uid, 33);
    assert_int_equal(e.n_chain, 2);
    assert_string_equal(e.chain[0].exe, "/bin/parent");
    assert_string_equal(e.container.digest, "sha256:ab");
    assert_string_equal(e.place.namespace, "prod");
    assert_string_equal(e.place.workload, "shop");
    assert_int_equal(e.verdict, VERDICT_ALERT);
    assert_int_equal(e.severity, 3);
    assert_string_equal(e.rule, "T");
}

/* ---- Tetragon ----------------------------------------------------------------------------------- */

#define PROCESS "\"process\":{\"exec_id\":\"ZQ==\",\"pid\":42,\"uid\":0,\"cwd\":\"/\",\"binary\":\"/usr/bin/curl\",\"arguments\":\"-s x\",\"auid\":4294967295," \
    "\"start_time\":\"2026-01-02T03:04:04Z\",\"pod\":{\"namespace\":\"prod\",\"name\":\"shop-1\",\"workload\":\"shop\",\"container\":{\"id\":\"containerd://" \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"name\":\"shop\",\"image\":{\"id\":\"docker.io/acme/shop@sha256:cd\",\"name\":\"docker.io/acme/shop:1\"}}}," \
    "\"docker\":\"0123456789abcdef0123456789abcde\"},\"parent\":{\"binary\":\"/bin/sh\",\"pid\":41}"
#define TETRAGON(kind, more) "{\"" kind "\":{" PROCESS more "},\"node_name\":\"n1\",\"time\":\"2026-01-02T03:04:05.5Z\"}"

static void tetragon_has_ten_kinds(void **state)
{
    (void)state;
    struct event e = decode(TETRAGON("process_exec", ",\"ancestors\":[{\"binary\":\"/init\",\"pid\":1}]"));
    assert_int_equal(e.source, SOURCE_TETRAGON);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_int_equal(e.verdict, VERDICT_OBSERVED);
    assert_string_equal(e.container.id, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    assert_string_equal(e.container.runtime, "containerd");
    assert_string_equal(e.container.image, "docker.io/acme/shop:1");
    assert_string_equal(e.container.digest, "sha256:cd");
    assert_int_equal(e.process.auid, -1);
    assert_int_equal(e.process.ppid, 41);
    assert_int_equal(e.n_chain, 2);
    assert_int_equal(e.at_ms, 1767323045500);
    assert_int_equal(event_class_of(&e), EVENT_CLASS_LOW);
    e = decode(TETRAGON("process_exit", ",\"signal\":\"SIGKILL\""));
    assert_int_equal(e.kind, EVENT_EXIT);
    assert_string_equal(e.message, "killed by SIGKILL");
    e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"tcp_connect\",\"policy_name\":\"egress\",\"action\":\"KPROBE_ACTION_SIGKILL\",\"args\":[{\"sock_arg\":{\"family\":"
        "\"AF_INET\",\"protocol\":\"IPPROTO_TCP\",\"saddr\":\"10.0.0.1\",\"sport\":4000,\"daddr\":\"10.0.0.2\",\"dport\":443}}]"));
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_int_equal(e.verdict, VERDICT_KILLED);
    assert_string_equal(e.net.remote, "10.0.0.2");
    assert_string_equal(e.net.protocol, "tcp");
    assert_string_equal(e.rule, "egress");
    assert_int_equal(event_class_of(&e), EVENT_CLASS_CRITICAL);
    e = decode(TETRAGON("process_tracepoint", ",\"subsys\":\"syscalls\",\"event\":\"sys_enter_execve\""));
    assert_int_equal(e.kind, EVENT_EXEC);
    e = decode(TETRAGON("process_uprobe", ",\"path\":\"/bin/bash\",\"symbol\":\"readline\""));
    assert_int_equal(e.kind, EVENT_OTHER);
    assert_string_equal(e.operation, "readline");
    assert_int_equal(decode(TETRAGON("process_usdt", ",\"path\":\"/x\",\"provider\":\"p\",\"name\":\"connect\"")).kind, EVENT_OTHER);
    e = decode(TETRAGON("process_lsm", ",\"function_name\":\"bprm_check_security\",\"action\":\"KPROBE_ACTION_OVERRIDE\",\"args\":[{\"linux_binprm_arg\":{\"path\":\"/tmp/x\"}}]"));
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_int_equal(e.verdict, VERDICT_DENIED);
    assert_string_equal(e.file.path, "/tmp/x");
    e = decode(TETRAGON("process_loader", ",\"path\":\"/lib/x.so\",\"buildid\":\"AA==\""));
    assert_int_equal(e.kind, EVENT_FILE_OPEN);
    e = decode("{\"process_throttle\":{\"type\":\"THROTTLE_START\",\"cgroup\":\"/kubepods/x\"},\"node_name\":\"n\",\"time\":\"2026-01-02T03:04:05Z\"}");
    assert_int_equal(e.kind, EVENT_DROP);
    e = decode("{\"rate_limit_info\":{\"number_of_dropped_process_events\":\"17\"},\"node_name\":\"n\",\"time\":\"2026-01-02T03:04:05Z\"}");
    assert_int_equal(e.kind, EVENT_DROP);
    assert_int_equal(e.count, 17);
    assert_int_equal(decode(TETRAGON("process_tomorrow", "")).kind, EVENT_OTHER);
}

static void tetragon_arguments_tell_reading_from_writing(void **state)
{
    (void)state;
    struct event e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"security_file_permission\",\"args\":[{\"file_arg\":{\"path\":\"/etc/shadow\"}},{\"int_arg\":4}]"));
    assert_int_equal(e.kind, EVENT_FILE_OPEN);
    e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"security_file_permission\",\"args\":[{\"file_arg\":{\"path\":\"/etc/shadow\"}},{\"int_arg\":2}]"));
    assert_int_equal(e.kind, EVENT_FILE_WRITE);
    assert_string_equal(e.file.path, "/etc/shadow");
    e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"__x64_sys_openat\",\"args\":[{\"int_arg\":-100},{\"string_arg\":\"f\"},{\"int_arg\":577}]"));
    assert_int_equal(e.kind, EVENT_FILE_WRITE);
    e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"do_init_module\",\"args\":[{\"module_arg\":{\"name\":\"evil\"}}]"));
    assert_int_equal(e.kind, EVENT_MODULE);
    e = decode(TETRAGON("process_kprobe", ",\"function_name\":\"cap_capable\",\"args\":[{\"capability_arg\":{\"value\":21,\"name\":\"CAP_SYS_ADMIN\"}}]"));
    assert_int_equal(e.kind, EVENT_CAPABILITY);
    assert_string_equal(e.capability, "SYS_ADMIN");
}

/* ---- Hubble ----------------------------------------------------------------------------------------- */

#define FLOW(direction, more) "\"time\":\"2026-01-02T03:04:05Z\",\"verdict\":\"FORWARDED\",\"IP\":{\"source\":\"10.0.0.1\",\"destination\":\"10.0.0.2\",\"ipVersion\":\"IPv4\"}," \
    "\"l4\":{\"TCP\":{\"source_port\":40000,\"destination_port\":443,\"flags\":{\"SYN\":true}}},\"source\":{\"ID\":1,\"identity\":2,\"namespace\":\"prod\",\"pod_name\":" \
    "\"search-7c966b5d85-42jwx\"},\"destination\":{\"ID\":3,\"namespace\":\"prod\",\"pod_name\":\"payments-0\",\"workloads\":[{\"name\":\"payments\",\"kind\":\"StatefulSet\"}]}," \
    "\"Type\":\"L3_L4\",\"node_name\":\"n1\",\"event_type\":{\"type\":4},\"traffic_direction\":\"" direction "\",\"Summary\":\"TCP Flags: SYN\"" more

static void hubble_says_who_talks_to_whom(void **state)
{
    (void)state;
    struct event e = decode("{\"flow\":{" FLOW("EGRESS", ",\"is_reply\":false") "},\"node_name\":\"n1\",\"time\":\"2026-01-02T03:04:06Z\"}");
    assert_int_equal(e.source, SOURCE_HUBBLE);
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_string_equal(e.net.direction, "out");
    assert_string_equal(e.place.workload, "search");
    assert_string_equal(e.net.remote_service, "prod/payments");
    assert_int_equal(e.net.remote_port, 443);
    assert_string_equal(e.net.protocol, "tcp");
    e = decode("{" FLOW("INGRESS", ",\"is_reply\":{\"value\":false}") "}");
    assert_int_equal(e.kind, EVENT_ACCEPT);
    assert_string_equal(e.place.workload, "payments");
    assert_string_equal(e.net.remote_service, "prod/search");
    assert_int_equal(e.net.local_port, 443);
}

static void hubble_replies_teach_no_peers(void **state)
{
    (void)state;
    struct event e = decode("{\"flow\":{" FLOW("EGRESS", ",\"is_reply\":true") "}}");
    assert_int_equal(e.kind, EVENT_OTHER);
    assert_string_equal(e.place.workload, "payments");      /* the answer to what it opened arrives there */
    assert_int_equal(decode("{\"flow\":{" FLOW("EGRESS", ",\"is_reply\":{\"value\":true}") "}}").kind, EVENT_OTHER);
    assert_int_equal(decode("{" FLOW("EGRESS", ",\"reply\":true") "}").kind, EVENT_OTHER);
    assert_int_equal(decode("{" FLOW("EGRESS", "") "}").kind, EVENT_CONNECT);
}

static void hubble_layers_and_losses(void **state)
{
    (void)state;
    struct event e = decode("{\"flow\":{\"verdict\":\"DROPPED\",\"drop_reason_desc\":\"POLICY_DENIED\",\"IP\":{\"source\":\"10.0.0.1\",\"destination\":\"1.1.1.1\"},\"l4\":{\"UDP\":{"
        "\"source_port\":5000,\"destination_port\":53}},\"source\":{\"namespace\":\"prod\",\"pod_name\":\"shop-0\"},\"destination\":{\"labels\":[\"reserved:world\"]},"
        "\"destination_names\":[\"one.example\"],\"traffic_direction\":\"EGRESS\",\"egress_denied_by\":[{\"name\":\"deny-all\"}]}}");
    assert_int_equal(e.verdict, VERDICT_DROPPED);
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_string_equal(e.net.remote_name, "one.example");
    assert_string_equal(e.rule, "deny-all");
    assert_null(e.net.remote_service);
    e = decode("{\"flow\":{\"verdict\":\"FORWARDED\",\"is_reply\":false,\"l4\":{\"UDP\":{\"source_port\":5000,\"destination_port\":53}},\"l7\":{\"type\":\"REQUEST\",\"dns\":{\"query\":"
               "\"api.example.com.\",\"qtypes\":[\"A\"]}},\"traffic_direction\":\"EGRESS\"}}");
    assert_int_equal(e.kind, EVENT_DNS);
    assert_string_equal(e.net.remote_name, "api.example.com");
    e = decode("{\"flow\":{\"verdict\":\"FORWARDED\",\"is_reply\":false,\"l7\":{\"type\":\"REQUEST\",\"http\":{\"method\":\"GET\",\"url\":\"http://x/\"}},\"traffic_direction\":\"INGRESS\"}}");
    assert_int_equal(e.kind, EVENT_ACCEPT);
    assert_string_equal(e.message, "GET http://x/");
    e = decode("{\"lost_events\":{\"source\":\"PERF_EVENT_RING_BUFFER\",\"num_events_lost\":\"7\"},\"node_name\":\"n\"}");
    assert_int_equal(e.kind, EVENT_DROP);
    assert_int_equal(e.count, 7);
    assert_int_equal(decode("{\"node_status\":{\"state_change\":\"NODE_CONNECTED\"},\"time\":\"2026-01-02T03:04:05Z\"}").kind, EVENT_OTHER);
}

/* ---- KubeArmor ------------------------------------------------------------------------------------------ */

#define ARMOR(operation, resource, data, more) "{\"UpdatedTime\":\"2026-01-02T03:04:05.123456Z\",\"Timestamp\":1,\"HostName\":\"n1\",\"NamespaceName\":\"prod\",\"PodName\":" \
    "\"shop-1\",\"Owner\":{\"Name\":\"shop\"},\"ContainerID\":\"0123456789ab\",\"ContainerImage\":\"acme/shop:1@sha256:ef\",\"HostPID\":10,\"PID\":2,\"ProcessName\":\"/usr/bin/x\"," \
    "\"ParentProcessName\":\"/bin/sh\",\"Type\":\"ContainerLog\",\"Source\":\"/usr/bin/x -a\",\"Operation\":\"" operation "\",\"Resource\":\"" resource "\",\"Data\":\"" data "\"" more "}"

static void kubearmor_operations(void **state)
{
    (void)state;
    struct event e = decode(ARMOR("Process", "/usr/bin/x -a -b", "syscall=SYS_EXECVE", ",\"Type\":\"MatchedPolicy\",\"PolicyName\":\"p\",\"Severity\":\"9\",\"Tags\":\"a,b\","
                                  "\"Action\":\"Block\",\"Result\":\"Permission denied\""));
    assert_int_equal(e.source, SOURCE_KUBEARMOR);
    assert_int_equal(e.kind, EVENT_EXEC);
    assert_int_equal(e.verdict, VERDICT_DENIED);
    assert_int_equal(e.severity, 2);
    assert_int_equal(e.n_tags, 2);
    assert_string_equal(e.process.args, "/usr/bin/x -a -b");
    assert_string_equal(e.container.image, "acme/shop:1");
    assert_string_equal(e.container.digest, "sha256:ef");
    assert_string_equal(e.place.workload, "shop");
    assert_int_equal(e.process.pid, 10);
    assert_int_equal(e.at_ms, 1767323045123);
    e = decode(ARMOR("File", "/etc/x", "syscall=SYS_OPENAT fd=-100 flags=O_RDONLY|O_CLOEXEC", ",\"Result\":\"Passed\""));
    assert_int_equal(e.kind, EVENT_FILE_OPEN);
    assert_int_equal(e.verdict, VERDICT_OBSERVED);
    assert_null(e.message);
    assert_int_equal(decode(ARMOR("File", "/etc/x", "syscall=SYS_OPENAT flags=O_WRONLY|O_CREAT", "")).kind, EVENT_FILE_WRITE);
    assert_int_equal(decode(ARMOR("File", "/etc/x", "syscall=SYS_UNLINKAT", "")).kind, EVENT_FILE_WRITE);
    e = decode(ARMOR("Network", "remoteip=10.0.0.1 port=443 protocol=TCP", "kprobe=tcp_connect domain=AF_INET", ""));
    assert_int_equal(e.kind, EVENT_CONNECT);
    assert_string_equal(e.net.remote, "10.0.0.1");
    assert_int_equal(e.net.remote_port, 443);
    assert_string_equal(e.net.protocol, "tcp");
    assert_int_equal(decode(ARMOR("Network", "remoteip=10.0.0.1 port=443 protocol=TCP", "kprobe=tcp_accept domain=AF_INET", "")).kind, EVENT_ACCEPT);
    assert_int_equal(decode(ARMOR("Network", "domain=AF_UNIX type=SOCK_STREAM protocol=0", "syscall=SYS_SOCKET", "")).kind, EVENT_OTHER);
    e = decode(ARMOR("Network", "sa_family=AF_INET sin_port=53", "kfunc=UDP_SENDMSG,domain=example.com,daddr=10.43.0.10,qtype=A", ""));
    assert_int_equal(e.kind, EVENT_DNS);
    assert_string_equal(e.net.remote_name, "example.com");
    assert_string_equal(e.net.remote, "10.43.0.10");
    e = decode(ARMOR("Capabilities", "CAP_NET_RAW", "", ""));
    assert_int_equal(e.kind, EVENT_CAPABILITY);
    assert_string_equal(e.capability, "NET_RAW");
    e = decode(ARMOR("NetworkFirewall", "INGRESS", "SourceIP=1.2.3.4 SourcePort=5 DestinationIP=6.7.8.9 DestinationPort=22 Protocol=TCP", ""));
    assert_int_equal(e.kind, EVENT_ACCEPT);
    assert_int_equal(e.net.local_port, 22);
}

static void kubearmor_in_small_letters(void **state)
{
    struct event e = decode("{\"clusterName\":\"c\",\"hostName\":\"n1\",\"namespaceName\":\"prod\",\"podName\":\"shop-1\",\"containerID\":\"0123456789ab\",\"hostPid\":10,\"ppid\":1,"
                            "\"pid\":2,\"uid\":0,\"type\":\"ContainerLog\",\"source\":\"/bin/cat\",\"operation\":\"File\",\"resource\":\"/etc/passwd\",\"data\":\"flags=O_RDONLY\","
                            "\"result\":\"Passed\",\"updatedTime\":\"2026-01-02T03:04:05Z\"}");

    (void)state;
    assert_int_equal(e.source, SOURCE_KUBEARMOR);
    assert_int_equal(e.kind, EVENT_FILE_OPEN);
    assert_string_equal(e.process.exe, "/bin/cat");
    assert_int_equal(e.process.pid, 10);
}

/* ---- Kubernetes audit --------------------------------------------------------------------------------------- */

#define AUDIT "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Request\",\"auditID\":\"a-1\",\"stage\":\"ResponseComplete\",\"requestURI\":" \
    "\"/api/v1/namespaces/prod/pods/shop-1/exec?command=sh&command=-c&command=id%20-u%0A&container=shop\",\"verb\":\"create\",\"user\":{\"username\":\"eve\"},\"sourceIPs\":" \
    "[\"192.0.2.1\"],\"objectRef\":{\"resource\":\"pods\",\"namespace\":\"prod\",\"name\":\"shop-1\",\"subresource\":\"exec\"},\"responseStatus\":{\"code\":101}," \
    "\"stageTimestamp\":\"2026-01-02T03:04:05.123456Z\",\"annotations\":{\"authorization.k8s.io/decision\":\"allow\"}}"

static void audit_says_who_entered_a_pod(void **state)
{
    struct event e = decode(AUDIT);

    (void)state;
    assert_int_equal(e.source, SOURCE_K8SAUDIT);
    assert_int_equal(e.kind, EVENT_K8S);
    assert_int_equal(e.severity, 5);
    assert_string_equal(e.process.user, "eve");
    assert_string_equal(e.process.args, "sh -c id -u\n");
    assert_string_equal(e.place.pod, "shop-1");
    assert_string_equal(e.k8s.subresource, "exec");
    assert_int_equal(e.k8s.code, 101);
    assert_string_equal(e.event_id, "a-1");
}

static void audit_lists_are_several_events(void **state)
{
    char *text = arena_printf(&arena, "{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"items\":[%s,%s]}", AUDIT, AUDIT);
    const struct event *events;
    struct event e;
    struct err err = { 0 };
    size_t n;

    (void)state;
    assert_int_equal(event_decode_all(SOURCE_K8SAUDIT, text, strlen(text), &arena, &events, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(event_decode(SOURCE_K8SAUDIT, text, strlen(text), &arena, &e, &err), -1);
    text = arena_printf(&arena, "{\"kind\":\"EventList\",\"items\":[]}");
    assert_int_equal(event_decode(SOURCE_K8SAUDIT, text, strlen(text), &arena, &e, &err), 1);
}

static void audit_refusals_are_denied(void **state)
{
    struct event e = decode("{\"auditID\":\"x\",\"verb\":\"get\",\"requestURI\":\"/api/v1/secrets\",\"objectRef\":{\"resource\":\"deployments\",\"apiGroup\":\"apps\"},"
                            "\"responseStatus\":{\"code\":403,\"message\":\"forbidden\"},\"annotations\":{\"authorization.k8s.io/decision\":\"forbid\"}}");

    (void)state;
    assert_int_equal(e.verdict, VERDICT_DENIED);
    assert_string_equal(e.k8s.resource, "deployments.apps");
}

/* ---- hostile ---------------------------------------------------------------------------------------------------- */

static void same_after_our_own_json(const struct event *e)
{
    struct buf a, b;
    struct event again;
    struct err err = { 0 };

    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_int_equal(event_encode(e, &a, &err), 0);
    assert_true(a.len <= EVENT_JSON_MAX);
    assert_true(str_is_utf8(a.ptr, a.len));
    if (event_decode(SOURCE_AGENT, a.ptr, a.len, &arena, &again, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(event_encode(&again, &b, &err), 0);
    assert_string_equal(a.ptr, b.ptr);
    buf_free(&a);
    buf_free(&b);
}

static void bytes_that_are_no_text_do_not_hide_an_event(void **state)
{
    static const char *const commands[] = {
        "a\xFF\xFE", "lone \\ud800 surrogate", "low \\udc00", "cut \\ud83", "nul \\u0000", "tab\there", "escape \x1b[31m", "bad \\x41 escape",
        "overlong \xC0\xAF", "half \xE2\x82", "<script>alert(1)</script>", "\\ud83d\\ude00", "\xF0\x9F\x98\x80", "\\ud800\\ud800\\udc00",
    };

    (void)state;
    for (size_t i = 0; i < N_ITEMS(commands); i++) {
        char *text = arena_printf(&arena, "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"proc.cmdline\":\"%s\"}}", commands[i]);
        struct event e = decode(text);
        assert_non_null(e.process.args);
        assert_true(str_is_utf8(e.process.args, strlen(e.process.args)));
        same_after_our_own_json(&e);
    }
    assert_string_equal(decode("{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"proc.cmdline\":\"<script>\"}}").process.args, "<script>");
}

static void a_raw_nul_does_not_hide_an_event(void **state)
{
    static const char text[] = "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"proc.cmdline\":\"a\0b\"}}";
    struct event e;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(event_decode(SOURCE_FALCO, text, sizeof text - 1, &arena, &e, &err), 0);
    assert_string_equal(e.process.args, "a\xEF\xBF\xBD" "b");
}

static void huge_texts_are_cut_and_say_so(void **state)
{
    size_t len = 6 * 1000 * 1000;
    struct buf b;

    (void)state;
    buf_init(&b, 64 << 20);
    buf_puts(&b, "{\"rule\":\"r\",\"priority\":\"Error\",\"output\":\"");
    for (size_t i = 0; i < len / 6; i++)
        buf_puts(&b, i % 3 != 0 ? "\\u0001" : "\xC3\xA9\xC3\xA9\xC3\xA9");
    buf_puts(&b, "\",\"output_fields\":{\"proc.cmdline\":\"");
    for (size_t i = 0; i < 60000; i++)
        buf_puts(&b, "\\u0002");
    buf_puts(&b, "\",\"proc.name\":\"x\"}}");
    struct event e;
    struct err err = { 0 };
    assert_int_equal(event_decode(SOURCE_FALCO, b.ptr, b.len, &arena, &e, &err), 0);
    assert_true(e.is_cut);
    assert_true(strlen(e.message) <= EVENT_MESSAGE_MAX && strlen(e.process.args) == EVENT_ARGS_MAX);
    same_after_our_own_json(&e);
    buf_free(&b);
}

static void an_event_of_ten_megabytes_is_refused(void **state)
{
    size_t len = 10 * 1000 * 1000;
    char *text = malloc(len);
    struct event e;
    struct err err = { 0 };

    (void)state;
    memset(text, 'x', len);
    assert_int_equal(event_decode(SOURCE_FALCO, text, len, &arena, &e, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    free(text);
}

static void deep_and_long_documents_are_refused(void **state)
{
    struct buf b;
    struct event e;
    struct err err = { 0 };

    (void)state;
    buf_init(&b, 64 << 20);
    buf_puts(&b, "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":");
    for (int i = 0; i < 100000; i++)
        buf_putc(&b, '[');
    assert_int_equal(event_decode(SOURCE_FALCO, b.ptr, b.len, &arena, &e, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_clear(&b);
    buf_puts(&b, "{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{\"x\":[0");
    for (int i = 0; i < 600000; i++)
        buf_puts(&b, ",0");
    buf_puts(&b, "]}}");
    assert_int_equal(event_decode(SOURCE_FALCO, b.ptr, b.len, &arena, &e, &err), -1);
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    buf_free(&b);
}

static void huge_numbers_are_unknown(void **state)
{
    (void)state;
    struct event e = falco("\"proc.pid\":99999999999999999999999,\"user.uid\":4294967295,\"user.loginuid\":-9223372036854775808,\"fd.rport\":70000,\"proc.ppid\":1.5e300");
    assert_int_equal(e.process.pid, -1);
    assert_int_equal(e.process.uid, -1);
    assert_int_equal(e.process.auid, -1);
    assert_int_equal(e.process.ppid, -1);
    assert_int_equal(e.net.remote_port, -1);
    e = decode("{\"rate_limit_info\":{\"number_of_dropped_process_events\":9223372036854775807}}");
    assert_int_equal(e.count, INT64_MAX);
    same_after_our_own_json(&e);
}

static void members_of_other_types_are_absent(void **state)
{
    (void)state;
    struct event e = decode("{\"rule\":{},\"output\":[1],\"priority\":7,\"time\":{\"a\":1},\"tags\":\"x\",\"source\":null,\"output_fields\":[1,2]}");
    assert_null(e.rule);
    assert_int_equal(e.kind, EVENT_OTHER);
    e = decode("{\"flow\":{\"verdict\":3,\"IP\":\"x\",\"l4\":[],\"source\":7,\"destination\":null,\"is_reply\":\"no\",\"l7\":1,\"time\":{}}}");
    assert_int_equal(e.source, SOURCE_HUBBLE);
    e = decode("{\"process_exec\":{\"process\":7,\"parent\":[],\"ancestors\":{}},\"time\":5}");
    assert_int_equal(e.kind, EVENT_EXEC);
    e = decode("{\"eventName\":\"x\",\"args\":{},\"container\":5,\"metadata\":[],\"matchedPolicies\":[[]]}");
    assert_int_equal(e.source, SOURCE_TRACEE);
}

static void what_is_nobodys_is_refused(void **state)
{
    static const char *const texts[] = { "{}", "[]x", "7", "\"x\"", "{\"a\":1}", "nonsense", "{\"rule\":\"r\"", "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}" };
    struct event e;

    (void)state;
    for (size_t i = 0; i < N_ITEMS(texts); i++) {
        struct err err = { 0 };
        assert_int_equal(event_decode(EVENT_SOURCE_N, texts[i], strlen(texts[i]), &arena, &e, &err), -1);
        assert_true(err.msg[0] != '\0');
    }
    struct err err = { 0 };
    assert_int_equal(event_decode(EVENT_SOURCE_N, " \n", 2, &arena, &e, &err), 1);
    assert_int_equal(event_decode(SOURCE_TETRAGON, AUDIT, strlen(AUDIT), &arena, &e, &err), -1);
}

static void prefixes_of_loggers_are_stepped_over(void **state)
{
    (void)state;
    assert_string_equal(decode("Nov 25 13:11:58 node falco[42]: {\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{}}").rule, "r");
    assert_string_equal(decode("2026-01-02T03:04:05.000000000Z stdout F {\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{}}").rule, "r");
    assert_string_equal(decode("{\"log\":\"{\\\"rule\\\":\\\"r\\\",\\\"priority\\\":\\\"Error\\\",\\\"output_fields\\\":{}}\\n\",\"stream\":\"stdout\",\"time\":\"x\"}").rule, "r");
    assert_string_equal(decode("\xEF\xBB\xBF{\"rule\":\"r\",\"priority\":\"Error\",\"output_fields\":{}}").rule, "r");
}

/* ---- our own ---------------------------------------------------------------------------------------------------- */

static void what_is_not_known_is_left_out(void **state)
{
    struct event e;
    struct buf b;
    struct err err = { 0 };

    (void)state;
    event_init(&e);
    buf_init(&b, 1 << 20);
    assert_int_equal(event_encode(&e, &b, &err), 0);
    assert_string_equal(b.ptr, "{\"source\":\"agent\",\"kind\":\"other\",\"verdict\":\"observed\",\"severity\":6,\"count\":1}");
    buf_free(&b);
    e = decode("{\"source\":\"agent\",\"kind\":\"exec\",\"severity\":6,\"count\":1}");
    assert_int_equal(e.process.pid, -1);
    assert_int_equal(e.at_ms, TIME_UNKNOWN);
}

static void ours_is_closed(void **state)
{
    static const char text[] = "{\"source\":\"agent\",\"kind\":\"exec\",\"severity\":6,\"count\":1,\"extra\":1}";
    struct event e;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(event_decode(SOURCE_AGENT, text, sizeof text - 1, &arena, &e, &err), -1);
    assert_null(shape_check(&event_shape));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(falco_tells_who_where_and_what), T(falco_sockets_have_two_ends), T(falco_opens_that_write_are_writes),
        T(falco_knows_no_container_on_the_host), T(falco_says_what_it_lost), T(times_are_told_by_their_size), T(tracee_classic_kinds),
        T(tracee_signatures_are_alerts), T(tracee_v1beta1), T(tetragon_has_ten_kinds), T(tetragon_arguments_tell_reading_from_writing),
        T(hubble_says_who_talks_to_whom), T(hubble_replies_teach_no_peers), T(hubble_layers_and_losses), T(kubearmor_operations),
        T(kubearmor_in_small_letters), T(audit_says_who_entered_a_pod), T(audit_lists_are_several_events), T(audit_refusals_are_denied),
        T(bytes_that_are_no_text_do_not_hide_an_event), T(a_raw_nul_does_not_hide_an_event), T(huge_texts_are_cut_and_say_so),
        T(an_event_of_ten_megabytes_is_refused), T(deep_and_long_documents_are_refused), T(huge_numbers_are_unknown),
        T(members_of_other_types_are_absent), T(what_is_nobodys_is_refused), T(prefixes_of_loggers_are_stepped_over),
        T(what_is_not_known_is_left_out), T(ours_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
