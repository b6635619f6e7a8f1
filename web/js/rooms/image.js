/* image.js - one image: may it run, why, and on what evidence. */
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Copy, Empty, Facts, Freshness, Lasting, Page, Panel, Ready, Severity, Tag, Time, Verdict, number } from '../parts.js';
import { url, useData } from '../api.js';
import { digest_short, shell } from '../format.js';
import { href_with, useHere } from '../router.js';
import { TABS, Tab } from './image_tabs.js';

const SAYS = {
    pass: 'Every policy lets this image through.',
    warn: 'It may run; something should be done about it.',
    fail: 'It must not run: a policy says no.',
    unknown: 'Nothing can be said: what a policy needs to know is missing.',
};

function Reason({ of: r }) {
    const f = r.finding,
        said = text => r.message.includes(text); /* nothing twice */
    return html`<li class=${`reason-row reason-${r.effect}`}><${Icon} name=${r.effect} size=${16} />
        <div><p class="reason-says">${r.message}</p>
            <p class="reason-more"><${Severity} level=${r.severity} />
                ${f?.vulnerability && html`<a href=${url('/findings', { vulnerability: f.vulnerability })}>${f.vulnerability}</a>`}
                ${f?.package && !said(f.package) && html`<code>${f.package} ${f.version}</code>`}
                ${f?.fixed_version && !said(f.fixed_version) && html`<span>fixed in <code class="fixed">${f.fixed_version}</code></span>`}
                ${r.where && html`<code>${r.where}</code>`}<span class="quiet">${r.policy}${r.rule && ` / ${r.rule}`}</span>
                    ${r.since && html`<span class="quiet"><${Lasting} since=${r.since} /></span>`}</p>
            ${r.remediation && html`<p class="reason-fix"><b>To do:</b> ${r.remediation}</p>`}</div></li>`;
}

const FIRST = 6;
function Reasons({ list }) {
    const [all, show] = useState(false);
    const shown = all ? list : list.slice(0, FIRST);
    return html`<ol class="reasons">${shown.map((r, i) => html`<${Reason} key=${i} of=${r} />`)}</ol>
        ${list.length > FIRST && html`<p><button type="button" aria-expanded=${all ? 'true' : 'false'} onClick=${() => show(!all)}>
            ${all ? 'Show the worst only' : `Show all ${number(list.length)} reasons`}</button></p>`}`;
}

const Judgement = ({ v, image }) => html`<div class=${`judgement judgement-${v.decision}`}>
    <p class="judgement-head"><${Verdict} is=${v.decision} big /><span>${SAYS[v.decision]}</span></p>
    ${v.missing?.length > 0 && html`<p class="missing"><${Icon} name="unknown" /> Not known: ${v.missing.map((m, i) => html`${i > 0 && ', '}<b key=${m}>${m}</b>`)}.</p>`}
    ${v.reasons?.length > 0 && html`<${Reasons} list=${v.reasons} />`}
    <p class="quiet judgement-foot">judged <${Time} at=${v.decided_at} /> by policy set ${v.policy_version}
        ${v.excepted > 0 && html` · <a href=${href_with({ tab: 'findings', open: null })}>${number(v.excepted)} excepted</a>`}
        ${v.unsigned && image.freshness !== 'never_scanned' && html` · rests on unsigned evidence`}${v.valid_until && html` · may change <${Time} at=${v.valid_until} />`}</p>
    ${image.freshness === 'never_scanned' && html`<p class="quiet">A scan answers it:</p>
        <${Command}>${`keepctl scan upload scan.json --image ${shell(image.reference)} --key ci.key`}<//>`}
</div>`;

const Clock = ({ label, at, none, state }) =>
    html`<div class="clock"><dt>${label}</dt><dd><span class="clock-at"><${Time} at=${at} none=${none} /></span>${state}</dd></div>`;

const Clocks = ({ image: i }) => html`<dl class="clocks">
    <${Clock} label="Packages listed" at=${i.inventory_at} none="never"
        state=${i.packages > 0 && html`<span class="quiet">${number(i.packages)} packages, ${number(i.evaluable)} can be matched</span>`} />
    <${Clock} label="Scanned" at=${i.scanned_at} none=${i.freshness === 'never_scanned' ? 'never' : 'not said'}
        state=${!['stale_database', 'never_scanned'].includes(i.freshness) && html`<${Freshness} is=${i.freshness} />`} />
    <${Clock} label="Database of the scanner" at=${i.db_built_at} none=${i.freshness === 'never_scanned' ? 'never' : 'not said'}
        state=${i.freshness === 'stale_database' && html`<${Freshness} is=${i.freshness} />`} />
</dl>`;

const facts = i =>
    [
        ['Team', i.team],
        ['System', i.os && `${i.os.family} ${i.os.version ?? ''}`],
        ['Architecture', i.arch],
        ['Built from', i.base_image && html`<code>${i.base_image}</code>`],
        [
            'Runs in',
            i.running > 0
                ? html`<a href=${href_with({ tab: 'places' })}>${number(i.running)} container${i.running === 1 ? '' : 's'}</a>`
                : 'nowhere that reports',
        ],
        [
            'Signed',
            i.signed ? 'every current result' : i.freshness === 'never_scanned' ? null : html`<${Tag} kind="warn">unsigned evidence<//>`,
        ],
        [
            'Tags',
            i.tags?.length > 0 &&
                html`${i.tags.slice(0, 6).map(t => html`<${Tag} key=${t}>${t}<//> `)}${i.tags.length > 6 && ` and ${i.tags.length - 6} more`}`,
        ],
        ['First seen', html`<${Time} at=${i.first_seen_at} />`],
        ['Last seen', html`<${Time} at=${i.last_seen_at} />`],
        [
            'Also known as',
            i.aliases?.filter(a => a.digest !== i.digest).length > 0 &&
                html`<ul class="names">${i.aliases.filter(a => a.digest !== i.digest).map(a => html`
                    <li key=${a.digest}><code title=${a.digest}>${digest_short(a.digest)}</code> <span class="quiet">${a.kind}</span></li>`)}</ul>`,
        ],
    ].map(r => (r[1] === false ? [r[0], null] : r));

const Tabs = ({ image, at }) =>
    html`<nav class="tabs" aria-label="About this image">${TABS.map(([key, title, n]) => {
        const size = n?.(image);
        return html`<a key=${key} href=${`/images/${image.digest}?tab=${key}`} aria-current=${key === at ? 'page' : null}>
            ${title}${size !== undefined && size !== null && html`<span class="tab-n">${number(size)}</span>`}</a>`;
    })}</nav>`;

function Found({ image, reload }) {
    const { query } = useHere();
    const verdict = useData(`/v1/images/${image.digest}/verdict`);
    const at = TABS.some(([k]) => k === query.get('tab')) ? query.get('tab') : 'findings';
    const again = () => {
        reload();
        verdict.reload();
    };
    return html`<${Page} title=${image.reference || image.repository} lead=${html`<span class="digest"><code class="long">${image.digest}</code>
        <${Copy} text=${image.digest} what="digest" /></span>`}
            aside=${html`<a class="button" href=${`/v1/images/${image.digest}`} download=${`image-${digest_short(image.digest)}.json`}><${Icon} name="download" /> JSON</a>`}>
        <div class="grid image-grid">
            <${Panel} id="verdict" title="Verdict" aside=${image.verdict_since && html`<span class="quiet"><${Lasting} of=${image.verdict} since=${image.verdict_since} /></span>`}>
                <${Ready} from=${verdict} what="Judging">${v => html`<${Judgement} v=${v} image=${image} />`}<//><//>
            <${Panel} id="facts" title="What is known"><${Clocks} image=${image} /><${Facts} rows=${facts(image)} /><//>
        </div>
        <${Tabs} image=${image} at=${at} />
        <section class="panel flush" aria-label=${TABS.find(([k]) => k === at)[1]}><${Tab} key=${at} at=${at} image=${image} changed=${again} />
            </section>
    <//>`;
}

export function Image({ id }) {
    const image = useData(`/v1/images/${id}`);
    if (image.error?.status === 404)
        return html`<${Page} title="Unknown image"><div class="panel"><${Empty} title="Keep has never heard of this digest">
        <p><code class="long">${id}</code></p><p>It becomes known by a scan, or when a cluster reports that it runs:</p>
            <${Command}>${`keepctl scan upload scan.json --image IMAGE@${id} --key ci.key`}<//><p><a href="/images">All images</a></p><//></div><//>`;
    if (!image.data) return html`<${Page} title="Image"><${Ready} from=${image} what="Loading the image" /><//>`;
    return html`<${Ready} from=${image}>${i => html`<${Found} key=${i.digest} image=${i} reload=${image.reload} />`}<//>`;
}
