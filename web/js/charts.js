/* charts.js - drawings in SVG, each with the same facts as text. */
import { html, useLayoutEffect, useRef, useState } from './ui.js';
import { number, short } from './format.js';

/* The width the chart really has, so that text is never scaled. */
function useWidth(initial) {
    const ref = useRef(null),
        [width, set] = useState(initial);
    useLayoutEffect(() => {
        const watch = new ResizeObserver(([e]) => set(Math.max(240, Math.round(e.contentRect.width))));
        watch.observe(ref.current);
        return () => watch.disconnect();
    }, []);
    return [ref, width];
}

/* A round number at or above max that divides by four steps. */
export function ceiling(max) {
    const step = 10 ** Math.floor(Math.log10(Math.max(1, max / 4)));
    const unit = [1, 2, 2.5, 5, 10].map(k => k * step).find(u => u * 4 >= max && (step >= 1 || Number.isInteger(u))) ?? 10 * step;
    return Math.max(4, Math.ceil(unit) * 4);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const day_text = d => `${Number(d.slice(8, 10))} ${MONTHS[Number(d.slice(5, 7)) - 1]}`;

const LINES = [
    ['critical', 'Critical'],
    ['high', 'High'],
];

function Readout({ day, x, width, top }) {
    const left = x > width / 2;
    return html`<g class="readout"><line x1=${x} x2=${x} y1=${top} y2="200" />
        <g transform=${`translate(${left ? x - 158 : x + 8} ${top})`}><rect width="150" height="58" rx="4" />
            <text x="10" y="18" class="strong">${day_text(day.day)}</text>
            <text x="10" y="34">Critical ${number(day.critical)}</text><text x="10" y="50">High ${number(day.high)}</text></g></g>`;
}

function Plot({ days, width }) {
    const [at, point] = useState(null);
    const left = 46,
        right = 104,
        top = 10,
        bottom = 200;
    const max = ceiling(Math.max(...days.map(d => Math.max(d.critical, d.high))));
    const x = i => left + (width - left - right) * (days.length < 2 ? 0 : i / (days.length - 1));
    const y = v => bottom - ((bottom - top) * v) / max;
    const path = key => days.map((d, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(d[key]).toFixed(1)}`).join('');
    const last = days.length - 1,
        every = Math.max(1, Math.ceil(days.length / Math.max(2, Math.floor((width - left - right) / 90))));
    const ends = LINES.map(([k, name]) => ({ k, name, at: y(days[last][k]) }));
    if (Math.abs(ends[0].at - ends[1].at) < 16) {
        /* labels must not lie on each other */
        const upper = ends[0].at <= ends[1].at ? ends[0] : ends[1];
        upper.at -= 9;
        (upper === ends[0] ? ends[1] : ends[0]).at += 9;
    }
    const move = e => {
        const box = e.currentTarget.getBoundingClientRect();
        point(Math.min(last, Math.max(0, Math.round(((e.clientX - box.left - left) / (width - left - right)) * last))));
    };
    return html`<svg class="plot" width=${width} height="226" viewBox=${`0 0 ${width} 226`} role="img" aria-labelledby="trend-says" onPointerMove=${move} onPointerLeave=${() => point(null)}>
        ${[0, 1, 2, 3, 4].map(
            i => html`<g key=${i}><line class="grid" x1=${left} x2=${width - right} y1=${y((max * i) / 4)} y2=${y((max * i) / 4)} />
            <text x=${left - 8} y=${y((max * i) / 4) + 4} text-anchor="end">${short((max * i) / 4)}</text></g>`,
        )}
        ${days.map((d, i) => (last - i) % every === 0 && html`<text key=${d.day} x=${x(i)} y="220" text-anchor="middle">${day_text(d.day)}</text>`)}
        ${days.length > 1 && html`<path class="area" d=${`${path('critical')}L${x(last)} ${bottom}L${x(0)} ${bottom}Z`} />`}
        ${LINES.map(([k]) => html`<path key=${k} class=${`line line-${k}`} d=${path(k)} />`)}
        ${ends.map(
            ({ k, name, at: y_end }) => html`<g key=${k}><circle class=${`dot dot-${k}`} cx=${x(last)} cy=${y(days[last][k])} r="3.5" />
            <text class=${`end end-${k}`} x=${x(last) + 10} y=${y_end + 4}>${name} ${short(days[last][k])}</text></g>`,
        )}
        ${at !== null && html`<${Readout} day=${days[at]} x=${x(at)} width=${width} top=${top} />`}
    </svg>`;
}

export function Trend({ days }) {
    const [ref, width] = useWidth(640);
    const first = days[0],
        last = days[days.length - 1];
    const move = (a, b) => (a === b ? 'unchanged' : a < b ? `up from ${number(a)}` : `down from ${number(a)}`);
    return html`<div class="chart" ref=${ref}>
        <p id="trend-says" class="says">Critical <b>${number(last.critical)}</b>, ${move(first.critical, last.critical)}. High <b>${number(last.high)}</b>, ${move(first.high, last.high)}, since ${day_text(first.day)}.</p>
        <${Plot} days=${days} width=${width} />
        <details><summary>The same as a table</summary><div class="scroll short" role="region" aria-label="Open findings by day" tabindex="0"><table>
            <caption class="sr">Open findings by day</caption>
            <thead><tr><th scope="col">Day</th><th scope="col" class="num">Images</th><th scope="col" class="num">Critical</th>
                <th scope="col" class="num">High</th><th scope="col" class="num">Known exploited</th></tr></thead>
            <tbody>${[...days].reverse().map(d => html`<tr key=${d.day}><th scope="row">${d.day}</th><td class="num">${number(d.images)}</td>
                <td class="num">${number(d.critical)}</td><td class="num">${number(d.high)}</td><td class="num">${number(d.kev)}</td></tr>`)}</tbody>
        </table></div></details></div>`;
}

/* rows: { label, value, href, kind }.  Each bar is a link to what it counts. */
export function Bars({ rows, unit }) {
    const max = Math.max(1, ...rows.map(r => r.value));
    return html`<ul class="bars">${rows.map(
        r => html`<li key=${r.label}>
        <a href=${r.href} class=${`bar bar-${r.kind}${r.value === 0 ? ' zero' : ''}`}>
            <span class="bar-label">${r.label}</span>
            <svg class="bar-track" height="16" width="100%" aria-hidden="true" focusable="false"><rect class="bar-fill" width=${`${((100 * r.value) / max).toFixed(2)}%`} height="16" rx="2" /></svg>
            <span class="bar-value">${number(r.value)}</span><span class="sr"> ${unit}${r.note && `, ${r.note}`}</span></a></li>`,
    )}</ul>`;
}

/* parts: { key, label, value, href }: shares of one whole. */
export function Shares({ parts, label }) {
    const total = Math.max(
        1,
        parts.reduce((n, p) => n + p.value, 0),
    );
    let x = 0;
    return html`<svg class="shares" width="100%" height="10" role="img" aria-label=${`${label}: ${parts.map(p => `${number(p.value)} ${p.label}`).join(', ')}`}>
        ${parts
            .filter(p => p.value > 0)
            .map(p => {
                const at = x;
                x += (100 * p.value) / total;
                return html`<rect key=${p.key} class=${`share verdict-${p.key}`} x=${`${at}%`} width=${`${(100 * p.value) / total}%`} height="10" />`;
            })}</svg>`;
}
