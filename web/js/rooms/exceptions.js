/* exceptions.js - what was accepted, by whom, until when. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Dialog, Empty, Failure, Page, Tag, Time } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { may, post, remove, session, url, useData } from '../api.js';
import { useHere } from '../router.js';
import { digest_short, relative, words } from '../format.js';

const STATES = [
    ['active', 'active'],
    ['expired', 'expired'],
    ['revoked', 'revoked'],
];
const filters = [
    { name: 'vulnerability', kind: 'text', label: 'Vulnerability', hint: 'CVE-…' },
    { name: 'owner', kind: 'text', label: 'Owner', hint: 'any' },
    { name: 'state', kind: 'choice', label: 'State', options: STATES },
    {
        name: 'expiring_within',
        kind: 'choice',
        label: 'Ends within',
        options: [
            ['7d', '7 days'],
            ['30d', '30 days'],
        ],
    },
    { name: 'rule', label: 'Rule' },
];

/* ---- making one ---- */

/* name, label, hint, what it must be */
const FORM = [
    ['vulnerability', 'Vulnerability', 'CVE-2024-…', { class: 'half' }],
    ['rule', 'or rule', 'policy/rule', { class: 'half' }],
    ['repository', 'Repository', 'all, or registry/team/*', { class: 'half' }],
    ['package', 'Package', 'all, or name@version', { class: 'half' }],
    ['digest', 'Only this image', 'sha256:…', { class: 'half' }],
    ['namespace', 'Only in namespace', 'all', { class: 'half' }],
    ['owner', 'Owner: who answers for it', '', { class: 'half', required: true }],
];
const LASTS = [
    ['7d', '7 days'],
    ['14d', '14 days'],
    ['30d', '30 days'],
    ['90d', '90 days'],
    ['180d', '180 days'],
];

/* given: values to start from; fixed ones are not asked for again. */
export function NewException({ given, onClose, onDone }) {
    const [error, fail] = useState(null),
        [busy, work] = useState(false);
    const submit = async e => {
        e.preventDefault();
        const body = {};
        for (const [k, v] of new FormData(e.target)) if (v.trim() !== '') body[k] = v.trim();
        work(true);
        try {
            onDone(await post('/v1/exceptions', body));
        } catch (problem) {
            fail(problem);
            work(false);
        }
    };
    return html`<${Dialog} title="Accept a risk for a time" onClose=${onClose}>
        <form class="form" onSubmit=${submit}>
            <p class="quiet">It is recorded with your name, shows in every verdict it changes, and ends by itself.</p>
            ${FORM.map(
                ([name, label, hint, more]) => html`<label key=${name} class=${`field ${more.class}`}><span>${label}</span>
                <input name=${name} defaultValue=${given?.[name] ?? (name === 'owner' ? session.user.name : '')} placeholder=${hint}
                    required=${more.required} autocomplete="off" spellcheck="false" /></label>`,
            )}
            <label class="field half"><span>Ends after</span>
                <select name="expires_in">${LASTS.map(([v, text]) => html`<option key=${v} value=${v} selected=${v === '30d'}>${text}</option>`)}</select></label>
            <label class="field"><span>Reason: why is this acceptable until then?</span>
                <textarea name="reason" rows="3" required minlength="10" maxlength="2000"></textarea></label>
            ${error && html`<${Failure} error=${error} />`}
            <p class="form-foot"><button type="button" onClick=${onClose}>Cancel</button>
                <button class="primary" disabled=${busy}>Accept until then</button></p>
        </form><//>`;
}

function Revoke({ of: x, onClose, onDone }) {
    const [error, fail] = useState(null);
    const detail = useData(`/v1/exceptions/${encodeURIComponent(x.id)}`);
    const yes = () => remove(`/v1/exceptions/${encodeURIComponent(x.id)}`).then(onDone, fail);
    return html`<${Dialog} title="Revoke this exception?" onClose=${onClose} narrow>
        <p><b>${x.vulnerability || x.rule}</b>: ${x.reason}</p>
        <p>${detail.data ? html`It covers <b>${detail.data.applies_to}</b> image${detail.data.applies_to === 1 ? '' : 's'} now. They` : 'Images it covers'} are judged again at once and may fail.</p>
        ${error && html`<${Failure} error=${error} />`}
        <p class="form-foot"><button type="button" onClick=${onClose}>Keep it</button>
            <button type="button" class="danger" onClick=${yes}>Revoke</button></p><//>`;
}

/* ---- the list ---- */

const SOON = 7 * 864e5;
const Scope = ({ of: x }) => {
    const parts = [
        x.repository && html`<code>${x.repository}</code>`,
        x.digest && html`<a href=${`/images/${x.digest}`}>image ${digest_short(x.digest)}</a>`,
        x.package && html`package <code>${x.package}</code>`,
        x.namespace && html`namespace <code>${x.namespace}</code>`,
    ].filter(Boolean);
    return parts.length === 0
        ? html`<${Tag} kind="warn">everywhere<//>`
        : html`<ul class="names">${parts.map((p, i) => html`<li key=${i}>${p}</li>`)}</ul>`;
};

const Ends = ({ of: x }) => {
    const soon = x.state === 'active' && Date.parse(x.expires_at) - Date.now() < SOON;
    return html`<${Time} at=${x.state === 'revoked' ? x.revoked_at : x.expires_at} />
        ${x.state !== 'active' ? html`<span class="under">${x.state}</span>` : soon && html`<span class="under"><${Tag} kind="warn">ends soon<//>
        </span>`}`;
};

const Accepted = ({ of: x }) => html`
    ${x.vulnerability
        ? html`<a class="name" href=${url('/findings', { vulnerability: x.vulnerability })}>${x.vulnerability}</a>`
        : html`<span class="name">${x.rule}</span>`}
    <span class="under">${x.source === 'openvex' ? `OpenVEX: ${words(x.vex_status)}` : 'made here'}</span>`;

const columns = on_revoke => [
    {
        key: 'what',
        title: 'Accepted',
        cell: x =>
            html`<${Accepted} of=${x} />`,
    },
    { key: 'scope', title: 'Where', cell: x => html`<${Scope} of=${x} />` },
    { key: 'reason', title: 'Reason', class: 'reason', hide: 's', cell: x => x.reason },
    { key: 'owner', title: 'Owner', hide: 'm', cell: x => html`${x.owner}<span class="under">made <${Time} at=${x.created_at} /></span>` },
    { key: 'ends', title: 'Ends', cell: x => html`<${Ends} of=${x} />` },
    ...(may('accept')
        ? [
              {
                  key: 'act',
                  title: html`<span class="sr">Actions</span>`,
                  cell: x =>
                      x.state === 'active' &&
                      html`<button type="button" onClick=${() => on_revoke(x)}>Revoke<span class="sr"> exception for ${x.vulnerability || x.rule}</span></button>`,
              },
          ]
        : []),
];

const no_match = () => html`<${Empty} title="No exception matches"><p><a href="/exceptions">Show all exceptions</a></p><//>`;
const no_exception = () => html`<${Empty} title="Nothing was accepted so far">
    <${Command}>keepctl exception create --vulnerability CVE-2024-0001 --owner you --expires-in 30d --reason '…'<//><//>`;

export function Exceptions() {
    const { query } = useHere();
    const list = useData(url('/v1/exceptions', { ...Object.fromEntries(query), limit: 50 }));
    const [open, show] = useState(null);
    const [said, say] = useState('');
    const done = text => {
        show(null);
        say(text);
        list.reload();
    };
    const fresh = html`<button type="button" class="primary" onClick=${() => show('new')}>New exception</button>`;
    const made = x => done(`Accepted ${x.vulnerability || x.rule}; it ends ${relative(x.expires_at)}.`);
    const revoked = () => done(`Revoked the exception for ${open.vulnerability || open.rule}.`);
    const close = () => show(null);
    return html`<${Page} title="Exceptions" lead="Risks somebody accepted, each with an owner, a reason and an end." aside=${may('accept') && fresh}>
        <p class=${said ? 'notice' : 'sr'} role="status">${said && html`<${Icon} name="tick" /> `}${said}</p>
        <${Filters} fields=${filters} label="Exceptions" />
        <${Listing} from=${list} what="exception" label="Exceptions" columns=${columns(show)} id=${x => x.id} size=${50}
            none=${query.size > 0 ? no_match() : no_exception()} />
        ${open === 'new' && html`<${NewException} given=${Object.fromEntries(query)} onClose=${close} onDone=${made} />`}
        ${open && open !== 'new' && html`<${Revoke} of=${open} onClose=${close} onDone=${revoked} />`}
    <//>`;
}
