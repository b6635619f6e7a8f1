/* alerts.js - what departed from what was expected, the newest first. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Dialog, Empty, Failure, Page, Tag, Time, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { may, post, url, useData } from '../api.js';
import { digest_short } from '../format.js';
import { useHere } from '../router.js';

export const STATES = [
    ['open', 'open'],
    ['acknowledged', 'acknowledged'],
    ['resolved', 'resolved'],
];
/* syslog's words -> the four shapes of severity that everything here is drawn with */
const LOOKS = {
    emergency: 'critical',
    alert: 'critical',
    critical: 'critical',
    error: 'high',
    warning: 'medium',
    notice: 'low',
    info: 'negligible',
    debug: 'negligible',
};
const GRAVE = ['critical', 'error', 'warning', 'notice'].map(w => [w, `${w} and graver`]);
const KINDS = { drift: 'profile', policy: 'policy', foreign: 'other sensor', node: 'node' };

export const Grave = ({ is }) => html`<span class=${`mark sev-${LOOKS[is] ?? 'unknown'}`}><${Icon} name=${LOOKS[is] ?? 'unknown'} />${is}</span>`;
export const State = ({ is }) => html`<${Tag} kind=${is === 'open' ? 'alarm' : is === 'acknowledged' ? 'warn' : 'calm'}>${is}<//>`;
export const place = a => [a.cluster, a.namespace, a.workload].filter(Boolean).join(' / ');

const fields = [
    { name: 'state', kind: 'choice', label: 'State', options: STATES },
    { name: 'severity', kind: 'choice', label: 'Severity', options: GRAVE },
    { name: 'rule', kind: 'text', label: 'Rule', hint: 'drift/*' },
    { name: 'cluster', kind: 'text', label: 'Cluster', hint: 'any' },
    { name: 'namespace', kind: 'text', label: 'Namespace', hint: 'any' },
    { name: 'image', kind: 'text', label: 'Image', hint: 'repository or digest' },
    { name: 'q', kind: 'text', label: 'Text', hint: 'any' },
];

/* ---- answering one ---- */

const SAYS = {
    acknowledged: ['Acknowledge this alert?', 'It stays on the list, with your name: somebody looks at it.', 'Acknowledge'],
    resolved: ['Resolve this alert?', 'It leaves the list. If it happens again, it opens again, as a new episode.', 'Resolve'],
    open: ['Open this alert again?', 'It is on the list again.', 'Open'],
};

export function Answer({ alert, to, onClose, onDone }) {
    const [error, fail] = useState(null);
    const [title, text, verb] = SAYS[to];
    const submit = e => {
        e.preventDefault();
        const note = e.target.elements.note.value.trim();
        post(`/v1/alerts/${alert.id}/state`, note === '' ? { state: to } : { state: to, note }).then(onDone, fail);
    };
    return html`<${Dialog} title=${title} onClose=${onClose} narrow>
        <form class="form" onSubmit=${submit}>
            <p><b>${alert.title}</b></p><p class="quiet">${text}</p>
            <label class="field"><span>Note</span><textarea name="note" rows="3" maxlength="2000"></textarea></label>
            ${error && html`<${Failure} error=${error} />`}
            <p class="form-foot"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">${verb}</button></p>
        </form><//>`;
}

/* ---- the list ---- */

const columns = on_answer => [
    {
        key: 'what',
        title: 'Alert',
        cell: a =>
            html`<a class="name" href=${`/alerts/${a.id}`}>${a.title}</a>
                <span class="under"><code>${a.rule}</code> ${KINDS[a.kind] && html`<span>${KINDS[a.kind]}</span>`}</span>`,
    },
    { key: 'severity', title: 'Severity', cell: a => html`<${Grave} is=${a.severity} />` },
    {
        key: 'state',
        title: 'State',
        cell: a => html`<${State} is=${a.state} />${a.episode > 1 && html`<span class="under">came back, episode ${number(a.episode)}</span>`}`,
    },
    {
        key: 'where',
        title: 'Where',
        hide: 's',
        cell: a => html`${place(a) || html`<span class="quiet">–</span>`}<span class="under clip">${a.repository || a.node_name}</span>`,
    },
    {
        key: 'count',
        title: 'Events',
        num: true,
        cell: a => html`${number(a.count)}${a.denied > 0 && html`<span class="under">${number(a.denied)} denied</span>`}`,
    },
    { key: 'last', title: 'Last', cell: a => html`<${Time} at=${a.last_at} /><span class="under">first <${Time} at=${a.first_at} /></span>` },
    ...(may('answer')
        ? [
              {
                  key: 'act',
                  title: html`<span class="sr">Actions</span>`,
                  hide: 'm',
                  cell: a =>
                      a.state !== 'resolved' &&
                      html`<button type="button" onClick=${() => on_answer(a)}>
                          ${a.state === 'open' ? 'Acknowledge' : 'Resolve'}<span class="sr"> ${a.title}</span></button>`,
              },
          ]
        : []),
];

const no_match = () => html`<${Empty} title="No alert matches"><p><a href="/alerts">Show all alerts</a></p><//>`;
const no_alert = () => html`<${Empty} title="No alert was raised so far">
    <p>Nothing that nodes report departs from the profiles in force. A node joins with:</p><${Command}>keepctl node invite prod<//><//>`;

export function Alerts() {
    const { query } = useHere();
    const list = useData(url('/v1/alerts', { ...Object.fromEntries(query), limit: 50 }));
    const [open, show] = useState(null);
    const [said, say] = useState('');
    const done = a => {
        show(null);
        say(`${a.title}: ${a.state}.`);
        list.reload();
    };
    return html`<${Page} title="Alerts" lead="What departed from a profile or a policy, once each, with how often it happened. The newest first.">
        <p class=${said ? 'notice' : 'sr'} role="status">${said && html`<${Icon} name="tick" /> `}${said}</p>
        <${Filters} fields=${fields} label="Alerts" />
        <${Listing} from=${list} what="alert" label="Alerts" columns=${columns(show)} id=${a => a.id} size=${50}
            none=${query.size > 0 ? no_match() : no_alert()} />
        ${open && html`<${Answer} alert=${open} to=${open.state === 'open' ? 'acknowledged' : 'resolved'} onClose=${() => show(null)} onDone=${done} />`}
    <//>`;
}

export const short_image = a => a.repository || (a.digest ? digest_short(a.digest) : '');
