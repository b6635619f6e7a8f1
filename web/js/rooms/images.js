/* images.js - every image, the stalest first. */
import { html } from '../ui.js';
import { Command, Counts, Digest, Empty, Freshness, Page, Tag, Time, Verdict, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { useHere } from '../router.js';

export const VERDICTS = [
    ['fail', 'fail'],
    ['warn', 'warn'],
    ['unknown', 'unknown'],
    ['pass', 'pass'],
];
export const FRESHNESS = [
    ['stale_scan', 'old scan'],
    ['stale_database', 'old database'],
    ['never_scanned', 'never scanned'],
    ['unknown', 'age unknown'],
    ['fresh', 'fresh'],
];

const fields = teams => [
    { name: 'q', kind: 'text', label: 'Repository', hint: 'begins with …', says: v => `begins with ${v}` },
    { name: 'verdict', kind: 'choice', label: 'Verdict', options: VERDICTS },
    { name: 'freshness', kind: 'choice', label: 'Scan', options: FRESHNESS },
    { name: 'team', kind: 'choice', label: 'Team', options: teams.map(t => [t, t]) },
    { name: 'package', kind: 'text', label: 'Package', hint: 'openssl' },
    { name: 'cve', kind: 'text', label: 'Vulnerability', hint: 'CVE-…' },
    { name: 'running', kind: 'flag', label: 'running', says: () => 'running' },
    { name: 'stale', kind: 'flag', label: 'stale', says: () => 'stale by either clock' },
    { name: 'unsigned', kind: 'flag', label: 'unsigned', says: () => 'on unsigned evidence' },
    { name: 'repository', label: 'Pattern' },
    { name: 'cluster', label: 'Cluster' },
    { name: 'age_min', label: 'Scan', says: v => `scan at least ${v} d old` },
    { name: 'age_max', label: 'Scan', says: v => `scan under ${v} d old` },
];

export const ImageName = ({
    of: i,
    brief,
}) => html`<a class="name" href=${`/images/${i.digest}`}>${i.reference || i.repository || i.digest.slice(0, 19)}</a>
    ${!brief && html`<span class="under"><${Digest} is=${i.digest} of=${i.reference} />
        ${!i.signed && i.freshness !== 'never_scanned' && html`<${Tag} kind="plain" title="Rests on evidence that nobody signed">unsigned<//>`}</span>`}`;

const columns = [
    { key: 'image', title: 'Image', sort: 'name', says: 'sort by name', order: 'ascending', cell: i => html`<${ImageName} of=${i} />` },
    { key: 'verdict', title: 'Verdict', cell: i => html`<${Verdict} is=${i.verdict} />` },
    {
        key: 'scan',
        title: 'Newest scan',
        sort: 'stale',
        says: 'sort the oldest scan first',
        cell: i =>
            html`<${Freshness} is=${i.freshness} />${i.freshness !== 'never_scanned' && html`<span class="under"><${Time} at=${i.scanned_at} />
                </span>`}`,
    },
    {
        key: 'findings',
        title: 'Open findings',
        sort: 'risk',
        says: 'sort the highest risk first',
        cell: i =>
            html`<${Counts} of=${i.counts} unknown=${i.freshness === 'never_scanned'} />${
                (i.counts.kev > 0 || i.counts.malware > 0 || i.counts.secrets > 0) &&
                html`<span class="under">
        ${i.counts.kev > 0 && html`<${Tag} kind="alarm" title="On the list of known exploited vulnerabilities">${number(i.counts.kev)} exploited<//>`}
        ${i.counts.malware > 0 && html`<${Tag} kind="alarm">${number(i.counts.malware)} malware<//>`}
        ${i.counts.secrets > 0 && html`<${Tag} kind="warn">${number(i.counts.secrets)} secret${i.counts.secrets === 1 ? '' : 's'}<//>`}</span>`
            }`,
    },
    {
        key: 'fixable',
        title: 'Fixable',
        num: true,
        hide: 'm',
        cell: i => (i.counts.fixable > 0 ? number(i.counts.fixable) : html`<span class="quiet">–</span>`),
    },
    {
        key: 'running',
        title: 'Running',
        num: true,
        hide: 's',
        cell: i => (i.running > 0 ? number(i.running) : html`<span class="quiet">–</span>`),
    },
    { key: 'team', title: 'Team', hide: 'm', cell: i => i.team || html`<span class="quiet">–</span>` },
    {
        key: 'seen',
        title: 'Last seen',
        sort: 'recent',
        says: 'sort the last seen first',
        hide: 'm',
        cell: i => html`<${Time} at=${i.last_seen_at} />`,
    },
];

const no_match = () => html`<${Empty} title="No image matches these filters"><p><a href="/images">Show all images</a></p><//>`;
const no_image = () => html`<${Empty} title="No image is known yet"><${Command}>keepctl scan upload scan.json --image alpine:3.20 --key ci.key<//><//>`;

export function Images() {
    const { query } = useHere();
    const posture = useData('/v1/posture');
    const list = useData(url('/v1/images', { ...Object.fromEntries(query), limit: 50 }));
    const teams = (posture.data?.teams ?? []).map(t => t.team).filter(Boolean);
    const filtered = [...query.keys()].some(k => k !== 'sort' && k !== 'cursor');
    return html`<${Page} title="Images" lead="One row per image digest. The oldest scans come first: what nobody looked at is what nobody knows.">
        <${Filters} fields=${fields(teams)} label="Images" />
        <${Listing} from=${list} what="image" label="Images" columns=${columns} id=${i => i.digest} sorted=${query.get('sort') ?? 'stale'} size=${50}
            none=${filtered ? no_match() : no_image()} />
    <//>`;
}
