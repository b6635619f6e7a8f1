/* node.js - one node: what is in force, what is lost, what runs. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Dialog, Empty, Facts, Failure, Page, Panel, Ready, Tag, Time, number, words } from '../parts.js';
import { Listing, Table } from '../table.js';
import { may, remove, url, useData } from '../api.js';
import { count, span } from '../format.js';
import { Labels, NodeState } from './nodes.js';
import { container_columns, container_id } from './containers.js';

const bytes = n => (n < 1 << 20 ? `${Math.round(n / 1024)} KiB` : `${Math.round(n / (1 << 20))} MiB`);
const skew = ms => (ms === undefined ? null : Math.abs(ms) < 1000 ? 'in step' : `${span(ms)} ${ms > 0 ? 'ahead' : 'behind'}`);

const who = n => [
    ['State', html`<${NodeState} is=${n.state} />`],
    ['Cluster', n.cluster],
    ['Labels', Object.keys(n.labels ?? {}).length > 0 && html`<${Labels} of=${n.labels} />`],
    ['Key', html`<code>${n.fingerprint?.slice(0, 16)}</code>`],
    ['Joined', html`<${Time} at=${n.enrolled_at} none="invited, has not proved its key" />`],
    ['Last seen', html`<${Time} at=${n.last_seen_at} none="never" />${n.last_from && html` <span class="quiet">from ${n.last_from}</span>`}`],
    ['Clock', skew(n.clock_skew_ms)],
    ['Machine', [n.kernel, n.arch].filter(Boolean).join(' ')],
    ['Revoked', n.revoked_at && html`<${Time} at=${n.revoked_at} /> by ${n.revoked_by}`],
].map(r => (r[1] === false ? [r[0], null] : r));

const agent = n => {
    const s = n.status ?? {};
    return [
        ['Version', n.agent_version],
        ['Bundle', n.bundle_version > 0 ? html`version ${number(n.bundle_version)}, applied <${Time} at=${n.bundle_applied_at} />` : 'none: nothing is in force'],
        ['Bundle signed', s.bundle_age_s >= 0 && n.bundle_version > 0 ? `${span(s.bundle_age_s * 1000)} before the report` : null],
        ['Why no newer', s.bundle_problem],
        ['Waiting on disk', s.spool_events !== undefined && `${count(s.spool_events, 'event')}, ${bytes(s.spool_bytes ?? 0)}`],
        ['Memory', s.rss_kib > 0 && bytes(s.rss_kib * 1024)],
        ['Processor', s.cpu_ms > 0 && s.started_at && `${span(s.cpu_ms)} since it started`],
        ['Events taken', `${number(n.events)}, up to number ${number(n.through_seq)}`],
        ['Batches refused', n.batches_refused > 0 && html`<${Tag} kind="warn">${number(n.batches_refused)}<//>`],
        ['Reported', html`<${Time} at=${n.status_at} none="not yet" />`],
    ].map(r => (r[1] === false ? [r[0], null] : r));
};

const RUNGS = {
    lsm: 'Programs outside of the profile are denied by the kernel (BPF-LSM).',
    sigkill: 'Programs outside of the profile are killed before their first instruction.',
    fanotify: 'Programs outside of the profile are denied when they are opened to run (fanotify).',
    none: 'Nothing is prevented on this node; departures are reported.',
};

function Walls({ of: w }) {
    if (!w) return html`<${Empty} title="The agent has not said what it can enforce" />`;
    return html`<p class="inset"><b>${w.rung}</b>: ${RUNGS[w.rung] ?? 'what the agent calls its way to enforce.'}</p>
        <${Facts} rows=${[
            ['Profiles in force', number(w.profiles)],
            ['Lease', w.lease_s > 0 && `holds ${span(w.lease_s * 1000)} without the agent`],
            ['Own events lost', w.drops > 0 ? html`<${Tag} kind="warn">${number(w.drops)}<//>` : 'none'],
            ...(w.reasons ?? []).map(r => [words(r.rung), r.why]),
        ].map(r => (r[1] === false ? [r[0], null] : r))} />`;
}

const source_columns = [
    { key: 'name', title: 'Source', cell: s => s.name },
    { key: 'state', title: 'State', cell: s => html`${s.state}${s.problem && html`<span class="under">${s.problem}</span>`}` },
    { key: 'events', title: 'Events', num: true, cell: s => number(s.events) },
];
const drop_columns = [
    { key: 'class', title: 'Events', cell: d => d.class },
    { key: 'reason', title: 'Why they are missing', cell: d => words(d.reason) },
    { key: 'count', title: 'How many', num: true, cell: d => number(d.count) },
    { key: 'last', title: 'Last', cell: d => html`<${Time} at=${d.last_at} />` },
];

function Revoke({ of: n, onClose, onDone }) {
    const [error, fail] = useState(null);
    const yes = () => remove(`/v1/nodes/${n.id}`).then(onDone, fail);
    return html`<${Dialog} title="Revoke this node?" onClose=${onClose} narrow>
        <p><b>${n.name}</b> is refused from then on, for ever. It goes on enforcing the bundle it has. To come back it has to join again.</p>
        ${error && html`<${Failure} error=${error} />`}
        <p class="form-foot"><button type="button" onClick=${onClose}>Keep it</button><button type="button" class="danger" onClick=${yes}>Revoke</button></p><//>`;
}

function Found({ node: n, reload }) {
    const containers = useData(url('/v1/containers', { node: n.id, limit: 50 }));
    const [asking, ask] = useState(false);
    const done = () => {
        ask(false);
        reload();
    };
    return html`<${Page} title=${n.name} lead=${html`<code>${n.id}</code>`}
            aside=${may('admin') && n.state !== 'revoked' && html`<button type="button" class="danger" onClick=${() => ask(true)}>Revoke</button>`}>
        ${n.problem && html`<p class="notice" role="status"><${Icon} name="warn" /> ${n.problem}</p>`}
        <div class="grid image-grid">
            <${Panel} id="agent" title="The agent"><${Facts} rows=${agent(n)} /><//>
            <${Panel} id="who" title="The node"><${Facts} rows=${who(n)} /><//>
            <${Panel} id="walls" title="Walls"><${Walls} of=${n.status?.walls} /><//>
            <${Panel} id="sources" title="Where events come from">${
                n.status?.sources?.length > 0
                    ? html`<${Table} label="Sources" columns=${source_columns} rows=${n.status.sources} />`
                    : html`<${Empty} title="No source is set up" />`
            }<//>
        </div>
        ${n.drops?.length > 0 && html`<${Panel} id="drops" title="Events that are missing" wide><${Table} label="Missing events" columns=${drop_columns} rows=${n.drops} /><//>`}
        <${Panel} id="containers" title="Containers" wide aside=${html`<a href=${url('/containers', { node: n.id })}>All of them</a>`}>
            <${Listing} from=${containers} what="container" label="Containers of this node" columns=${container_columns.filter(c => c.key !== 'where')} id=${container_id} bare
                none=${html`<${Empty} title="No container runs there" />`} /><//>
        ${asking && html`<${Revoke} of=${n} onClose=${() => ask(false)} onDone=${done} />`}
    <//>`;
}

export function Node({ id }) {
    const node = useData(`/v1/nodes/${id}`);
    if (!node.data) return html`<${Page} title="Node"><${Ready} from=${node} what="Loading the node" /><//>`;
    return html`<${Ready} from=${node}>${n => html`<${Found} key=${n.id} node=${n} reload=${node.reload} />`}<//>`;
}
