/* running.js - what runs where, and whether it should. */
import { html } from '../ui.js';
import { Command, Empty, Freshness, Page, Time, Verdict, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { useHere } from '../router.js';
import { ImageName, VERDICTS } from './images.js';

const fields = [
    { name: 'cluster', kind: 'text', label: 'Cluster', hint: 'any' },
    { name: 'namespace', kind: 'text', label: 'Namespace', hint: 'any' },
    { name: 'verdict', kind: 'choice', label: 'Verdict', options: VERDICTS },
    { name: 'stale', kind: 'flag', label: 'stale', says: () => 'stale by either clock' },
    { name: 'image', label: 'Image', says: v => v.slice(0, 19) },
];

const columns = [
    {
        key: 'workload',
        title: 'Workload',
        cell: r => html`<span class="name">${r.workload}</span><span class="under">${r.container}</span>`,
    },
    { key: 'where', title: 'Where', cell: r => html`${r.cluster}<span class="under">${r.namespace}</span>` },
    { key: 'image', title: 'Image', cell: r => html`<${ImageName} of=${r.image} brief />` },
    { key: 'verdict', title: 'Verdict', cell: r => html`<${Verdict} is=${r.image.verdict} />` },
    { key: 'fresh', title: 'Scan', cell: r => html`<${Freshness} is=${r.image.freshness} />` },
    { key: 'replicas', title: 'Replicas', num: true, hide: 's', cell: r => number(r.replicas) },
    { key: 'seen', title: 'Reported', hide: 'm', cell: r => html`<${Time} at=${r.seen_at} />` },
];

const no_match = () => html`<${Empty} title="Nothing that runs matches"><p><a href="/running">Show everything that runs</a></p><//>`;
const no_report = () => html`<${Empty} title="No cluster has reported yet">
    <p>Whatever can list containers may report them:</p>
    <${Command}>kubectl get pods -A -o json | keepctl running report - --cluster prod<//><//>`;

export function Running() {
    const { query } = useHere();
    const list = useData(url('/v1/running', { ...Object.fromEntries(query), limit: 100 }));
    return html`<${Page} title="Running" lead="Workloads as the clusters and the agents of their nodes last reported them."
            aside=${html`<a class="button" href="/containers">Container by container</a>`}>
        <${Filters} fields=${fields} label="Running containers" />
        <${Listing} from=${list} what="container" label="Running containers" columns=${columns} size=${100} none=${query.size > 0 ? no_match() : no_report()} />
    <//>`;
}
