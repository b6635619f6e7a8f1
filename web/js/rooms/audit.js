/* audit.js - who changed what.  Newest first; records are never edited. */
import { html } from '../ui.js';
import { Command, Copy, Empty, Page, Time, words } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { digest_short } from '../format.js';
import { useHere } from '../router.js';

const fields = [
    { name: 'actor', kind: 'text', label: 'Actor', hint: 'id' },
    { name: 'action', kind: 'text', label: 'Action', hint: 'login' },
    { name: 'kind', kind: 'text', label: 'Kind of thing', hint: 'exception' },
    { name: 'object', label: 'Object' },
    { name: 'before', label: 'Before' },
];

const Change = ({ of: r }) =>
    (r.before ?? r.after ?? null) === null
        ? html`<span class="quiet">–</span>`
        : html`<details class="change"><summary>show</summary>
            ${['before', 'after'].filter(k => (r[k] ?? null) !== null).map(k => html`<p key=${k}>${k}</p>
            <pre tabindex="0">${JSON.stringify(r[k], null, 2)}</pre>`)}</details>`;

const columns = [
    { key: 'seq', title: '#', num: true, cell: r => r.seq },
    { key: 'at', title: 'When', cell: r => html`<${Time} at=${r.at} />` },
    {
        key: 'who',
        title: 'Who',
        cell: r =>
            html`<a class="name" href=${url('/audit', { actor: r.actor })}>${r.actor_name || r.actor}</a>
                <span class="under">${r.role}${r.from && ` · ${r.from}`}</span>`,
    },
    { key: 'what', title: 'What', cell: r => html`<span class="name">${words(r.action)}</span>` },
    {
        key: 'object',
        title: 'To what',
        cell: r => html`<span>${words(r.object_kind)}</span><span class="under clip"><code>${r.object_id}</code></span>`,
    },
    { key: 'change', title: 'Change', cell: r => html`<${Change} of=${r} />` },
    {
        key: 'leaf',
        title: 'Leaf hash',
        hide: 'm',
        cell: r =>
            html`<span class="digest"><code>${digest_short(r.leaf)}</code><${Copy} text=${r.leaf} what=${`leaf hash of record ${r.seq}`} /></span>`,
    },
];

const none = () => html`<${Empty} title="No record matches"><p><a href="/audit">Show all records</a></p><${Command}>keepctl audit list<//><//>`;

export function Audit() {
    const { query } = useHere();
    const list = useData(url('/v1/audit', { ...Object.fromEntries(query), limit: 50 }));
    return html`<${Page} title="Audit" lead="Every change, with who made it. The records form a hash tree: none can be altered unseen.">
        <${Filters} fields=${fields} label="Audit records" />
        <${Listing} from=${list} what="record" label="Audit records" columns=${columns} id=${r => r.seq} size=${50} none=${none()} />
    <//>`;
}
