/* mock.mjs - a stand-in for keepd: the real web files under the real headers, with a
 * made-up fleet of 300 images behind the same addresses.  Some of its texts are hostile,
 * as a scanner's may be.  Usage: node mock.mjs [PORT]; prints its address and a login link. */
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodes_api } from './mock_nodes.mjs';

const WEB = join(dirname(fileURLToPath(import.meta.url)), '../../web');
const PAGE = {
    'Content-Security-Policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'X-Frame-Options': 'DENY',
};
const ALWAYS = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Resource-Policy': 'same-origin' };
const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
};
const ROOMS = 
    /^\/(|login|images|images\/sha256:[0-9a-f]{64}|findings|packages|exceptions|running|containers|audit|(nodes|profiles|alerts)(\/[\w.~-]+)?)$/;

/* ---- a fleet, the same each time but for "now" ---- */
let seed = 20261125;
const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
};
const below = n => Math.floor(random() * n),
    pick = list => list[below(list.length)];
const HOUR = 36e5,
    DAY = 24 * HOUR,
    NOW = Date.now();
const iso = ms => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z');
const sha = text => 'sha256:' + createHash('sha256').update(text).digest('hex');
export const HOSTILE = [
    '<img src=x onerror="window.pwned=1">',
    '"><script>window.pwned=1</script>',
    'javascript:window.pwned=1//',
    '</title><svg/onload=window.pwned=1>',
    '{{constructor.constructor("window.pwned=1")()}}',
];
const TEAMS = ['payments', 'storefront', 'platform', 'identity', 'data', 'logistics', 'mobile', ''];
const APPS = ['api', 'worker', 'web', 'gateway', 'cron', 'ledger', 'search', 'auth', 'mailer', 'reports', 'sync', 'proxy'];
const BASES = [
    ['debian', '12.8', 'debian:12-slim'],
    ['alpine', '3.20', 'alpine:3.20'],
    ['ubuntu', '24.04', 'ubuntu:24.04'],
    ['wolfi', undefined, 'cgr.dev/chainguard/static'],
];
const VULNS = [
    [
        'CVE-2021-44228',
        'critical',
        10,
        0.944,
        true,
        'org.apache.logging.log4j:log4j-core',
        '2.14.1',
        '2.17.1',
        'Maven',
        'Remote code execution by a JNDI lookup in log messages',
    ],
    [
        'CVE-2024-3094',
        'critical',
        10,
        0.861,
        false,
        'xz-utils',
        '5.6.0-0.2',
        '5.6.1+really5.4.5-1',
        'Debian:12',
        'Malicious code in upstream xz tarballs',
    ],
    ['CVE-2023-44487', 'high', 7.5, 0.944, true, 'golang.org/x/net', '0.15.0', '0.17.0', 'Go', 'HTTP/2 rapid reset can exhaust a server'],
    [
        'CVE-2024-6387',
        'high',
        8.1,
        0.437,
        false,
        'openssh-server',
        '1:9.2p1-2+deb12u2',
        '1:9.2p1-2+deb12u3',
        'Debian:12',
        'Race condition in a signal handler of sshd',
    ],
    [
        'CVE-2023-4863',
        'high',
        8.8,
        0.936,
        true,
        'libwebp7',
        '1.2.4-0.2',
        '1.2.4-0.2+deb12u1',
        'Debian:12',
        'Heap buffer overflow while decoding WebP',
    ],
    [
        'CVE-2022-3602',
        'high',
        7.5,
        0.82,
        false,
        'openssl',
        '3.0.5-1',
        '3.0.7-1',
        'Debian:12',
        'Buffer overrun in X.509 e-mail address checks',
    ],
    [
        'CVE-2023-38545',
        'critical',
        9.8,
        0.26,
        false,
        'curl',
        '8.3.0-r0',
        '8.4.0-r0',
        'Alpine:v3.18',
        'Heap buffer overflow in the SOCKS5 handshake',
    ],
    [
        'CVE-2024-21626',
        'high',
        8.6,
        0.052,
        false,
        'github.com/opencontainers/runc',
        '1.1.9',
        '1.1.12',
        'Go',
        'File descriptor leak allows leaving the container',
    ],
    [
        'CVE-2022-40897',
        'medium',
        5.9,
        0.004,
        false,
        'setuptools',
        '65.3.0',
        '65.5.1',
        'PyPI',
        'Regular expression can be made slow by a package page',
    ],
    ['CVE-2023-45853', 'critical', 9.8, 0.011, false, 'zlib1g', '1:1.2.13.dfsg-1', '', 'Debian:12', 'Integer overflow in MiniZip'],
    ['CVE-2019-8457', 'critical', 9.8, 0.02, false, 'libdb5.3', '5.3.28+dfsg2-1', '', 'Debian:12', 'Heap out-of-bound read in rtreenode()'],
    ['CVE-2011-3374', 'low', 3.7, 0.001, false, 'apt', '2.6.1', '', 'Debian:12', 'apt-key does not check keys correctly'],
    ['CVE-2024-0001', 'medium', 6.1, 0.0009, false, HOSTILE[0], HOSTILE[4], HOSTILE[3], 'npm', HOSTILE[1]],
    ['GHSA-jf85-cpcp-j695', 'critical', 9.1, 0.032, false, 'lodash', '4.17.11', '4.17.12', 'npm', 'Prototype pollution'],
    [
        'CVE-2023-50387',
        'high',
        7.5,
        0.53,
        false,
        'systemd',
        '252.19-1~deb12u1',
        '252.21-1~deb12u1',
        'Debian:12',
        'DNSSEC validation can use up the processor',
    ],
];

const DISTANCES = [0.2, 0.4, 0.8, 1.5, 2.2, 4, 5.5, 6.5, 9, 12, 20, 28, 45, 80, 120, 210];
const verdict_of = (c, fresh) =>
    fresh === 'never_scanned'
        ? 'unknown'
        : c.kev > 0 || c.malware > 0 || (c.critical > 2 && c.fixable > 2)
          ? 'fail'
          : c.critical > 0 || fresh !== 'fresh'
            ? 'warn'
            : 'pass';

function make_image(n) {
    const team = pick(TEAMS),
        app = pick(APPS),
        tag = `${1 + below(4)}.${below(20)}.${below(9)}`;
    const repository =
        n === 7
            ? 'registry.example/evil/' + 'x-onerror-alert-1'
            : `registry.example/${team || 'misc'}/${app}${n % 5 ? '' : '-' + pick(['eu', 'canary', 'batch'])}`;
    const never = n % 33 === 4,
        age = never ? null : DISTANCES[Math.floor(random() ** 1.7 * DISTANCES.length)] * DAY * (0.8 + random() * 0.4);
    const freshness = never
        ? 'never_scanned'
        : age > 7 * DAY
          ? 'stale_scan'
          : n % 17 === 3
            ? 'stale_database'
            : n % 61 === 9
              ? 'unknown'
              : 'fresh';
    const bad = random(),
        c = k => (never ? 0 : Math.floor(bad ** k.p * k.n * random()));
    const counts = {
        critical: c({ p: 4, n: 14 }),
        high: c({ p: 3, n: 40 }),
        medium: c({ p: 1.5, n: 80 }),
        low: c({ p: 1, n: 90 }),
        other: c({ p: 1, n: 12 }),
        fixable: 0,
        kev: !never && bad > 0.93 ? 1 + below(2) : 0,
        secrets: n % 47 === 5 ? 1 : 0,
        malware: n === 131 ? 1 : 0,
        misconfigurations: never ? 0 : below(4),
        excepted: n % 9 === 0 ? 1 + below(3) : 0,
    };
    counts.fixable = Math.floor((counts.critical + counts.high) * 0.6);
    const running = random() < 0.45 ? 1 + below(12) : 0,
        packages = never ? 0 : 60 + below(420);
    const digest = sha('image ' + n);
    return {
        digest,
        repository,
        tag,
        reference: `${repository}:${tag}`,
        ...(team && { team }),
        freshness,
        ...(!never && {
            inventory_at: iso(NOW - age),
            scanned_at: iso(NOW - age),
            db_built_at: iso(NOW - age - (freshness === 'stale_database' ? 9 : 0.3) * DAY),
        }),
        first_seen_at: iso(NOW - (20 + below(300)) * DAY),
        last_seen_at: iso(NOW - below(72) * HOUR),
        verdict: verdict_of(counts, freshness),
        verdict_since: iso(NOW - below(20 * 24) * HOUR),
        counts,
        packages,
        evaluable: Math.floor(packages * 0.97),
        signed: !never && random() < 0.86,
        running,
        age,
    };
}
const images = Array.from({ length: 300 }, (_, n) => make_image(n));
for (const i of images)
    queueMicrotask(() => {
        for (const s of RANK) i.counts[s] = findings_of(i).filter(f => f.severity === s).length;
    });
const finding = (v, i, k) => ({
    vulnerability: v[0],
    aliases: k % 3 ? [] : ['GHSA-xxxx-yyyy-zzz' + k],
    package: v[5],
    version: v[6],
    ...(v[7] && { fixed_version: v[7] }),
    severity: v[1],
    severity_source: 'nvd',
    status: v[7] ? 'affected' : 'will_not_fix',
    scanner: k % 4 ? 'trivy' : 'grype',
    since: iso(NOW - (i.age ?? 0) - (k * 3 + 1) * DAY),
    cvss: v[2],
    vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H',
    epss: v[3],
    kev: v[4],
    title: v[9],
    url: v[0] === 'CVE-2024-0001' ? HOSTILE[2] : `https://nvd.example/vuln/${v[0]}`,
    ...(k === 5 && { exception: { id: 'exc-1', reason: 'Not reachable: sshd is not started', expires_at: iso(NOW + 5 * DAY) } }),
});
const has = (i, k) =>
    i.freshness !== 'never_scanned' &&
    (k === 12
        ? images.indexOf(i) % 40 === 0
        : parseInt(i.digest.slice(7 + k, 11 + k), 16) % 100 < i.counts.critical * 6 + i.counts.high * 1.5 &&
          (!VULNS[k][4] || i.counts.kev > 0));
const FILL = { critical: 9.4, high: 7.8, medium: 5.5, low: 3.1 },
    RANK = ['critical', 'high', 'medium', 'low'];
function findings_of(i) {
    /* the known ones it has, then others until its counts are met */
    const named = VULNS.map((v, k) => has(i, k) && finding(v, i, k)).filter(Boolean);
    const rest = RANK.flatMap(s =>
        Array.from({ length: Math.max(0, i.counts[s] - named.filter(f => f.severity === s).length) }, (_, k) =>
            finding(
                [
                    `CVE-${2019 + (k % 6)}-${20000 + k * 37}`,
                    s,
                    FILL[s],
                    0.0004 * (k + 1),
                    false,
                    `lib${'abcdefghij'[k % 10]}${k % 40}`,
                    `1.${k % 9}.${k % 4}-1`,
                    k % 3 ? `1.${k % 9}.${(k % 4) + 3}-1` : '',
                    'Debian:12',
                    'A flaw in a library',
                ],
                i,
                k + 20,
            ),
        ),
    );
    return [...named, ...rest].sort((a, b) => RANK.indexOf(a.severity) - RANK.indexOf(b.severity) || b.kev - a.kev || b.cvss - a.cvss);
}
const reasons_of = i =>
    i.freshness === 'never_scanned'
        ? []
        : [
              ...(i.freshness === 'stale_scan'
                  ? [
                        {
                            policy: 'fresh-scan',
                            rule: 'scan-age',
                            severity: 'medium',
                            effect: 'warn',
                            message: 'The newest scan is older than 7 days',
                            since: i.scanned_at,
                            remediation: 'Scan the image again and upload the report.',
                        },
                    ]
                  : []),
              ...findings_of(i)
                  .filter(f => f.kev || f.cvss > 9.3)
                  .slice(0, 9)
                  .map(f => ({
                      policy: 'no-known-exploited',
                      rule: f.kev ? 'kev' : 'critical-fixable',
                      severity: f.severity,
                      effect: f.kev || f.cvss > 9.5 ? 'fail' : 'warn',
                      message: `${f.vulnerability} in ${f.package} ${f.kev ? 'is exploited in the wild' : 'has had a fix for 30 days'}`,
                      finding: { vulnerability: f.vulnerability, package: f.package, version: f.version, fixed_version: f.fixed_version },
                      since: f.since,
                      ...(f.fixed_version && { remediation: `Update ${f.package} to ${f.fixed_version} and build again.` }),
                  })),
              ...(i.counts.secrets
                  ? [
                        {
                            policy: 'no-secrets',
                            rule: 'secret-in-layer',
                            severity: 'high',
                            effect: 'fail',
                            message: 'A private key is in the image',
                            where: '/app/config/' + HOSTILE[0],
                        },
                    ]
                  : []),
          ];
const brief = i => ({
    digest: i.digest,
    reference: i.reference,
    team: i.team,
    running: i.running,
    verdict: i.verdict,
    freshness: i.freshness,
});
const CLUSTERS = ['prod-eu', 'prod-us', 'staging'];
const places_of = i =>
    Array.from({ length: Math.min(3, i.running) }, (_, k) => ({
        cluster: CLUSTERS[k],
        namespace: i.team || 'misc',
        workload: i.repository.split('/').pop(),
        container: 'main',
        replicas: Math.max(1, Math.floor(i.running / (k + 1))),
    }));
const exceptions = Array.from({ length: 23 }, (_, n) => {
    const v = VULNS[n % VULNS.length],
        t = TEAMS[n % 7];
    return {
        id: `exc-${n}`,
        ...(n % 7 === 3 ? { rule: 'fresh-scan/scan-age' } : { vulnerability: v[0], package: n % 2 ? v[5] : undefined }),
        ...(n % 5 !== 4 && { repository: `registry.example/${t}/*` }),
        ...(n % 11 === 6 && { digest: images[n].digest }),
        reason:
            n === 4
                ? HOSTILE[1]
                : pick([
                      'Not reachable: the feature is off in our configuration',
                      'The vendor says not affected; see the ticket',
                      'Fix is planned with the next base image',
                      'Only used at build time',
                  ]),
        owner: pick(['mira', 'tomasz', 'ana', 'security']),
        source: n % 4 ? 'manual' : 'openvex',
        ...(n % 4 === 0 && { vex_status: 'not_affected', justification: 'vulnerable_code_not_in_execute_path' }),
        created_at: iso(NOW - (n + 3) * DAY),
        created_by: 'mira',
        expires_at: iso(NOW + (n < 17 ? n * 4 + 2 : -n) * DAY),
        ...(n > 20 && { revoked_at: iso(NOW - 2 * DAY) }),
        state: n > 20 ? 'revoked' : n < 17 ? 'active' : 'expired',
    };
});
const audit = Array.from({ length: 140 }, (_, k) => {
    const n = 140 - k;
    return {
        seq: n,
        at: iso(NOW - k * 2.7 * HOUR),
        actor: `usr_${n % 3}`,
        actor_name: ['mira', 'ci-payments', HOSTILE[0]][n % 3],
        role: ['admin', 'ci', 'analyst'][n % 3],
        from: '10.0.4.' + (n % 250),
        action: ['exception.create', 'scan', 'login'][n % 3],
        object_kind: ['exception', 'scan', 'session'][n % 3],
        object_id: n % 3 === 1 ? sha('scan' + n) : `obj-${n}`,
        ...(n % 3 === 0 && { after: { vulnerability: 'CVE-2024-6387', reason: HOSTILE[1] } }),
        request_id: sha('r' + n).slice(7, 23),
        leaf: sha('leaf' + n).slice(7),
    };
});

/* ---- answers ---- */
const list = (items, q, extra = {}) => {
    const limit = Math.min(500, Number(q.get('limit') ?? 50)),
        from = Number(Buffer.from(q.get('cursor') ?? '', 'base64url').toString() || 0);
    return {
        items: items.slice(from, from + limit),
        ...(from + limit < items.length && { next: Buffer.from(String(from + limit)).toString('base64url') }),
        ...extra,
    };
};
const yes = (q, k) => q.get(k) === 'true',
    is = (q, k, v) => !q.has(k) || q.get(k) === v;
const stale = i => ['stale_scan', 'stale_database', 'never_scanned'].includes(i.freshness);
const risk = i => i.counts.malware * 1e6 + i.counts.kev * 1e5 + i.counts.critical * 1e3 + i.counts.high * 10 + i.running;
const SORTS = {
    stale: (a, b) => (b.age ?? Infinity) - (a.age ?? Infinity) || 0,
    risk: (a, b) => risk(b) - risk(a),
    name: (a, b) => (a.reference < b.reference ? -1 : 1),
    recent: (a, b) => (a.last_seen_at < b.last_seen_at ? 1 : -1),
};
const sum = f => images.reduce((n, i) => n + f(i), 0),
    num = f => images.filter(f).length;
const AGES = [
    ['< 1 day', 0, 1],
    ['1-3 days', 1, 3],
    ['3-7 days', 3, 7],
    ['7-14 days', 7, 14],
    ['14-30 days', 14, 30],
    ['30-90 days', 30, 90],
    ['> 90 days', 90, Infinity],
];
function posture() {
    const freshness = Object.fromEntries(
        ['fresh', 'stale_scan', 'stale_database', 'never_scanned', 'unknown'].map(k => [k, num(i => i.freshness === k)]),
    );
    const counts = Object.fromEntries(Object.keys(images[0].counts).map(k => [k, sum(i => i.counts[k])]));
    const running = {
        images: num(i => i.running),
        failing: num(i => i.running && i.verdict === 'fail'),
        stale: num(i => i.running && stale(i)),
    };
    const active = exceptions.filter(x => x.state === 'active'),
        soon = active.filter(x => Date.parse(x.expires_at) < NOW + 7 * DAY).length;
    const actions = [
        ['kev', 'known exploited vulnerabilities are open', '/images?sort=risk', counts.kev],
        ['malware', 'malware was found', '/images?sort=risk', counts.malware],
        ['running_failing', 'running images fail policy', '/images?verdict=fail&running=true&sort=risk', running.failing],
        ['secrets', 'secrets are in images', '/images?sort=risk', counts.secrets],
        ['running_stale', 'running images are stale or were never scanned', '/images?stale=true&running=true', running.stale],
        ['never_scanned', 'images were never scanned', '/images?freshness=never_scanned', freshness.never_scanned],
        ['stale_scan', 'images have an old scan', '/images?freshness=stale_scan', freshness.stale_scan],
        ['unsigned', 'images are judged on unsigned evidence', '/images?unsigned=true', num(i => !i.signed && i.age)],
        ['exceptions_ending', 'exceptions end within 7 days', '/exceptions?expiring_within=7d', soon],
    ];
    return {
        at: iso(Date.now()),
        images: images.length,
        unsigned: num(i => !i.signed),
        verdicts: Object.fromEntries(['pass', 'warn', 'fail', 'unknown'].map(k => [k, num(i => i.verdict === k)])),
        freshness,
        counts,
        running,
        exceptions: { active: active.length, expiring_soon: soon, expired: 4 },
        scan_age: [
            ...AGES.map(([label, a, b]) => ({
                label,
                ...(b < Infinity && { max_days: b }),
                images: num(i => i.age !== null && i.age >= a * DAY && i.age < b * DAY),
            })),
            { label: 'never', images: freshness.never_scanned },
        ],
        teams: TEAMS.map(t => {
            const of = images.filter(i => (i.team ?? '') === t);
            return {
                team: t,
                images: of.length,
                failing: of.filter(i => i.verdict === 'fail').length,
                stale: of.filter(stale).length,
                critical: of.reduce((n, i) => n + i.counts.critical, 0),
                high: of.reduce((n, i) => n + i.counts.high, 0),
            };
        }),
        actions: actions.filter(a => a[3] > 0).map(([kind, text, link, count]) => ({ kind, text, count, link })),
        limits: { scan_max_age_ms: 7 * DAY, database_max_age_ms: 7 * DAY },
    };
}
function trend(q) {
    const p = posture().counts,
        days = Number(q.get('days') ?? 90);
    return {
        days: Array.from({ length: days }, (_, k) => {
            const back = days - 1 - k,
                wave = Math.sin(back / 9) * 0.08 + Math.sin(back / 2.3) * 0.03;
            return {
                day: iso(NOW - back * DAY).slice(0, 10),
                images: 300 - back,
                critical: Math.round(p.critical * (1 + back * 0.006 + wave + (back > 30 && back < 44 ? 0.25 : 0))),
                high: Math.round(p.high * (1 + back * 0.002 + wave)),
                medium: 0,
                low: 0,
                kev: p.kev + (back % 7),
            };
        }),
    };
}
const image_list = q => {
    const found = images
        .filter(
            i =>
                is(q, 'freshness', i.freshness) &&
                is(q, 'verdict', i.verdict) &&
                is(q, 'team', i.team) &&
                (!yes(q, 'stale') || stale(i)) &&
                (!yes(q, 'running') || i.running) &&
                (!yes(q, 'unsigned') || !i.signed) &&
                (!q.has('q') || i.repository.startsWith(q.get('q')) || i.digest.startsWith(q.get('q'))) &&
                (!q.has('age_min') || (i.age !== null && i.age >= q.get('age_min') * DAY)) &&
                (!q.has('age_max') || (i.age !== null && i.age < q.get('age_max') * DAY)) &&
                (!q.has('cve') || findings_of(i).some(f => f.vulnerability === q.get('cve'))),
        )
        .sort(SORTS[q.get('sort') ?? 'stale']);
    return list(found, q, { total: found.length });
};
const packages_of = i =>
    i.packages === 0
        ? []
        : VULNS.map(v => ({
              name: v[5],
              version: v[6],
              ecosystem: v[8],
              licences: 'MIT',
              path: v[8] === 'npm' ? '/app/node_modules/' + v[5] : undefined,
          }))
              .concat(
                  Array.from({ length: i.packages - VULNS.length }, (_, k) => ({
                      name: `lib${'abcdefghij'[k % 10]}${k}`,
                      version: `1.${k % 9}.${k % 4}-${(k % 3) + 1}`,
                      ecosystem: 'Debian:12',
                      source_name: `src${k % 20}`,
                      source_version: '1.0',
                      licences: pick(['GPL-2.0', 'MIT', 'BSD-3-Clause']),
                      ...(k % 60 === 9 && { not_evaluable: 'no version' }),
                  })),
              )
              .sort((a, b) => (a.name < b.name ? -1 : 1));
const holders = q =>
    images.flatMap(i =>
        findings_of(i)
            .filter(
                f =>
                    f.vulnerability === q.get('vulnerability') &&
                    (!yes(q, 'fixable') || f.fixed_version) &&
                    (!yes(q, 'running') || i.running),
            )
            .map(f => ({ image: brief(i), finding: f })),
    );
const vulnerabilities = q => ({
    items: VULNS.map((v, k) => {
        const who = images.filter(i => has(i, k));
        return {
            name: v[0],
            severity: v[1],
            cvss: v[2],
            epss: v[3],
            kev: v[4],
            title: v[9],
            images: who.length,
            running: who.filter(i => i.running).length,
            fixable: v[7] ? who.length : 0,
        };
    })
        .filter(v => (!q.has('q') || v.name.startsWith(q.get('q'))) && (!yes(q, 'kev') || v.kev) && is(q, 'severity', v.severity))
        .sort((a, b) => b.images - a.images),
});
const package_find = q => ({
    items: VULNS.filter(v => v[5] === q.get('name') || v[5].endsWith(':' + q.get('name')) || v[5].startsWith(q.get('name'))).map(v => {
        const who = images.filter(i => has(i, VULNS.indexOf(v)));
        return { name: v[5], version: v[6], ecosystem: v[8], images: who.length, image_list: who.slice(0, 20).map(brief) };
    }),
});
const issues_of = i => [
    ...(i.counts.secrets
        ? [
              {
                  kind: 'secret',
                  rule: 'private-key',
                  severity: 'high',
                  title: 'Private key',
                  message: '-----BEGIN ****',
                  file: '/app/config/' + HOSTILE[0],
                  line: 3,
                  scanner: 'trivy',
                  since: i.scanned_at,
              },
          ]
        : []),
    ...Array.from({ length: i.counts.misconfigurations }, (_, k) => ({
        kind: 'misconfiguration',
        rule: `DS00${k + 2}`,
        severity: 'medium',
        status: 'FAIL',
        title: 'The image runs as root',
        message: HOSTILE[4],
        resolution: 'Add USER to the Dockerfile',
        file: 'Dockerfile',
        line: k + 1,
        scanner: 'trivy',
        since: i.scanned_at,
    })),
];
const scans_of = d => {
    const i = images.find(x => x.digest === d);
    return !i || i.age === null
        ? []
        : [0, 6, 13].map((back, k) => ({
              id: sha(d + k).slice(7, 39),
              image: d,
              repository: i.repository,
              format: 'trivy-json',
              scanner: 'trivy',
              scanner_version: '0.58.1',
              db_version: '2',
              db_built_at: iso(NOW - i.age - back * DAY - 7 * HOUR),
              scanned_at: iso(NOW - i.age - back * DAY),
              received_at: iso(NOW - i.age - back * DAY + 4e4),
              ...(i.signed && { signer: { id: sha('key').slice(7), name: 'ci-release' } }),
              pipeline: k ? 'https://ci.example/run/' + k : HOSTILE[0],
              uploaded_by: 'ci-payments',
              has_inventory: true,
              has_findings: true,
              is_current: k === 0,
              packages: i.packages,
              evaluable: i.evaluable,
              findings: findings_of(i).length + k,
              issues: 0,
              unmapped: 0,
              evidence: sha('ev' + d + k).slice(7),
          }));
};

const more = nodes_api({ images, brief, sha, iso, list, is, yes, NOW, HOUR, DAY, HOSTILE });
const API = [
    ...more.get,
    [/^\/v1\/posture$/, posture],
    [/^\/v1\/posture\/trend$/, trend],
    [/^\/v1\/images$/, image_list],
    [/^\/v1\/findings$/, q => list(holders(q), q)],
    [/^\/v1\/vulnerabilities$/, vulnerabilities],
    [/^\/v1\/packages$/, package_find],
    [
        /^\/v1\/running$/,
        q =>
            list(
                images
                    .flatMap(i => places_of(i).map(p => ({ ...p, image: brief(i), seen_at: iso(NOW - below(600) * 1e3) })))
                    .filter(r => is(q, 'cluster', r.cluster) && is(q, 'namespace', r.namespace) && is(q, 'verdict', r.image.verdict)),
                q,
            ),
    ],
    [
        /^\/v1\/exceptions$/,
        q =>
            list(
                exceptions.filter(
                    x =>
                        is(q, 'state', x.state) &&
                        is(q, 'vulnerability', x.vulnerability) &&
                        is(q, 'owner', x.owner) &&
                        (!q.has('expiring_within') ||
                            (x.state === 'active' && Date.parse(x.expires_at) < NOW + parseInt(q.get('expiring_within'), 10) * DAY)),
                ),
                q,
            ),
    ],
    [
        /^\/v1\/exceptions\/([^/]+)$/,
        (q, id) => {
            const x = exceptions.find(e => e.id === id);
            return x && { ...x, applies_to: 14 };
        },
    ],
    [
        /^\/v1\/audit$/,
        q =>
            list(
                audit.filter(r => is(q, 'actor', r.actor) && is(q, 'action', r.action)),
                q,
            ),
    ],
    [/^\/v1\/scans$/, q => list(scans_of(q.get('image')), q)],
    [
        /^\/v1\/images\/([^/]+)$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i && {
                    ...i,
                    aliases: [
                        { digest: d, kind: 'subject' },
                        { digest: sha('idx' + d), kind: 'index' },
                    ],
                    tags: [i.tag, 'latest'],
                    places: places_of(i),
                    os: { family: BASES[d.charCodeAt(9) % 4][0], version: BASES[d.charCodeAt(9) % 4][1] },
                    arch: 'amd64',
                    base_image: BASES[d.charCodeAt(9) % 4][2],
                }
            );
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/verdict$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i && {
                    image: d,
                    decision: i.verdict,
                    decided_at: iso(Date.now()),
                    freshness: i.freshness,
                    policy_version: 12,
                    reasons: reasons_of(i),
                    missing: i.freshness === 'never_scanned' ? ['list of packages', 'scan', 'database build time'] : [],
                    unsigned: !i.signed && i.age !== null,
                    excepted: i.counts.excepted,
                    ...(i.freshness === 'fresh' && { valid_until: iso(NOW + 3 * DAY) }),
                }
            );
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/findings$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i &&
                list(
                    findings_of(i).filter(
                        f => is(q, 'severity', f.severity) && (!yes(q, 'fixable') || f.fixed_version) && (!yes(q, 'open') || !f.exception),
                    ),
                    q,
                )
            );
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/packages$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i &&
                list(
                    packages_of(i).filter(p => !q.has('q') || p.name.startsWith(q.get('q'))),
                    q,
                )
            );
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/issues$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return i && { items: issues_of(i) };
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/verdicts$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i && {
                    items: [
                        { at: i.verdict_since, decision: i.verdict, cause: 'scan', reasons: reasons_of(i) },
                        { at: i.first_seen_at, decision: 'pass', cause: 'scan', reasons: [] },
                    ],
                }
            );
        },
    ],
    [
        /^\/v1\/images\/([^/]+)\/changes$/,
        (q, d) => {
            const i = images.find(x => x.digest === d);
            return (
                i && {
                    items: findings_of(i).map(f => ({
                        at: f.since,
                        vulnerability: f.vulnerability,
                        package: f.package,
                        change: 'opened',
                        cause: 'new_scan',
                        detail: '',
                        scanner: f.scanner,
                    })),
                }
            );
        },
    ],
];

const CSRF = 'mock-csrf',
    LINK = 'keep_lnk_mock';
const user = { id: 'usr_0', name: 'mira', role: 'admin' };
let used = false;
function send(res, status, body, type = 'application/json', more = {}) {
    const text = body === null ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    res.writeHead(status, {
        ...ALWAYS,
        ...more,
        ...(body !== null && { 'Content-Type': type }),
        'Content-Length': Buffer.byteLength(text),
        'Cache-Control': 'no-store',
    }).end(text);
}
const problem = (res, status, title, detail, errors) =>
    send(
        res,
        status,
        { type: 'about:blank', title, status, detail, request_id: sha(String(Math.random())).slice(7, 23), ...(errors && { errors }) },
        'application/problem+json',
    );
const page = (res, file) => {
    try {
        const type = TYPES[extname(file)];
        send(
            res,
            200,
            readFileSync(join(WEB, file)),
            type,
            type.startsWith('text/html') ? PAGE : { 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" },
        );
    } catch {
        problem(res, 404, 'Not found', 'nothing is here');
    }
};

function api(req, res, path, q, body) {
    const known = (req.headers.cookie ?? '').includes('keep_session=mock');
    if (path === '/v1/login') {
        if ((used && !process.env.KEEP_MOCK_REUSE) || JSON.parse(body).link !== LINK)
            return problem(res, 401, 'Unauthorized', 'the login link is not valid, was used already or has expired');
        used = true;
        return send(res, 200, { user, csrf: CSRF }, 'application/json', {
            'Set-Cookie': 'keep_session=mock; Path=/; HttpOnly; SameSite=Strict',
        });
    }
    if (!known) return problem(res, 401, 'Unauthorized', 'nobody is logged in');
    if (req.method !== 'GET' && req.headers['x-keep-csrf'] !== CSRF) return problem(res, 403, 'Forbidden', 'X-Keep-CSRF is missing');
    if (path === '/v1/session')
        return req.method === 'DELETE'
            ? send(res, 204, null, '', { 'Set-Cookie': 'keep_session=; Path=/; Max-Age=0' })
            : send(res, 200, { user, csrf: CSRF, expires_at: iso(NOW + 8 * HOUR) });
    if (path.startsWith('/v1/evidence/')) return send(res, 200, '{"SchemaVersion":2}');
    if (req.method === 'POST' && path === '/v1/exceptions') {
        const x = JSON.parse(body);
        if (!x.vulnerability && !x.rule)
            return problem(res, 422, 'Unprocessable', 'an exception accepts a vulnerability or a rule', [
                { path: '$.vulnerability', detail: 'this or $.rule must be given' },
            ]);
        const made = {
            id: `exc-new-${exceptions.length}`,
            source: 'manual',
            created_at: iso(Date.now()),
            created_by: user.name,
            expires_at: iso(Date.now() + parseInt(x.expires_in, 10) * DAY),
            state: 'active',
            ...x,
        };
        exceptions.unshift(made);
        return send(res, 201, made);
    }
    const made = req.method === 'POST' && more.post(path, JSON.parse(body));
    if (made) return send(res, 200, made);
    if (req.method === 'DELETE') {
        const x = exceptions.find(e => path.endsWith('/' + e.id));
        if (!x) return problem(res, 404, 'Not found', 'no such exception');
        Object.assign(x, { state: 'revoked', revoked_at: iso(Date.now()) });
        return send(res, 204, null);
    }
    for (const [pattern, run] of API) {
        const m = path.match(pattern);
        if (m) {
            const out = run(q, m[1]);
            return out ? send(res, 200, out) : problem(res, 404, 'Not found', `no image has the digest ${m[1]}; see: keepctl image list`);
        }
    }
    return problem(res, 404, 'Not found', 'nothing is here');
}

const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://x');
    const path = decodeURIComponent(pathname),
        parts = [];
    req.on('data', d => parts.push(d)).on('end', () => {
        if (path.startsWith('/v1/')) return api(req, res, path, searchParams, Buffer.concat(parts).toString());
        return page(res, ROOMS.test(path) ? 'index.html' : normalize(path).replace(/^(\.\.\/)+/, ''));
    });
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
    const base = `http://127.0.0.1:${server.address().port}`;
    console.log(`${base}\n${base}/login#${LINK}`);
});
