/* findings.js - who has this vulnerability, and which ones are the most common. */
import { html } from '../ui.js';
import { Command, Empty, Outside, Page, Severity, Tag, Time, Verdict, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { percent } from '../format.js';
import { useHere } from '../router.js';
import { ImageName } from './images.js';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'].map(s => [s, s]);

const who_has = [
    { name: 'vulnerability', kind: 'text', label: 'Vulnerability', hint: 'CVE-…' },
    { name: 'team', kind: 'text', label: 'Team', hint: 'any' },
    { name: 'running', kind: 'flag', label: 'running', says: () => 'running' },
    { name: 'fixable', kind: 'flag', label: 'with a fix', says: () => 'with a fix' },
];
const which = [
    { name: 'vulnerability', kind: 'text', label: 'Who has …', hint: 'CVE-…' },
    { name: 'q', kind: 'text', label: 'Name begins with', hint: 'CVE-2024' },
    { name: 'severity', kind: 'choice', label: 'Severity', options: SEVERITIES },
    { name: 'kev', kind: 'flag', label: 'known exploited', says: () => 'known exploited' },
];

export const Risk = ({ of: f }) =>
    html`${f.kev && html`<${Tag} kind="alarm" title="On the list of known exploited vulnerabilities">exploited<//>`}`;
export const cvss = f => (f.cvss > 0 ? f.cvss.toFixed(1) : html`<span class="quiet">–</span>`);
export const epss = f => (f.epss > 0 ? percent(f.epss) : html`<span class="quiet">–</span>`);
export const Fix = ({ from, to }) =>
    html`<span class="fix"><code>${from ?? ''}</code>${to ? html`<span aria-hidden="true"> → </span><span class="sr"> fixed in </span>
        <code class="fixed">${to}</code>` : html`<span class="quiet"> no fix</span>`}</span>`;

const holder_columns = [
    {
        key: 'image',
        title: 'Image',
        cell: h =>
            html`<${ImageName} of=${h.image} brief /><span class="under">${h.image.team || html`<span class="quiet">no team</span>`}</span>`,
    },
    { key: 'verdict', title: 'Verdict', hide: 's', cell: h => html`<${Verdict} is=${h.image.verdict ?? 'unknown'} />` },
    { key: 'severity', title: 'Severity', cell: h => html`<${Severity} level=${h.finding.severity} />` },
    {
        key: 'package',
        title: 'Package',
        cell: h =>
            html`<span class="name">${h.finding.package}</span>
                <span class="under"><${Fix} from=${h.finding.version} to=${h.finding.fixed_version} /></span>`,
    },
    {
        key: 'running',
        title: 'Running',
        num: true,
        cell: h => (h.image.running > 0 ? number(h.image.running) : html`<span class="quiet">–</span>`),
    },
    { key: 'since', title: 'Since', hide: 'm', cell: h => html`<${Time} at=${h.finding.since} />` },
    {
        key: 'state',
        title: 'State',
        hide: 'm',
        cell: h =>
            h.finding.exception
                ? html`<${Tag} kind="calm" title=${h.finding.exception.reason}>excepted<//>`
                : h.finding.suppressed
                  ? html`<${Tag} kind="plain" title=${h.finding.suppressed}>suppressed<//>`
                  : 'open',
    },
];

const nobody = name => html`<${Empty} title=${`No scanned image has ${name}`}>
    <p>That holds for the images Keep knows and for the databases their scanners had.
        ${' '}<a href="/images?stale=true">Images whose scan is stale</a> may have it.</p><//>`;

function Holders({ query }) {
    const name = query.get('vulnerability');
    const list = useData(url('/v1/findings', { ...Object.fromEntries(query), limit: 100 }));
    const f = list.data?.items[0]?.finding;
    const lead = f && html`<${Severity} level=${f.severity} /> <${Risk} of=${f} /> ${f.title} ${f.url && html`<${Outside} href=${f.url}>more<//>`}`;
    return html`<${Page} title=${`Who has ${name}?`} lead=${lead} aside=${html`<a href="/findings">All vulnerabilities</a>`}>
        <${Filters} fields=${who_has} label="Images with a vulnerability" />
        <${Listing} from=${list} what="result" label=${`Images with ${name}`} columns=${holder_columns} size=${100} none=${nobody(name)} />
    <//>`;
}

const columns = [
    {
        key: 'name',
        title: 'Vulnerability',
        cell: v =>
            html`<a class="name" href=${url('/findings', { vulnerability: v.name })}>${v.name}</a>
                ${v.kev && html` <${Risk} of=${v} />`}<span class="under clip">${v.title}</span>`,
    },
    { key: 'severity', title: 'Severity', cell: v => html`<${Severity} level=${v.severity} />` },
    { key: 'cvss', title: 'CVSS', num: true, hide: 's', cell: cvss },
    { key: 'epss', title: 'EPSS', num: true, hide: 's', cell: epss },
    { key: 'images', title: 'Images', num: true, cell: v => number(v.images) },
    {
        key: 'running',
        title: 'Running',
        num: true,
        cell: v =>
            v.running > 0
                ? html`<a href=${url('/findings', { vulnerability: v.name, running: 'true' })}>${number(v.running)}</a>`
                : html`<span class="quiet">–</span>`,
    },
    { key: 'fixable', title: 'With a fix', num: true, hide: 's', cell: v => number(v.fixable) },
];

const MOST = 100;
const no_match = () => html`<${Empty} title="No vulnerability matches"><p><a href="/findings">Show all</a></p><//>`;
const no_finding = () => html`<${Empty} title="Nothing was found so far">
    <p>Findings come with scans:</p><${Command}>keepctl scan upload scan.json --image alpine:3.20 --key ci.key<//><//>`;

function Vulnerabilities({ query }) {
    const list = useData(
        url('/v1/vulnerabilities', { q: query.get('q'), kev: query.get('kev'), severity: query.get('severity'), limit: MOST }),
    );
    return html`<${Page} title="Findings" lead="Vulnerabilities by how many images have them. Open one to see who.">
        <${Filters} fields=${which} label="Vulnerabilities" />
        <${Listing} from=${list} label="Vulnerabilities" columns=${columns} id=${v => v.name} none=${query.size > 0 ? no_match() : no_finding()}
            note=${l => l.items.length === MOST && html`<p class="pager quiet">The ${MOST} most common. Narrow it down above.</p>`} />
    <//>`;
}

export function Findings() {
    const { query } = useHere();
    return query.get('vulnerability') ? html`<${Holders} query=${query} />` : html`<${Vulnerabilities} query=${query} />`;
}
