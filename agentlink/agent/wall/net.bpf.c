/* net.bpf.c - ports and peers (part of wall.bpf.c).
 *
 * Attached once, to the folder all containers are below; the socket's cgroup says
 * whose it is.  IPv4 is judged as ::ffff:a.b.c.d, so one trie serves both and a
 * mapped address is no way around.  Loopback is never hindered.  New connections
 * are judged, established ones pass. */

enum { AF_INET_ = 2, AF_INET6_ = 10, TCP_ = 6, UDP_ = 17, ICMP_ = 1, ICMP6_ = 58, SOCK_STREAM_ = 1, SOCK_DGRAM_ = 2, ETH_IP = 0x0800, ETH_IP6 = 0x86dd,
       STATE_ESTABLISHED = 1, STATE_SYN_RECV = 3, STATE_LISTEN = 10, SYN_ = 0x02, ACK_ = 0x10 };

struct flow {
    u8 local[16], remote[16];
    u16 local_port, remote_port;
    u16 protocol;
};

static __always_inline void address4(u8 out[16], u32 ip)
{
    __builtin_memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    __builtin_memcpy(out + 12, &ip, 4);
}

static __always_inline bool is_loopback(const u8 a[16])
{
    const u32 *w = (const u32 *)a;
    if (w[0] != 0 || w[1] != 0)
        return false;
    return (w[2] == bpf_htonl(0xffff) && a[12] == 127) || (w[2] == 0 && w[3] == bpf_htonl(1));
}

static __always_inline bool port_is(u32 set, u32 peer, u8 way, u8 protocol, u16 port)
{
    struct wall_port_key key = { .set = set, .peer = peer, .port = port, .protocol = protocol, .way = way };
    if (bpf_map_lookup_elem(&ports, &key))
        return true;
    key.port = 0;
    return bpf_map_lookup_elem(&ports, &key) != NULL;
}

static __always_inline bool peer_is(u32 set, u8 way, const u8 address[16], u8 protocol, u16 port)
{
    struct wall_peer_key key = { .bits = PEER_FIXED + 128, .set = set, .way = way };
    __builtin_memcpy(key.address, address, 16);
    u32 *peer = bpf_map_lookup_elem(&peers, &key);
    return peer && port_is(set, *peer, way, protocol, port);
}

static __always_inline u32 egress_judge(const struct asked *a, const struct flow *f)
{
    if (!(a->set.flags & SET_EGRESS) || is_loopback(f->remote))
        return WHY_NONE;
    return peer_is(a->box.set, WAY_EGRESS, f->remote, f->protocol, f->remote_port) ? WHY_NONE : WHY_PEER;
}

static __always_inline u32 listen_judge(const struct asked *a, const struct flow *f)
{
    if (!(a->set.flags & SET_LISTEN) || f->local_port == 0)
        return WHY_NONE;
    return port_is(a->box.set, 0, WAY_LISTEN, f->protocol, f->local_port) ? WHY_NONE : WHY_PORT;
}

static __always_inline u32 inbound_judge(const struct asked *a, const struct flow *f)
{
    if (is_loopback(f->remote))
        return WHY_NONE;
    if (listen_judge(a, f) != WHY_NONE)
        return WHY_PORT;
    if (!(a->set.flags & SET_INGRESS))
        return WHY_NONE;
    return peer_is(a->box.set, WAY_INGRESS, f->remote, f->protocol, f->local_port) ? WHY_NONE : WHY_PEER;
}

/* with_process: the current task is the one who does it (not so for packets). */
static __always_inline void net_tell(const struct asked *a, const struct flow *f, u32 kind, u32 verdict, u32 why,
                                     bool with_process)
{
    u64 folded;
    struct wall_seen_key key = { .cgroup = a->cgroup, .kind = kind | verdict << 8,
                                 .what = (u32)f->protocol << 16 };
    bool is_out = kind == RAW_CONNECT;
    key.what |= is_out ? f->remote_port : f->local_port;
    __builtin_memcpy(&key.one, f->remote, 8);
    __builtin_memcpy(&key.two, f->remote + 8, 8);
    if (is_repeat(&key, verdict != RAW_OBSERVED, &folded))
        return;
    struct raw_net *e = bpf_ringbuf_reserve(&ring, sizeof *e, 0);
    if (!e) {
        COUNT(dropped);
        return;
    }
    COUNT(emitted);
    head_fill(&e->h, a, kind, verdict, why, folded);
    __builtin_memcpy(e->local, f->local, 16);
    __builtin_memcpy(e->remote, f->remote, 16);
    e->local_port = f->local_port;
    e->remote_port = f->remote_port;
    e->protocol = f->protocol;
    e->path.at[0] = 0;
    if (with_process) {
        struct task_struct *task = (struct task_struct *)bpf_get_current_task();
        head_process(&e->h);
        path_write((u64)(unsigned long)BPF_CORE_READ(task, mm, exe_file), &e->path);
    } else {
        e->h.pid = e->h.ppid = 0;
        e->h.uid = ~0U;
        e->h.comm[0] = 0;
    }
    bpf_ringbuf_submit(e, 0);
}

/* 1 lets it pass, 0 refuses it. */
static __always_inline int net_answer(const struct asked *a, const struct flow *f, u32 kind, u32 why, bool with_process)
{
    u32 verdict = verdict_word(a, why, RAW_DENIED);
    if (kind == RAW_BIND || kind == RAW_INBOUND) {         /* what is allowed is told by listen and accept */
        if (verdict == RAW_OBSERVED)
            return 1;
    }
    net_tell(a, f, kind, verdict, why, with_process);
    if (verdict != RAW_DENIED)
        return 1;
    COUNT(denied);
    return 0;
}

static __always_inline int connect_judge(struct bpf_sock_addr *ctx, bool is_v6)
{
    struct asked a = {};
    struct flow f = {};
    if (!asked_by_current(&a))
        return 1;
    f.protocol = ctx->protocol;
    if (f.protocol != TCP_ && f.protocol != UDP_)
        return 1;
    f.remote_port = bpf_ntohs((u16)ctx->user_port);
    if (is_v6) {
        u32 w[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
        __builtin_memcpy(f.remote, w, 16);
    } else {
        address4(f.remote, ctx->user_ip4);
    }
    return net_answer(&a, &f, RAW_CONNECT, egress_judge(&a, &f), true);
}

static __always_inline int bind_judge(struct bpf_sock_addr *ctx)
{
    struct asked a = {};
    struct flow f = {};
    if (!asked_by_current(&a))
        return 1;
    f.protocol = ctx->protocol;
    if (f.protocol != TCP_ && f.protocol != UDP_)
        return 1;
    f.local_port = bpf_ntohs((u16)ctx->user_port);
    return net_answer(&a, &f, RAW_BIND, listen_judge(&a, &f), true);
}

SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *ctx) { return connect_judge(ctx, false); }
SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *ctx) { return connect_judge(ctx, true); }
SEC("cgroup/sendmsg4") int sendmsg4(struct bpf_sock_addr *ctx) { return connect_judge(ctx, false); }
SEC("cgroup/sendmsg6") int sendmsg6(struct bpf_sock_addr *ctx) { return connect_judge(ctx, true); }
/* Where ports and peers are judged nobody leaves by another door: MPTCP and SCTP do not
 * pass the hooks above on all kernels, a raw socket writes its own headers. */
SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
    struct asked a = {};
    struct flow f = { .protocol = ctx->protocol };
    u32 type = ctx->type;
    bool is_usual = (type == SOCK_STREAM_ && (f.protocol == TCP_ || f.protocol == 0)) ||
                    (type == SOCK_DGRAM_ && (f.protocol == UDP_ || f.protocol == 0 || f.protocol == ICMP_ || f.protocol == ICMP6_));
    if (is_usual || !asked_by_current(&a) || !(a.set.flags & (SET_LISTEN | SET_EGRESS | SET_INGRESS)))
        return 1;
    return net_answer(&a, &f, RAW_CONNECT, WHY_PROTOCOL, true);
}

SEC("cgroup/bind4") int bind4(struct bpf_sock_addr *ctx) { return bind_judge(ctx); }
SEC("cgroup/bind6") int bind6(struct bpf_sock_addr *ctx) { return bind_judge(ctx); }

/* Where TCP begins in a packet of IPv6; 0: not found. */
static __always_inline u32 tcp_offset6(struct __sk_buff *skb)
{
    u8 next = 0, pair[2];
    u32 at = 40;
    if (bpf_skb_load_bytes(skb, 6, &next, 1) != 0)
        return 0;
    for (int i = 0; i < 6; i++) {
        if (next == TCP_)
            return at;
        if ((next != 0 && next != 43 && next != 60) || bpf_skb_load_bytes(skb, at, pair, 2) != 0)
            return 0;                    /* hop-by-hop, routing, destination options have a length */
        next = pair[0];
        at += ((u32)pair[1] + 1) * 8;
    }
    return 0;
}

/* Is it the first packet of a connection?  Then who and where to. */
static __always_inline bool syn_read(struct __sk_buff *skb, struct flow *f)
{
    u8 tcp[14], start = 0;
    u32 at;
    if (skb->protocol == bpf_htons(ETH_IP)) {
        u32 ip[2];
        if (bpf_skb_load_bytes(skb, 0, &start, 1) != 0 || bpf_skb_load_bytes(skb, 12, ip, 8) != 0)
            return false;
        at = (start & 15) * 4;
        address4(f->remote, ip[0]);
        address4(f->local, ip[1]);
    } else {
        at = tcp_offset6(skb);
        if (bpf_skb_load_bytes(skb, 8, f->remote, 16) != 0 || bpf_skb_load_bytes(skb, 24, f->local, 16) != 0)
            return false;
    }
    if (at == 0 || bpf_skb_load_bytes(skb, at, tcp, sizeof tcp) != 0 || (tcp[13] & (SYN_ | ACK_)) != SYN_)
        return false;
    f->remote_port = (u16)(tcp[0] << 8 | tcp[1]);
    f->local_port = (u16)(tcp[2] << 8 | tcp[3]);
    f->protocol = TCP_;
    return true;
}

SEC("cgroup_skb/ingress")
int inbound(struct __sk_buff *skb)
{
    struct asked a = {};
    struct flow f = {};
    const struct wall_control *c = control_get();
    struct bpf_sock *sk = skb->sk;
    if (!c || c->off || !sk)
        return 1;
    sk = bpf_sk_fullsock(sk);
    if (!sk || sk->protocol != TCP_ || sk->state != STATE_LISTEN)
        return 1;
    bool found = box_take(bpf_skb_cgroup_id(skb), &a);
    for (int level = 1; level <= LEVELS_MAX && !found; level++) {
        u64 id = bpf_skb_ancestor_cgroup_id(skb, level);
        if (id == 0)
            break;
        found = box_take(id, &a);
    }
    if (!found)
        return 1;
    rules_take(&a, c);
    if (!syn_read(skb, &f))
        return 1;
    return net_answer(&a, &f, RAW_INBOUND, inbound_judge(&a, &f), false);
}

static __always_inline bool asked_by_socket(struct sock *sk, struct asked *a)
{
    const struct wall_control *c = control_get();
    struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
    if (!c || c->off || !cgroup)
        return false;
    bool found = box_take(BPF_CORE_READ(cgroup, kn, id), a);
    for (int i = 0; i < LEVELS_MAX && !found; i++) {
        struct kernfs_node *kn = BPF_CORE_READ(cgroup, self.parent, cgroup, kn);
        cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
        if (!cgroup || !kn)
            break;
        found = box_take(BPF_CORE_READ(kn, id), a);
    }
    if (found)
        rules_take(a, c);
    return found;
}

static __always_inline void flow_of(struct sock *sk, struct flow *f)
{
    f->protocol = TCP_;
    f->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
    f->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
    if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6_) {
        BPF_CORE_READ_INTO((struct in6_addr *)f->local, sk, __sk_common.skc_v6_rcv_saddr);
        BPF_CORE_READ_INTO((struct in6_addr *)f->remote, sk, __sk_common.skc_v6_daddr);
    } else {
        address4(f->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
        address4(f->remote, BPF_CORE_READ(sk, __sk_common.skc_daddr));
    }
}

/* A socket that listens without having bound is told here, and the filter above
 * lets nobody reach it. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(see_state, struct sock *sk, int old, int new)
{
    struct asked a = {};
    struct flow f = {};
    bool listens = new == STATE_LISTEN, accepts = old == STATE_SYN_RECV && new == STATE_ESTABLISHED;
    if ((!listens && !accepts) || !asked_by_socket(sk, &a))
        return 0;
    flow_of(sk, &f);
    u32 why = listens ? listen_judge(&a, &f) : WHY_NONE;
    if (listens)
        __builtin_memset(f.remote, 0, 16);
    net_tell(&a, &f, listens ? RAW_LISTEN : RAW_ACCEPT, why != WHY_NONE && a.set.mode != MODE_DISCOVER ? RAW_ALERT : RAW_OBSERVED,
             why, listens);
    return 0;
}
