/* alert.js - one alert: what happened, who did it, where, and what was expected instead. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Dialog, Empty, Facts, Failure, Freshness, Page, Panel, Ready, Tag, Time, Verdict, number, words } from '../parts.js';
import { Table } from '../table.js';
import { may, post, useData } from '../api.js';
import { count, digest_short } from '../format.js';
import { Answer, Grave, State, place } from './alerts.js';

/* The chain as a tree upside down: the program that did it stands last, indented most. */
const Chain = ({ of: list }) =>
    list.length === 0
        ? html`<${Empty} title="The process is not known" />`
        : html`<ol class="chain">${[...list].reverse().map(
              (p, i) => html`<li key=${i} class=${i === list.length - 1 ? 'did' : null}>
            <code>${p.exe || p.name || 'not known'}</code>${' '}
            <span class="quiet">${[p.pid >= 0 && `pid ${p.pid}`, p.user || (p.uid >= 0 && `uid ${p.uid}`)].filter(Boolean).join(', ')}</span>
            ${p.args && html`<code class="under long">${p.args}</code>`}
            ${p.sha256 && html`<span class="under">sha256 <code>${p.sha256.slice(0, 16)}</code></span>`}</li>`,
          )}</ol>`;

const peer = e =>
    e.remote && html`<code>${e.remote}${e.remote_port >= 0 && `:${e.remote_port}`}</code> ${e.remote_service || e.remote_name}`;

const happened = (a, s) => {
    const e = s.event ?? {};
    return [
        ['When', html`<${Time} at=${a.first_at} />${a.count > 1 && html`, last <${Time} at=${a.last_at} />`}`],
        ['How often', html`${count(a.count, 'event')}${a.denied > 0 && html`, <${Tag} kind="calm">${number(a.denied)} denied<//>`}`],
        ['What', e.kind && `${words(e.kind)}${e.verdict && e.verdict !== 'observed' ? `, ${e.verdict}` : ''}`],
        ['About', a.subject && html`<code class="long">${a.subject}</code>`],
        ['Seen by', e.source && words(e.source)],
        ['Says', e.message],
        ['Other end', peer(e)],
        ['Expected', s.profile?.expected],
        ['Profile', s.profile && `${s.profile.name} (${s.profile.mode})`],
        ['Policy', s.policy && html`${s.policy.name}${s.policy.validation && ` / ${s.policy.validation}`}`],
        ['To do', s.policy?.remediation],
        ['Also', s.also?.length > 0 && s.also.join(', ')],
    ].map(r => (r[1] === false ? [r[0], null] : r));
};

const where = (a, s) => {
    const c = s.container ?? {},
        i = s.image ?? {},
        f = i.findings ?? {};
    return [
        ['Place', place(a)],
        ['Pod', c.pod],
        ['Container', (c.name || c.id) && html`${c.name} <code>${c.id?.slice(0, 12)}</code>`],
        ['Node', a.node ? html`<a href=${`/nodes/${a.node}`}>${a.node_name || a.node}</a>` : s.node?.name],
        ['Bundle there', s.node?.bundle_version > 0 && `version ${number(s.node.bundle_version)}`],
        [
            'Image',
            a.digest
                ? html`<a href=${`/images/${a.digest}`}>${i.reference || a.repository || digest_short(a.digest)}</a>`
                : i.reference || a.repository,
        ],
        ['Known by', i.known_by && `its ${i.known_by}`],
        ['Scan', i.freshness && html`<${Freshness} is=${i.freshness} />`],
        ['Verdict', i.verdict && html`<${Verdict} is=${i.verdict} />`],
        [
            'Open findings',
            i.findings && [f.critical > 0 && `${number(f.critical)} critical`, f.high > 0 && `${number(f.high)} high`, f.kev > 0 && `${number(f.kev)} exploited`]
                .filter(Boolean)
                .join(', '),
        ],
    ].map(r => (r[1] === false ? [r[0], null] : r));
};

const event_columns = [
    { key: 'at', title: 'When', cell: e => html`<${Time} at=${e.event.at} none="not said" />` },
    { key: 'kind', title: 'What', cell: e => html`${words(e.event.kind)}<span class="under">${e.event.verdict !== 'observed' && e.event.verdict}</span>` },
    {
        key: 'about',
        title: 'About',
        class: 'reason',
        cell: e => html`<code>${e.event.file?.path || e.event.net?.remote || e.event.process?.exe || e.event.process?.name}</code>
            <span class="under clip">${e.event.message}</span>`,
    },
    { key: 'node', title: 'Node', hide: 's', cell: e => e.node_name },
    { key: 'source', title: 'Seen by', hide: 'm', cell: e => words(e.event.source) },
];

/* ---- silencing what is known ---- */

const LASTS = [
    ['1d', '1 day'],
    ['7d', '7 days'],
    ['30d', '30 days'],
    ['90d', '90 days'],
];

function Suppress({ alert: a, onClose, onDone }) {
    const [error, fail] = useState(null);
    const submit = e => {
        e.preventDefault();
        const body = {};
        for (const [k, v] of new FormData(e.target)) if (v.trim() !== '') body[k] = v.trim();
        post('/v1/suppressions', body).then(onDone, fail);
    };
    const given = [
        ['rule', 'Rule', a.rule],
        ['subject', 'Path, port or peer', a.subject],
        ['repository', 'Repository', a.repository],
        ['cluster', 'Cluster', a.cluster],
        ['namespace', 'Namespace', a.namespace],
        ['workload', 'Workload', a.workload],
    ];
    return html`<${Dialog} title="Keep this quiet for a time" onClose=${onClose}>
        <form class="form" onSubmit=${submit}>
            <p class="quiet">Events like this are still stored, and counted here. A field left empty means any.</p>
            ${given.map(
                ([name, label, value]) => html`<label key=${name} class="field half"><span>${label}</span>
                <input name=${name} defaultValue=${value ?? ''} placeholder="any" autocomplete="off" spellcheck="false" /></label>`,
            )}
            <label class="field half"><span>Ends after</span><select name="expires_in">${LASTS.map(
                ([v, text]) => html`<option key=${v} value=${v} selected=${v === '7d'}>${text}</option>`,
            )}</select></label>
            <label class="field"><span>Reason: why is this expected?</span><textarea name="reason" rows="3" required minlength="10" maxlength="2000"></textarea></label>
            ${error && html`<${Failure} error=${error} />`}
            <p class="form-foot"><button type="button" onClick=${onClose}>Cancel</button><button class="primary">Keep quiet until then</button></p>
        </form><//>`;
}

/* Of an alert about a node there are neither processes nor events: the server found it. */
const Did = ({ alert: a, story: s }) => html`
    <${Panel} id="chain" title="Who did it" wide><${Chain} of=${s.processes ?? []} /><//>
    <${Panel} id="events" title="Its newest events" wide>${
        a.events?.length > 0
            ? html`<${Table} label="Events of this alert" columns=${event_columns} rows=${a.events} id=${e => e.id} />`
            : html`<${Empty} title="Its events are no longer kept" />`
    }<//>`;

const NEXT = { open: ['acknowledged', 'resolved'], acknowledged: ['resolved'], resolved: ['open'] };
const VERBS = { acknowledged: 'Acknowledge', resolved: 'Resolve', open: 'Open again' };

function Found({ alert: a, reload }) {
    const [asking, ask] = useState(null);
    const [said, say] = useState('');
    const s = a.story ?? {};
    const done = text => () => {
        ask(null);
        say(text);
        reload();
    };
    const acts = may('answer') && html`${NEXT[a.state].map(to => html`<button key=${to} type="button" onClick=${() => ask(to)}>${VERBS[to]}</button> `)}
        <button type="button" onClick=${() => ask('suppress')}>Suppress</button>`;
    return html`<${Page} title=${a.title} lead=${html`<code>${a.rule}</code>`} aside=${acts}>
        <p class=${said ? 'notice' : 'sr'} role="status">${said && html`<${Icon} name="tick" /> `}${said}</p>
        <p class="state-line"><${Grave} is=${a.severity} /> <${State} is=${a.state} />
            ${a.episode > 1 && html`<span class="quiet"> episode ${number(a.episode)}</span>`}
            ${a.changed_by && html`<span class="quiet"> by ${a.changed_by} <${Time} at=${a.changed_at} /></span>`}
            ${a.note && html`<span class="under">${a.note}</span>`}</p>
        <div class="grid image-grid">
            <${Panel} id="what" title="What happened"><${Facts} rows=${happened(a, s)} /><//>
            <${Panel} id="where" title="Where"><${Facts} rows=${where(a, s)} /><//>
        </div>
        ${a.kind !== 'node' && html`<${Did} alert=${a} story=${s} />`}
        ${asking && asking !== 'suppress' && html`<${Answer} alert=${a} to=${asking} onClose=${() => ask(null)} onDone=${x => done(`It is ${x.state} now.`)()} />`}
        ${asking === 'suppress' && html`<${Suppress} alert=${a} onClose=${() => ask(null)} onDone=${done('Suppressed. Events like this raise no alert until then.')} />`}
    <//>`;
}

export function Alert({ id }) {
    const alert = useData(`/v1/alerts/${id}`);
    if (!alert.data) return html`<${Page} title="Alert"><${Ready} from=${alert} what="Loading the alert" /><//>`;
    return html`<${Ready} from=${alert}>${a => html`<${Found} key=${a.id} alert=${a} reload=${alert.reload} />`}<//>`;
}
