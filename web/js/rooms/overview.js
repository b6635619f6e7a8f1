/* overview.js - what is bad now, and what to do first. */
import { html } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Empty, Page, Panel, Ready, Time } from '../parts.js';
import { Bars, Shares, Trend } from '../charts.js';
import { useData } from '../api.js';
import { count, number, short } from '../format.js';

const DAY = 864e5;

/* kind of action -> [how urgent, picture] */
const URGENCY = {
    alerts: ['fail', 'alerts'],
    containers_failing: ['fail', 'fail'],
    alerts_other: ['warn', 'alerts'],
    kev: ['fail', 'critical'],
    malware: ['fail', 'critical'],
    running_failing: ['fail', 'fail'],
    secrets: ['fail', 'high'],
    running_stale: ['warn', 'stale'],
    never_scanned: ['warn', 'never'],
    stale_scan: ['warn', 'stale'],
    stale_database: ['warn', 'stale'],
    unsigned: ['calm', 'warn'],
    exceptions_ending: ['calm', 'exceptions'],
    exceptions_ended: ['calm', 'exceptions'],
};

const VERDICTS = [
    ['fail', 'failing'],
    ['warn', 'warned'],
    ['unknown', 'unknown'],
    ['pass', 'passing'],
];

const Tile = ({ href, value, label, note, kind }) => html`<a class=${`tile tile-${value > 0 ? kind : 'calm'}`} href=${href}>
    <span class="tile-value">${short(value)}</span><span class="tile-label">${label}</span>
        ${note && html`<span class="tile-note">${note}</span>`}</a>`;

function Strip({ p }) {
    const stale = p.freshness.stale_scan + p.freshness.stale_database;
    return html`<section class="strip" aria-label="Posture">
        <div class="whole"><p class="whole-head"><a href="/images?sort=name"><b>${number(p.images)}</b> images</a>
            <a href="/images?running=true"><b>${number(p.running.images)}</b> running</a></p>
            <${Shares} label="Verdicts" parts=${VERDICTS.map(([k, l]) => ({ key: k, label: l, value: p.verdicts[k] }))} />
            <p class="legend">${VERDICTS.map(([k, label]) => html`
                <a key=${k} href=${`/images?verdict=${k}&sort=risk`} class=${`verdict-${k}`}>
                    <${Icon} name=${k} size=${12} /><b>${number(p.verdicts[k])}</b> ${label}</a>`)}</p></div>
        <${Tile} href="/images?verdict=fail&running=true&sort=risk" value=${p.running.failing} label="running and failing" note=${`of ${number(p.running.images)} running`} kind="fail" />
        <${Tile} href="/findings?kev=true" value=${p.counts.kev} label="known exploited" note="open findings" kind="fail" />
        <${Tile} href="/findings?severity=critical" value=${p.counts.critical} label="critical" note=${`${short(p.counts.fixable)} serious have a fix`} kind="fail" />
        <${Tile} href="/images?stale=true" value=${stale} label="stale" note="old scan or database" kind="warn" />
        <${Tile} href="/images?freshness=never_scanned" value=${p.freshness.never_scanned} label="never scanned" note="nothing is known" kind="warn" />
        <${Tile} href="/exceptions?state=active" value=${p.exceptions.active} label="exceptions" note=${`${number(p.exceptions.expiring_soon)} end within 7 d`} kind="calm" />
    </section>`;
}

const Actions = ({ list }) =>
    list.length === 0
        ? html`<${Empty} title="Nothing needs action"><p>No image fails policy, every scan is recent, and no exception ends soon.</p><//>`
        : html`<ol class="actions">${list.map(a => {
              const [level, icon] = URGENCY[a.kind] ?? ['calm', 'warn'];
              return html`<li key=${a.kind} data-row=""><a class=${`action action-${level}`} href=${local(a.link)}>
                  <${Icon} name=${icon} size=${16} /><b class="action-count">${number(a.count)}</b><span>${a.text}</span><${Icon} name="next" size=${12} /></a></li>`;
          })}</ol>`;

/* Only an address of this interface. */
const local = link => (/^\/(?!\/)/.test(link ?? '') ? link : '/images');

function age_rows(p) {
    const limit = p.limits.scan_max_age_ms / DAY;
    let from = 0;
    return p.scan_age.map(b => {
        const never = b.label === 'never',
            min = from;
        if (b.max_days) from = b.max_days;
        const stale = !never && min >= limit;
        const range = [min > 0 && `age_min=${min}`, b.max_days && `age_max=${b.max_days}`].filter(Boolean).join('&');
        return {
            label: never ? 'never' : b.label.replace(/(\d)-(\d)/, '$1–$2'),
            value: b.images,
            kind: never ? 'never' : stale ? 'stale' : 'fresh',
            note: never ? null : stale ? 'older than the limit' : 'within the limit',
            href: never ? '/images?freshness=never_scanned' : `/images?${range}`,
        };
    });
}

const Teams = ({
    teams,
}) => html`<div class="scroll" role="region" aria-label="Teams table" tabindex="0"><table class="tight"><caption class="sr">Teams, most failing images first</caption>
    <thead><tr><th scope="col">Team</th><th scope="col" class="num">Images</th><th scope="col" class="num">Failing</th>
        <th scope="col" class="num">Stale</th><th scope="col" class="num">Critical</th><th scope="col" class="num">High</th></tr></thead>
    <tbody>${[...teams]
        .sort((a, b) => b.failing - a.failing || b.critical - a.critical)
        .slice(0, 10)
        .map(t => {
            const q = t.team ? `team=${encodeURIComponent(t.team)}&` : '';
            return html`<tr key=${t.team}>
        <th scope="row">${t.team ? html`<a href=${`/images?${q}sort=risk`}>${t.team}</a>` : html`<span class="quiet">no team</span>`}</th>
        <td class="num">${number(t.images)}</td>
        ${[
            ['failing', 'verdict=fail&sort=risk'],
            ['stale', 'stale=true'],
        ].map(
            ([k, f]) =>
                html`<td class="num">${t[k] > 0 && t.team ? html`<a href=${`/images?${q}${f}`}>${number(t[k])}</a>` : number(t[k])}</td>`,
        )}
        <td class="num">${number(t.critical)}</td><td class="num">${number(t.high)}</td></tr>`;
        })}</tbody></table></div>`;

const no_day = () => html`<${Empty} title="The first day is not over"><p>A point is added each day.</p><//>`;
const no_team = () => html`<${Empty} title="No team owns a repository yet">
    <${Command}>keepctl scan upload scan.json --key ci.key --team payments<//><//>`;

const Start = () => html`<${Page} title="Overview"><div class="panel"><${Empty} title="No image is known yet">
    <p>Once: make a key to sign reports with, and let Keep know its public half.</p>
    <${Command}>keepctl key generate ci<//><${Command}>keepctl signer add ci --public-key ci.pub<//>
    <p>Then: scan an image with the scanner you already have, and hand Keep its report.</p>
    <${Command}>trivy image --format json --list-all-pkgs -o scan.json alpine:3.20<//>
    <${Command}>keepctl scan upload scan.json --key ci.key<//>
    <p class="quiet">The answer is a verdict; this page then shows what needs doing.</p><//></div><//>`;

export function Overview() {
    const posture = useData('/v1/posture'),
        trend = useData('/v1/posture/trend?days=90');
    if (!posture.data) return html`<${Page} title="Overview"><${Ready} from=${posture} what="Counting" /><//>`;
    return html`<${Ready} from=${posture}>${p =>
        p.images === 0
            ? html`<${Start} />`
            : html`
        <${Page} title="Overview" aside=${html`<span class="quiet">counted <${Time} at=${p.at} /></span><button type="button" onClick=${() => {
            posture.reload();
            trend.reload();
        }}>Refresh</button>`}>
            <${Strip} p=${p} />
            <div class="grid">
                <${Panel} id="actions" title="What needs action" aside=${html`<span class="quiet">most urgent first</span>`}><${Actions} list=${p.actions} /><//>
                <${Panel} id="ages" title="Age of the newest scan" aside=${html`<span class="quiet">limit ${count(Math.round(p.limits.scan_max_age_ms / DAY), 'day')}</span>`}>
                    <${Bars} rows=${age_rows(p)} unit="images" />
                    <p class="legend"><span><i class="key key-fresh"></i>within the limit</span><span><i class="key key-stale"></i>older</span>
                        <span><i class="key key-never"></i>never scanned</span></p><//>
                <${Panel} id="trend" title="Open critical and high findings" aside=${html`<span class="quiet">last 90 days</span>`}>
                    <${Ready} from=${trend}>${t => (t.days.length === 0 ? no_day() : html`<${Trend} days=${t.days} />`)}<//><//>
                <${Panel} id="teams" title="Teams" aside=${html`<span class="quiet">most failing first</span>`}>
                    ${p.teams.length === 0 ? no_team() : html`<${Teams} teams=${p.teams} />`}<//>
            </div><//>`}<//>`;
}
