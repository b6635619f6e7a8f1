/* parts.js - the small things every room is made of. */
import { html, useEffect, useRef, useState } from './ui.js';
import { Icon } from './icons.js';
import { digest_short, number, relative, safe_url, span, utc, words } from './format.js';

export const Time = ({ at, none = 'unknown' }) =>
    at ? html`<time datetime=${at} title=${utc(at)}>${relative(at)}</time>` : html`<span class="quiet">${none}</span>`;

/* "for 6 d": how long something has been so. */
export const Lasting = ({ since, of }) =>
    html`<time datetime=${since} title=${`since ${utc(since)}`}>${of && `${of} `}for ${span(Date.now() - Date.parse(since))}</time>`;

export const Severity = ({ level }) => html`<span class="mark sev-${level}"><${Icon} name=${level} />${level}</span>`;

export const Verdict = ({ is, big }) =>
    html`<span class=${`mark verdict verdict-${is}${big ? ' big' : ''}`}><${Icon} name=${is} size=${big ? 20 : 14} />${is}</span>`;

const FRESH = {
    fresh: ['fresh', 'fresh'],
    stale_scan: ['stale', 'old scan'],
    stale_database: ['stale', 'old database'],
    never_scanned: ['never', 'never scanned'],
    unknown: ['unknown', 'age unknown'],
};
export const Freshness = ({ is }) => {
    const [shape, text] = FRESH[is] ?? FRESH.unknown;
    return html`<span class="mark fresh-${shape}"><${Icon} name=${shape} />${text}</span>`;
};

export const Tag = ({ kind = 'plain', title, children }) => html`<span class="tag tag-${kind}" title=${title}>${children}</span>`;

/* Open findings of an image by severity: a letter and a number each, said in full to a screen reader. */
export function Counts({ of: c, unknown }) {
    if (unknown) return html`<span class="quiet">not known</span>`;
    const shown = ['critical', 'high', 'medium', 'low'].filter(k => c[k] > 0);
    if (shown.length === 0) return html`<span class="quiet">none open</span>`;
    return html`<span class="counts">${shown.map(
        k => html`
        <span key=${k} class="chip sev-${k}" title="${number(c[k])} ${k}"><b aria-hidden="true">${k[0].toUpperCase()}</b>
            ${number(c[k])}<span class="sr"> ${k} </span></span>`,
    )}</span>`;
}

export function Copy({ text, what }) {
    const [done, set] = useState(false);
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            return; /* no permission: the text is still there to be selected */
        }
        set(true);
        setTimeout(() => set(false), 1500);
    };
    return html`<button type="button" class="bare copy" onClick=${copy} title=${`Copy ${what}`}>
        <${Icon} name=${done ? 'tick' : 'copy'} size=${13} /><span class="sr">${done ? 'Copied' : `Copy ${what}`}</span></button>`;
}

export const Digest = ({ is, of }) => html`
    <span class="digest"><code title=${is}>${digest_short(is)}</code><${Copy} text=${is} what=${of ? `digest of ${of}` : 'digest'} /></span>`;

export const Command = ({ children }) => {
    const text = [children].flat(9).join('');
    return html`<span class="command"><code>${text}</code><${Copy} text=${text} what="command" /></span>`;
};

/* A link a stranger wrote: only https, and it learns nothing about us. */
export const Outside = ({ href, children }) => {
    const safe = safe_url(href);
    return safe === null
        ? children
        : html`<a href=${safe} target="_blank" rel="noopener noreferrer">${children} <${Icon} name="outside" size=${11} />
            <span class="sr"> (opens outside of Keep)</span></a>`;
};

export const Loading = ({ what = 'Loading' }) =>
    html`<p class="loading" role="status"><span class="pulse" aria-hidden="true"></span>${what} …</p>`;

export const Empty = ({ title, children }) => html`<div class="empty"><p class="empty-title">${title}</p>${children}</div>`;

const CALM = {
    0: 'The server does not answer',
    403: 'Your role does not allow this',
    404: 'There is nothing here',
    429: 'Too many requests: wait a moment',
    503: 'The server is busy: try again in a moment',
};
export function Failure({ error, retry }) {
    const title = CALM[error.status] ?? error.title ?? 'Something went wrong on our side';
    const detail = error.detail && error.detail !== title ? error.detail : null;
    return html`<div class="failure" role="alert">
        <p class="failure-title"><${Icon} name="warn" size=${16} /> ${title}</p>
        ${detail && html`<p>${detail}</p>`}
        ${error.errors?.length > 0 && html`<ul>${error.errors.map(e => html`<li><code>${e.path}</code> ${e.detail}</li>`)}</ul>`}
        <p class="failure-foot">${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
        ${error.request_id && html`<span class="quiet">Request <code>${error.request_id}</code>
            <${Copy} text=${error.request_id} what="request id" /></span>`}</p>
    </div>`;
}

/* What a page of data looks like at each moment of its life. */
export function Ready({ from, children, what }) {
    if (from.error) return html`<${Failure} error=${from.error} retry=${from.reload} />`;
    if (!from.data) return html`<${Loading} what=${what} />`;
    return html`<div class=${from.loading ? 'dim' : null} aria-busy=${from.loading ? 'true' : null}>${children(from.data)}</div>`;
}

export const Panel = ({ title, aside, children, id, wide }) => html`
    <section class=${`panel${wide ? ' wide' : ''}`} aria-labelledby=${id}>
        <header class="panel-head"><h2 id=${id}>${title}</h2>${aside && html`<div class="panel-aside">${aside}</div>`}</header>
        ${children}
    </section>`;

export const Facts = ({ rows }) =>
    html`<dl class="facts">${rows
        .filter(r => r && r[1] !== undefined && r[1] !== null && r[1] !== '')
        .map(
            ([k, v]) => html`
    <div key=${k}><dt>${k}</dt><dd>${v}</dd></div>`,
        )}</dl>`;

/* A modal dialog: the browser keeps the focus inside and gives it back. */
export function Dialog({ title, onClose, children, narrow }) {
    const ref = useRef(null);
    useEffect(() => {
        const d = ref.current;
        if (!d.open) d.showModal();
        return () => d.open && d.close();
    }, []);
    return html`<dialog ref=${ref} class=${narrow ? 'narrow' : null} aria-labelledby="dialog-title" onClose=${onClose} onClick=${e => e.target === ref.current && onClose()}>
        <div class="dialog-in">
            <header class="panel-head"><h2 id="dialog-title">${title}</h2>
                <button type="button" class="bare" onClick=${onClose}><${Icon} name="close" /><span class="sr">Close</span></button></header>
            ${children}
        </div></dialog>`;
}

export const Page = ({ title, lead, aside, children }) => {
    useEffect(() => {
        document.title = `${typeof title === 'string' ? title : 'Image'} · Keep`;
    }, [title]);
    return html`<div class="page-head"><div><h1 tabindex="-1">${title}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>
        ${aside && html`<div class="page-aside">${aside}</div>`}</div>${children}`;
};

export { number, words };
