/* image_tabs.js - the lists of one image: findings, packages, issues, scans, places, history. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Empty, Outside, Severity, Tag, Time, Verdict, number, words } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing, Table } from '../table.js';
import { may, url, useData } from '../api.js';
import { digest_short, shell } from '../format.js';
import { useHere } from '../router.js';
import { cvss, epss, Fix, Risk, SEVERITIES } from './findings.js';
import { NewException } from './exceptions.js';

/* key, title, how many (when the image itself says) */
export const TABS = [
    ['findings', 'Findings', i => i.counts.critical + i.counts.high + i.counts.medium + i.counts.low + i.counts.other],
    ['packages', 'Packages', i => i.packages],
    ['issues', 'Issues', i => i.counts.misconfigurations + i.counts.secrets + i.counts.malware],
    ['scans', 'Scans and evidence'],
    ['places', 'Where it runs', i => i.places?.length],
    ['history', 'History'],
];

/* A list of this image: asks, waits, shows the table or says why there is none. */
function List({ path, label, columns, id, what, filters, none, paged = true }) {
    const { query } = useHere();
    const asked = Object.fromEntries((filters ?? []).map(f => [f.name, query.get(f.name)]));
    const list = useData(url(path, { ...asked, cursor: query.get('cursor'), limit: paged ? 50 : null }));
    return html`${filters && html`<${Filters} fields=${filters} label=${label} />`}
        <${Listing} from=${list} what=${what} label=${label} columns=${columns} id=${id} size=${paged ? 50 : null} none=${none} bare />`;
}

/* ---- findings ---- */

const finding_filters = [
    { name: 'severity', kind: 'choice', label: 'Severity', options: SEVERITIES },
    { name: 'fixable', kind: 'flag', label: 'with a fix', says: () => 'with a fix' },
    { name: 'open', kind: 'flag', label: 'open only', says: () => 'open only' },
];

/* "fixed" is the scanner's word for "there is a fix": the finding is open all the same. */
const PLAIN = ['affected', 'fixed', 'unknown', undefined, ''];
const State = ({ of: f }) =>
    f.exception
        ? html`<${Tag} kind="calm" title=${f.exception.reason}>excepted<//><span class="under">ends <${Time} at=${f.exception.expires_at} /></span>`
        : f.suppressed
          ? html`<${Tag} title=${f.suppressed}>suppressed<//>`
          : html`open${!PLAIN.includes(f.status) && html`<span class="under">${words(f.status)}</span>`}`;

const finding_columns = accept => [
    {
        key: 'name',
        title: 'Vulnerability',
        cell: f =>
            html`<a class="name" href=${url('/findings', { vulnerability: f.vulnerability })}>${f.vulnerability}</a> <${Risk} of=${f} />
                <span class="under line"><span class="clip">${f.title}</span>
                ${f.url && html`<${Outside} href=${f.url}><span class="sr">more about ${f.vulnerability}</span><//>`}</span>`,
    },
    { key: 'severity', title: 'Severity', cell: f => html`<${Severity} level=${f.severity} />` },
    { key: 'cvss', title: 'CVSS', num: true, hide: 's', cell: f => html`<span title=${f.vector}>${cvss(f)}</span>` },
    { key: 'epss', title: 'EPSS', num: true, hide: 'm', cell: epss },
    {
        key: 'package',
        title: 'Package',
        cell: f =>
            html`<span class="name">${f.package}</span><span class="under"><${Fix} from=${f.version} to=${f.fixed_version} /></span>`,
    },
    { key: 'since', title: 'Since', hide: 'm', cell: f => html`<${Time} at=${f.since} /><span class="under">${f.scanner}</span>` },
    { key: 'state', title: 'State', hide: 's', cell: f => html`<${State} of=${f} />` },
    ...(accept
        ? [
              {
                  key: 'act',
                  title: html`<span class="sr">Actions</span>`,
                  hide: 's',
                  cell: f =>
                      !f.exception &&
                      !f.suppressed &&
                      html`<button type="button" onClick=${() => accept(f)}>Accept<span class="sr"> ${f.vulnerability} in ${f.package}</span>
                          </button>`,
              },
          ]
        : []),
];

const upload = image => html`<${Command}>${`keepctl scan upload scan.json --image ${shell(image.reference)} --key ci.key`}<//>`;
const no_finding = image =>
    image.freshness === 'never_scanned'
        ? html`<${Empty} title="It was never scanned">${upload(image)}<//>`
        : html`<${Empty} title="No finding"><p>None matches, or the scanners found none.</p><//>`;

function Findings({ image, changed }) {
    const [finding, accept] = useState(null);
    const [turn, again] = useState(0);
    const close = () => accept(null);
    const done = () => {
        close();
        again(turn + 1);
        changed();
    };
    const given = finding && { vulnerability: finding.vulnerability, repository: image.repository, package: finding.package };
    return html`<${List} key=${turn} path=${`/v1/images/${image.digest}/findings`} label="Findings" what="finding" filters=${finding_filters}
            columns=${finding_columns(may('accept') ? accept : null)} none=${no_finding(image)} />
        ${given && html`<${NewException} given=${given} onClose=${close} onDone=${done} />`}`;
}

/* ---- packages ---- */

const package_columns = [
    {
        key: 'name',
        title: 'Package',
        cell: p =>
            html`<a class="name" href=${url('/packages', { name: p.name })}>${p.name}</a>
                ${p.source_name && p.source_name !== p.name && html`<span class="under">from ${p.source_name} ${p.source_version}</span>`}`,
    },
    { key: 'version', title: 'Version', cell: p => html`<code>${p.version}</code>` },
    { key: 'ecosystem', title: 'Ecosystem', cell: p => p.ecosystem },
    { key: 'path', title: 'Found in', hide: 's', cell: p => p.path && html`<code class="clip">${p.path}</code>` },
    { key: 'licence', title: 'Licences', hide: 'm', cell: p => p.licences },
    {
        key: 'match',
        title: 'Matched',
        hide: 'm',
        cell: p => (p.not_evaluable ? html`<${Tag} kind="warn" title=${p.not_evaluable}>no: ${p.not_evaluable}<//>` : 'yes'),
    },
];

const package_filters = [{ name: 'q', kind: 'text', label: 'Name', hint: 'begins with …', says: v => `begins with ${v}` }];

const no_package = image => html`<${Empty} title="No package"><p>None matches, or no report listed the packages of this image.</p>
    <${Command}>${`trivy image --format json --list-all-pkgs -o scan.json ${shell(image.reference)}`}<//><//>`;

function Packages({ image }) {
    return html`<${List} path=${`/v1/images/${image.digest}/packages`} label="Packages" what="package" columns=${package_columns}
        filters=${package_filters} none=${no_package(image)} />`;
}

/* ---- issues ---- */

const issue_columns = [
    {
        key: 'rule',
        title: 'What',
        cell: i => html`<span class="name">${i.title || i.rule}</span><span class="under">${words(i.kind)} · ${i.rule}</span>`,
    },
    { key: 'severity', title: 'Severity', cell: i => html`<${Severity} level=${i.severity} />` },
    { key: 'where', title: 'Where', cell: i => i.file && html`<code class="clip">${i.file}${i.line ? `:${i.line}` : ''}</code>` },
    {
        key: 'message',
        title: 'Details',
        class: 'reason',
        hide: 's',
        cell: i => html`${i.message}${i.resolution && html`<span class="under">To do: ${i.resolution}</span>`}`,
    },
    { key: 'since', title: 'Since', hide: 'm', cell: i => html`<${Time} at=${i.since} /><span class="under">${i.scanner}</span>` },
];
const Issues = ({
    image,
}) => html`<${List} path=${`/v1/images/${image.digest}/issues`} label="Issues" what="issue" columns=${issue_columns} paged=${false}
    none=${html`<${Empty} title="No issue"><p>No secret, malware, bad configuration or unwanted licence was reported.</p><//>`} />`;

/* ---- scans and their evidence ---- */

const scan_columns = [
    {
        key: 'scanner',
        title: 'Scanner',
        cell: s => html`<span class="name">${s.scanner} ${s.scanner_version}</span><span class="under">${s.format}</span>`,
    },
    {
        key: 'at',
        title: 'Scanned',
        cell: s =>
            html`<${Time} at=${s.scanned_at} none="not said" />
                <span class="under">${s.is_current ? html`<${Tag} kind="calm">current<//>` : 'replaced'}</span>`,
    },
    {
        key: 'db',
        title: 'Database',
        hide: 's',
        cell: s => html`<${Time} at=${s.db_built_at} none="not said" /><span class="under">${s.db_version}</span>`,
    },
    {
        key: 'signer',
        title: 'Signed by',
        cell: s =>
            s.signer
                ? html`<span class="name">${s.signer.name}</span><span class="under"><code>${s.signer.id.slice(0, 12)}</code></span>`
                : html`<${Tag} kind="warn">nobody<//>`,
    },
    { key: 'found', title: 'Findings', num: true, hide: 's', cell: s => number(s.findings) },
    {
        key: 'from',
        title: 'Uploaded',
        hide: 'm',
        cell: s => html`<${Time} at=${s.received_at} /><span class="under clip">${s.uploaded_by}${s.pipeline && ` · ${s.pipeline}`}</span>`,
    },
    {
        key: 'evidence',
        title: 'Evidence',
        cell: s =>
            html`<a class="button" href=${`/v1/evidence/${encodeURIComponent(s.evidence)}`} download=${`evidence-${digest_short(s.evidence)}.json`}>
                <${Icon} name="download" /> Download<span class="sr"> evidence of ${s.scanner}, the exact bytes</span></a>`,
    },
];
function Scans({ image }) {
    return html`<${List} path=${`/v1/scans?image=${image.digest}`} label="Scans" what="scan" columns=${scan_columns} id=${x => x.id}
        none=${html`<${Empty} title="It was never scanned">${upload(image)}<//>`} />`;
}

/* ---- where it runs ---- */

const place_columns = [
    { key: 'workload', title: 'Workload', cell: p => html`<span class="name">${p.workload}</span>` },
    { key: 'container', title: 'Container', cell: p => p.container },
    { key: 'cluster', title: 'Cluster', cell: p => html`<a href=${url('/running', { cluster: p.cluster })}>${p.cluster}</a>` },
    { key: 'namespace', title: 'Namespace', cell: p => p.namespace },
    { key: 'replicas', title: 'Replicas', num: true, cell: p => number(p.replicas) },
];
const Places = ({ image }) =>
    image.places?.length > 0
        ? html`<${Table} label="Where it runs" columns=${place_columns} rows=${image.places} />`
        : html`<${Empty} title="No cluster reports that it runs"><p>Clusters report what they run:</p>
            <${Command}>kubectl get pods -A -o json | keepctl running report - --cluster prod<//><//>`;

/* ---- history ---- */

const verdict_columns = [
    { key: 'at', title: 'When', cell: v => html`<${Time} at=${v.at} />` },
    { key: 'decision', title: 'Verdict', cell: v => html`<${Verdict} is=${v.decision} />` },
    { key: 'cause', title: 'Changed by', cell: v => words(v.cause) },
    { key: 'why', title: 'Reasons', num: true, cell: v => number(v.reasons?.length ?? 0) },
];
const change_columns = [
    { key: 'at', title: 'When', cell: c => html`<${Time} at=${c.at} />` },
    {
        key: 'what',
        title: 'Vulnerability',
        cell: c =>
            html`<a class="name" href=${url('/findings', { vulnerability: c.vulnerability })}>${c.vulnerability}</a>
                <span class="under">${c.package}</span>`,
    },
    { key: 'change', title: 'Change', cell: c => html`${words(c.change)}${c.detail && html`<span class="under">${c.detail}</span>`}` },
    { key: 'cause', title: 'Cause', hide: 's', cell: c => words(c.cause) },
    { key: 'scanner', title: 'Scanner', hide: 's', cell: c => c.scanner },
];
const History = ({
    image,
}) => html`<h3 class="inset">Verdicts</h3>
    <${List} path=${`/v1/images/${image.digest}/verdicts`} label="Verdicts" what="verdict" columns=${verdict_columns} paged=${false} none=${html`<${Empty} title="It was not judged yet" />`} />
    <h3 class="inset">Findings that came and went</h3>
        <${List} path=${`/v1/images/${image.digest}/changes`} label="Changes of findings" what="change" columns=${change_columns} none=${html`<${Empty} title="No change so far" />`} />`;

const LISTS = { findings: Findings, packages: Packages, issues: Issues, scans: Scans, places: Places, history: History };
export const Tab = ({ at, image, changed }) => html`<${LISTS[at]} image=${image} changed=${changed} />`;
