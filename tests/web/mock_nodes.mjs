/* mock_nodes.mjs - the stand-in's nodes, containers, profiles and alerts; some of their
 * texts are hostile, as a container's may be. */

export function nodes_api({ images, brief, sha, iso, list, is, yes, NOW, HOUR, DAY, HOSTILE }) {
    const nodes = Array.from({ length: 14 }, (_, i) => ({
        id: `n${sha('node' + i).slice(7, 18)}`,
        name: i === 3 ? HOSTILE[0] : `worker-${String(i + 1).padStart(2, '0')}`,
        state: ['enrolled', 'enrolled', 'enrolled', 'silent', 'enrolled', 'invited', 'revoked'][i % 7],
        cluster: i % 2 ? 'prod-eu' : 'prod-us',
        labels: i % 3 ? { zone: 'a' } : { zone: 'b', gpu: '' },
        scope: 'prod-eu/zone=a',
        created_at: iso(NOW - 40 * DAY),
        enrolled_at: iso(NOW - 40 * DAY + 6e4),
        last_seen_at: iso(NOW - (i % 7 === 3 ? 5 * HOUR : 2e4)),
        last_from: '10.0.0.' + i,
        agent_version: '0.1.0',
        kernel: '6.1.0-26-amd64',
        arch: 'x86_64',
        bundle_version: i % 5 === 4 ? 0 : 41 - (i % 3),
        bundle_applied_at: iso(NOW - 3 * HOUR),
        problem: i % 7 === 3 ? 'silent for 5 h' : i % 5 === 4 ? 'no bundle in force' : '',
        containers: 12 + i,
        events: 18000 * i,
        events_dropped: i === 2 ? 1200 : 0,
        batches_refused: i === 2 ? 3 : 0,
    }));
    const detail = n => ({
        ...n,
        fingerprint: sha(n.id).slice(7),
        public_key: '',
        join_token: 'jt',
        clock_skew_ms: -4200,
        stream: sha(n.id).slice(7, 39),
        through_seq: n.events,
        inventory_generation: 9,
        drops: n.events_dropped ? [{ class: 'low', reason: 'spool_full', count: 1200, last_at: iso(NOW - HOUR) }] : [],
        status_at: iso(NOW - 3e4),
        status: {
            bundle_version: n.bundle_version,
            bundle_age_s: 7200,
            spool_bytes: 4194304,
            spool_events: 312,
            rss_kib: 9200,
            cpu_ms: 88000,
            started_at: iso(NOW - 9 * DAY),
            sources: [
                { name: 'falco', state: 'reading', events: 88210 },
                { name: 'audit', state: 'missing', problem: HOSTILE[1], events: 0 },
            ],
            walls: {
                rung: 'sigkill',
                profiles: 7,
                lease_s: 60,
                drops: 0,
                reasons: [{ rung: 'lsm', why: 'the kernel refuses BPF programs of this type (EPERM)' }],
            },
        },
    });
    const containers = images.slice(0, 120).map((i, k) => ({
        id: sha('c' + k).slice(7),
        name: 'app',
        node_id: nodes[k % nodes.length].id,
        node: nodes[k % nodes.length].name,
        node_state: nodes[k % nodes.length].state,
        cluster: 'prod-eu',
        namespace: 'shop',
        pod: `shop-${k}`,
        workload: k === 4 ? HOSTILE[2] : `shop-${k}`,
        engine: 'containerd',
        runtime: 'runc',
        sandbox: k % 9 ? '' : 'gvisor',
        reference: i.reference,
        digest: i.digest,
        ...(k % 8 !== 7 && { image: brief(i) }),
        image_by: k % 8 === 6 ? 'tag' : 'digest',
        privileged: k % 11 === 0,
        user_id: 1000,
        started_at: iso(NOW - k * HOUR),
        seen_at: iso(NOW - 3e4),
        verdict: ['pass', 'fail', 'pass', 'warn', 'unknown'][k % 5],
        judged_at: iso(NOW - HOUR),
        reasons:
            k % 5 === 1
                ? [{ policy: 'sandbox-required', rule: 'sandbox', severity: 'high', effect: 'fail', message: 'the workload is sensitive and has no sandbox' }]
                : [],
    }));
    const alerts = Array.from({ length: 24 }, (_, k) => {
        const i = images[k];
        return {
            id: 1000 - k,
            state: ['open', 'open', 'acknowledged', 'resolved'][k % 4],
            severity: ['critical', 'error', 'warning', 'notice'][k % 4],
            kind: ['drift', 'policy', 'foreign', 'node'][k % 4],
            rule: ['drift/unexpected-executable', 'drift/unexpected-peer', 'shell-in-container/shell', 'node/drops'][k % 4],
            subject: k === 1 ? HOSTILE[3] : '/tmp/xmrig',
            title: k === 0 ? HOSTILE[0] : `${i.repository} ran /tmp/xmrig, which its profile does not name`,
            repository: i.repository,
            digest: i.digest,
            cluster: 'prod-eu',
            namespace: 'shop',
            workload: `shop-${k}`,
            node: nodes[0].id,
            node_name: nodes[0].name,
            count: 1 + k * k,
            denied: k % 3 ? 0 : k,
            episode: k === 5 ? 2 : 1,
            first_at: iso(NOW - 2 * DAY),
            last_at: iso(NOW - k * HOUR),
        };
    });
    const story = a => ({
        ...a,
        story: {
            event: { at: a.first_at, source: 'falco', kind: 'exec', verdict: 'alert', message: HOSTILE[4], remote: '203.0.113.9', remote_port: 4444 },
            processes: [
                { exe: '/tmp/xmrig', args: '-o pool.example:4444', uid: 1000, pid: 4242, sha256: sha('x').slice(7) },
                { exe: '/bin/sh', pid: 4240 },
                { exe: '/usr/bin/search', pid: 1 },
            ],
            container: { id: sha('c').slice(7), name: 'app', namespace: 'shop', pod: 'shop-1' },
            image: { reference: 'shop:1.4', known_by: 'container', is_known: true, freshness: 'stale_scan', verdict: 'fail', findings: { critical: 2, high: 9, kev: 1 } },
            profile: { name: 'shop', repository: a.repository, mode: 'monitor', expected: '/usr/bin/search, /usr/bin/tini' },
            node: { id: nodes[0].id, name: nodes[0].name, bundle_version: 41 },
        },
        events: [
            {
                id: 1,
                seq: 1,
                node_name: nodes[0].name,
                image_by: 'container',
                event: { at: a.last_at, source: 'falco', kind: 'exec', verdict: 'alert', message: HOSTILE[0], process: { exe: '/tmp/xmrig' } },
            },
        ],
    });
    const version = (source, n) => ({ source, version: n, mode: 'monitor', created_at: iso(NOW - n * DAY), created_by: 'ci-shop', signer: source === 'declared' ? 'k' : undefined });
    const profiles = images.slice(0, 9).map((i, k) => ({
        id: `p${k}`,
        repository: i.repository,
        mode: ['monitor', 'protect', 'discover', 'none'][k % 4],
        declared_version: 3,
        ...(k % 2 && { learned_version: 2 }),
        ...(k % 4 !== 3 && { enforced_version: 2 }),
        pending: k === 0,
        changed_at: iso(NOW - k * DAY),
        covers: ['executable', 'listen', 'egress'],
        not_covered: k === 1 ? [] : ['ingress', 'capability'],
    }));
    const profile = p => ({
        ...p,
        declared: version('declared', 3),
        ...(p.learned_version && { learned: version('learned', 2) }),
        ...(p.enforced_version && { enforced: version('enforced', 2) }),
        ...(p.mode === 'monitor' && {
            promotion: {
                from: 'monitor',
                to: 'protect',
                ready: false,
                checks: [
                    { rule: 'containers', met: true, text: '12 containers were seen, 3 are asked for' },
                    { rule: 'quiet', met: false, text: 'something new was seen 2 h ago; 24 h without are asked for' },
                ],
            },
        }),
        observed: 9,
        doubted: 1,
    });
    const row = (part, item, declared, observed, enforced, more) => ({ part, item, declared, observed, enforced, ...more });
    const diff = {
        rows: [
            row('executable', '/usr/bin/search', 'yes', 'yes', 'yes', { count: 4000, last_at: iso(NOW - HOUR) }),
            row('executable', HOSTILE[0], 'no', 'yes', 'no', { count: 2, last_at: iso(NOW - HOUR), doubts: ['only in one container'], note: 'observed, not declared' }),
            row('egress', 'cidr 10.0.0.0/8 443', 'yes', 'no', 'yes', { note: 'declared, never seen' }),
            row('listen', 'tcp/8080', 'not covered', 'yes', 'not covered', { count: 12, last_at: iso(NOW - HOUR) }),
        ],
        not_covered: ['ingress'],
    };
    const by = (rows, show) => (q, id) => {
        const found = rows.find(r => String(r.id) === id);
        return found && show(found);
    };
    return {
        get: [
            [/^\/v1\/nodes$/, q => list(nodes.filter(n => is(q, 'state', n.state) && is(q, 'cluster', n.cluster) && (!yes(q, 'problem') || n.problem)), q)],
            [/^\/v1\/nodes\/([^/]+)$/, by(nodes, detail)],
            [/^\/v1\/containers$/, q => list(containers.filter(c => is(q, 'verdict', c.verdict) && is(q, 'node', c.node_id) && (!yes(q, 'privileged') || c.privileged)), q)],
            [/^\/v1\/alerts$/, q => list(alerts.filter(a => is(q, 'state', a.state)), q)],
            [/^\/v1\/alerts\/([^/]+)$/, by(alerts, story)],
            [/^\/v1\/profiles$/, q => list(profiles.filter(p => is(q, 'mode', p.mode) && (!yes(q, 'pending') || p.pending)), q)],
            [/^\/v1\/profiles\/([^/]+)$/, by(profiles, profile)],
            [/^\/v1\/profiles\/([^/]+)\/diff$/, () => diff],
        ],
        post(path, body) {
            const m = path.match(/^\/v1\/alerts\/(\d+)\/state$/);
            const a = m && alerts.find(x => String(x.id) === m[1]);
            if (a) return Object.assign(a, { state: body.state, note: body.note, changed_by: 'mira', changed_at: iso(Date.now()) });
            return path === '/v1/suppressions' ? { id: 's1', state: 'active', hits: 0, ...body } : null;
        },
    };
}
