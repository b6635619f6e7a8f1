/* nodes.js - the machines that run containers, and whether their agents are well. */
import { html } from '../ui.js';
import { Command, Empty, Page, Tag, Time, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { useHere } from '../router.js';

const STATES = [
    ['enrolled', 'enrolled'],
    ['silent', 'silent'],
    ['invited', 'invited'],
    ['revoked', 'revoked'],
];
const KINDS = { enrolled: 'calm', silent: 'warn', invited: 'plain', revoked: 'alarm' };
export const NodeState = ({ is }) => html`<${Tag} kind=${KINDS[is] ?? 'plain'}>${is}<//>`;

const fields = [
    { name: 'q', kind: 'text', label: 'Node', hint: 'begins with …', says: v => `begins with ${v}` },
    { name: 'cluster', kind: 'text', label: 'Cluster', hint: 'any' },
    { name: 'state', kind: 'choice', label: 'State', options: STATES },
    { name: 'problem', kind: 'flag', label: 'not well', says: () => 'not well' },
    { name: 'bundle_version', label: 'Bundle' },
];

export const Labels = ({ of: l }) =>
    Object.entries(l ?? {}).map(([k, v]) => html`<${Tag} key=${k}>${v === '' ? k : `${k}=${v}`}<//> `);

const columns = [
    {
        key: 'name',
        title: 'Node',
        cell: n => html`<a class="name" href=${`/nodes/${n.id}`}>${n.name}</a><span class="under"><${Labels} of=${n.labels} /></span>`,
    },
    { key: 'cluster', title: 'Cluster', hide: 's', cell: n => n.cluster },
    {
        key: 'state',
        title: 'State',
        cell: n => html`<${NodeState} is=${n.state} />${n.problem && html`<span class="under">${n.problem}</span>`}`,
    },
    {
        key: 'bundle',
        title: 'Bundle',
        num: true,
        cell: n =>
            n.bundle_version > 0
                ? html`${number(n.bundle_version)}<span class="under"><${Time} at=${n.bundle_applied_at} /></span>`
                : html`<${Tag} kind="warn">none<//>`,
    },
    {
        key: 'containers',
        title: 'Containers',
        num: true,
        hide: 's',
        cell: n => (n.containers > 0 ? html`<a href=${url('/containers', { node: n.id })}>${number(n.containers)}</a>` : html`<span class="quiet">–</span>`),
    },
    {
        key: 'events',
        title: 'Events',
        num: true,
        hide: 'm',
        cell: n => html`${number(n.events)}${n.events_dropped > 0 && html`<span class="under"><${Tag} kind="warn">${number(n.events_dropped)} lost<//></span>`}`,
    },
    { key: 'agent', title: 'Agent', hide: 'm', cell: n => html`${n.agent_version}<span class="under">${n.kernel}</span>` },
    { key: 'seen', title: 'Last seen', cell: n => html`<${Time} at=${n.last_seen_at} none="never" />` },
];

const no_match = () => html`<${Empty} title="No node matches"><p><a href="/nodes">Show all nodes</a></p><//>`;
const no_node = () => html`<${Empty} title="No node has joined yet"><p>This prints the command to type on the node:</p>
    <${Command}>keepctl node invite prod --uses 10<//><//>`;

export function Nodes() {
    const { query } = useHere();
    const list = useData(url('/v1/nodes', { ...Object.fromEntries(query), limit: 50 }));
    return html`<${Page} title="Nodes" lead="Machines with an agent: what is in force there, what they run, and what they could not tell.">
        <${Filters} fields=${fields} label="Nodes" />
        <${Listing} from=${list} what="node" label="Nodes" columns=${columns} id=${n => n.id} size=${50} none=${query.size > 0 ? no_match() : no_node()} />
    <//>`;
}
