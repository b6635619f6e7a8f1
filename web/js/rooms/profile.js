/* profile.js - one profile: declared, observed and enforced side by side, and the way to the next mode. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Dialog, Empty, Facts, Failure, Page, Panel, Ready, Tag, Time, number, words } from '../parts.js';
import { Table } from '../table.js';
import { may, post, url, useData } from '../api.js';
import { count, digest_short, shell } from '../format.js';
import { Mode } from './profiles.js';

const CELLS = { yes: ['pass', 'yes'], no: ['fail', 'no'], 'not covered': ['unknown', 'not covered'] };
const Cell = ({ is, calm }) => {
    const [icon, text] = CELLS[is] ?? CELLS['not covered'];
    return is === 'no' && calm ? html`<span class="quiet">–</span>` : html`<span class="mark"><${Icon} name=${icon} size=${12} />${text}</span>`;
};

const diff_columns = [
    {
        key: 'item',
        title: 'What',
        cell: r => html`<code>${r.item}</code>${r.parent && html`<span class="under">started by <code>${r.parent}</code></span>`}
            ${r.doubts?.length > 0 && html`<span class="under"><${Tag} kind="warn" title="Why it is not learned by itself">${r.doubts.join(', ')}<//></span>`}`,
    },
    { key: 'part', title: 'Part', hide: 's', cell: r => words(r.part) },
    { key: 'declared', title: 'Declared', cell: r => html`<${Cell} is=${r.declared} />` },
    {
        key: 'observed',
        title: 'Observed',
        cell: r => html`<${Cell} is=${r.observed} calm />${r.count > 0 && html`<span class="under">${count(r.count, 'time')}, <${Time} at=${r.last_at} /></span>`}`,
    },
    { key: 'enforced', title: 'Enforced', cell: r => html`<${Cell} is=${r.enforced} />` },
    { key: 'note', title: 'Note', hide: 'm', class: 'reason', cell: r => r.note },
];

const Checks = ({ of: p }) => html`<ul class="reasons">${p.checks.map(
    c => html`<li key=${c.rule} class="reason-row"><${Icon} name=${c.met ? 'pass' : 'fail'} size=${14} />
        <div><p>${c.text}</p></div></li>`,
)}</ul>`;

/* ---- what people do ---- */

function Approve({ of: p, onClose, onDone }) {
    const [error, fail] = useState(null);
    const from = [p.declared && 'declared', p.learned && 'learned', p.declared && p.learned && 'both'].filter(Boolean);
    const submit = e => {
        e.preventDefault();
        const f = new FormData(e.target);
        const source = f.get('source');
        const version = source === 'both' ? undefined : p[source].version;
        post(`/v1/profiles/${p.id}/approve`, { source, version, reason: f.get('reason').trim() || undefined }).then(onDone, fail);
    };
    return html`<${Dialog} title="Enforce what is declared or learned" onClose=${onClose} narrow>
        <form class="form" onSubmit=${submit}>
            <p class="quiet">It becomes the profile in force for this image, in its present mode, on every node, with the next bundle.</p>
            <label class="field"><span>Take over</span><select name="source">${from.map(s => html`<option key=${s} value=${s}>
                ${s === 'both' ? 'both together' : `${s}, version ${p[s].version}`}</option>`)}</select></label>
            <label class="field"><span>Reason</span><textarea name="reason" rows="2" maxlength="2000"></textarea></label>
            ${error && html`<${Failure} error=${error} />`}
            <p class="form-foot"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">Enforce it</button></p>
        </form><//>`;
}

function Promote({ of: p, onClose, onDone }) {
    const [error, fail] = useState(null);
    const to = p.promotion.to,
        force = !p.promotion.ready;
    const submit = e => {
        e.preventDefault();
        const reason = e.target.elements.reason.value.trim();
        post(`/v1/profiles/${p.id}/mode`, { mode: to, ...(force && { force }), ...(reason && { reason }) }).then(onDone, fail);
    };
    return html`<${Dialog} title=${`From ${p.promotion.from} to ${to}`} onClose=${onClose}>
        <form class="form" onSubmit=${submit}>
            <p>${to === 'protect' ? 'What departs from the profile will be denied where the node can do that.' : 'What departs from the profile will raise alerts.'}</p>
            <${Checks} of=${p.promotion} />
            ${force && html`<p class="notice"><${Icon} name="warn" /> The evidence is not there yet. You may go on; your reason is recorded.</p>`}
            <label class="field"><span>Reason</span><textarea name="reason" rows="2" required=${force} minlength=${force ? 10 : null} maxlength="2000"></textarea></label>
            ${error && html`<${Failure} error=${error} />`}
            <p class="form-foot"><button type="button" onClick=${onClose}>Cancel</button>
                <button class=${force ? 'danger' : 'primary'}>${force ? 'Go on all the same' : 'Promote'}</button></p>
        </form><//>`;
}

const made = v => v && html`version ${number(v.version)}, <${Time} at=${v.created_at} /> by ${v.created_by}
    ${v.signer ? html` <${Tag} kind="calm">signed<//>` : v.source === 'declared' && html` <${Tag} kind="warn">not signed<//>`}`;

const facts = p => [
    ['Mode', html`<${Mode} is=${p.mode} />`],
    ['For', p.digest ? html`only <a href=${`/images/${p.digest}`}><code>${digest_short(p.digest)}</code></a>` : 'every image of the repository'],
    ['Declared', made(p.declared) ?? 'not yet'],
    ['Learned', made(p.learned) ?? 'not yet'],
    ['Enforced', made(p.enforced) ?? 'nothing: somebody has to approve it'],
    ['Seen', count(p.observed ?? 0, 'different thing')],
    ['In doubt', p.doubted > 0 && html`<${Tag} kind="warn">${number(p.doubted)}<//>`],
    ['Not covered', p.not_covered?.length > 0 && p.not_covered.join(', ')],
].map(r => (r[1] === false ? [r[0], null] : r));

function Found({ profile: p, reload }) {
    const diff = useData(`/v1/profiles/${p.id}/diff`);
    const [asking, ask] = useState(null);
    const [said, say] = useState('');
    const done = text => () => {
        ask(null);
        say(text);
        reload();
        diff.reload();
    };
    const close = () => ask(null);
    const image = p.digest ? `${p.repository}@${p.digest}` : p.repository;
    const acts = may('profile') && html`${(p.declared || p.learned) && html`<button type="button" onClick=${() => ask('approve')}>Enforce …</button> `}
        ${p.promotion && html`<button type="button" class="primary" onClick=${() => ask('promote')}>To ${p.promotion.to} …</button>`}`;
    return html`<${Page} title=${p.repository} lead="Declared, observed and enforced, item by item." aside=${acts}>
        <p class=${said ? 'notice' : 'sr'} role="status">${said && html`<${Icon} name="tick" /> `}${said}</p>
        <div class="grid image-grid">
            <${Panel} id="facts" title="The profile"><${Facts} rows=${facts(p)} /><//>
            <${Panel} id="next" title=${p.promotion ? `The way to ${p.promotion.to}` : 'The way on'}>${
                p.promotion ? html`<${Checks} of=${p.promotion} />` : html`<${Empty} title=${p.enforced ? 'It is in the last mode' : 'First it has to be approved'} />`
            }<//>
        </div>
        <${Panel} id="diff" title="Item by item" wide aside=${html`<a href=${url('/alerts', { image: p.repository })}>Alerts about it</a>`}>
            <${Ready} from=${diff} what="Comparing">${d =>
                d.rows.length > 0
                    ? html`<${Table} label="Items of the profile" columns=${diff_columns} rows=${d.rows} id=${r => `${r.part} ${r.item} ${r.parent ?? ''}`} />`
                    : html`<${Empty} title="Nothing is declared and nothing was seen" />`}<//><//>
        <${Panel} id="other" title="For other tools" wide><p class="inset quiet">The same profile as NetworkPolicy, CiliumNetworkPolicy, AuthorizationPolicy, Falco rules, TracingPolicy, seccomp or AppArmor:</p>
            <p class="inset"><${Command}>${`keepctl profile generate --as networkpolicy ${shell(image)}`}<//></p><//>
        ${asking === 'approve' && html`<${Approve} of=${p} onClose=${close} onDone=${done('It is in force with the next bundle.')} />`}
        ${asking === 'promote' && html`<${Promote} of=${p} onClose=${close} onDone=${done(`Its mode is ${p.promotion.to} now.`)} />`}
    <//>`;
}

export function Profile({ id }) {
    const profile = useData(`/v1/profiles/${id}`);
    if (!profile.data) return html`<${Page} title="Profile"><${Ready} from=${profile} what="Loading the profile" /><//>`;
    return html`<${Ready} from=${profile}>${p => html`<${Found} key=${p.id} profile=${p} reload=${profile.reload} />`}<//>`;
}
