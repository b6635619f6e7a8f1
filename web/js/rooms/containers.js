/* containers.js - containers one by one, as the agents of their nodes see them. */
import { html } from '../ui.js';
import { Command, Empty, Freshness, Page, Tag, Time, Verdict, words } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { useHere } from '../router.js';
import { ImageName, VERDICTS } from './images.js';

const SANDBOXES = [
    ['none', 'none'],
    ['any', 'any sandbox'],
    ['gvisor', 'gVisor'],
    ['kata', 'Kata Containers'],
    ['firecracker', 'Firecracker'],
];

const fields = [
    { name: 'q', kind: 'text', label: 'Container', hint: 'begins with …', says: v => `begins with ${v}` },
    { name: 'verdict', kind: 'choice', label: 'Verdict', options: VERDICTS },
    { name: 'sandbox', kind: 'choice', label: 'Sandbox', options: SANDBOXES },
    { name: 'policy', kind: 'text', label: 'Breaks policy', hint: 'name' },
    { name: 'cve', kind: 'text', label: 'Vulnerability', hint: 'CVE-…' },
    { name: 'stale', kind: 'flag', label: 'stale', says: () => 'stale by either clock' },
    { name: 'privileged', kind: 'flag', label: 'privileged', says: () => 'privileged' },
    { name: 'cluster', label: 'Cluster' },
    { name: 'namespace', label: 'Namespace' },
    { name: 'node', label: 'Node' },
    { name: 'image', label: 'Image', says: v => v.slice(0, 19) },
    { name: 'package', label: 'Package' },
];

const Reasons = ({ of: c }) =>
    (c.reasons ?? []).slice(0, 3).map((r, i) => html`<span key=${i} class="under"><code>${r.policy}</code> ${r.message}</span>`);

/* A node's own words, or what Keep knows the image as. */
const Image = ({ of: c }) =>
    c.image
        ? html`<${ImageName} of=${c.image} brief />${c.image_by === 'tag' && html`<span class="under">by its tag, which may have moved</span>`}`
        : html`<span class="name">${c.reference || 'not known'}</span><span class="under"><${Tag} kind="warn">unknown image<//></span>`;

export const container_columns = [
    {
        key: 'name',
        title: 'Container',
        cell: c => html`<span class="name">${c.workload || c.pod || c.name || c.id.slice(0, 12)}</span>
            <span class="under"><code>${c.id.slice(0, 12)}</code> ${c.workload && c.name}</span>`,
    },
    {
        key: 'where',
        title: 'Where',
        hide: 's',
        cell: c => html`<a href=${`/nodes/${c.node_id}`}>${c.node}</a>
            <span class="under">${[c.cluster, c.namespace].filter(Boolean).join(' / ')}${c.node_state !== 'enrolled' && html` <${Tag} kind="warn">node ${c.node_state}<//>`}</span>`,
    },
    { key: 'image', title: 'Image', cell: c => html`<${Image} of=${c} />` },
    { key: 'scan', title: 'Scan', cell: c => html`<${Freshness} is=${c.image?.freshness ?? 'unknown'} />` },
    { key: 'verdict', title: 'May run', cell: c => html`<${Verdict} is=${c.verdict} /><${Reasons} of=${c} />` },
    {
        key: 'walls',
        title: 'Walls',
        hide: 'm',
        cell: c => html`${c.sandbox ? html`<${Tag} kind="calm">${c.sandbox}<//>` : html`<span class="quiet">no sandbox</span>`}
            ${c.privileged && html`<span class="under"><${Tag} kind="alarm">privileged<//></span>`}`,
    },
    {
        key: 'since',
        title: 'Started',
        hide: 'm',
        cell: c => html`<${Time} at=${c.started_at} /><span class="under">${words(c.engine)}</span>`,
    },
];

const no_match = () => html`<${Empty} title="No container matches"><p><a href="/containers">Show every container</a></p><//>`;
const no_node = () => html`<${Empty} title="No agent has reported containers yet"><p>An agent on each node does. A node joins with:</p>
    <${Command}>keepctl node invite prod<//><//>`;

export const container_id = c => `${c.node_id} ${c.id}`;

export function Containers() {
    const { query } = useHere();
    const list = useData(url('/v1/containers', { ...Object.fromEntries(query), limit: 50 }));
    return html`<${Page} title="Containers" lead="Each container that runs, as the agent of its node sees it, judged by the policies of the run stage.">
        <${Filters} fields=${fields} label="Containers" />
        <${Listing} from=${list} what="container" label="Containers" columns=${container_columns} id=${container_id} size=${50}
            none=${query.size > 0 ? no_match() : no_node()} />
    <//>`;
}
