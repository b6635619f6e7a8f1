/* table.js - the one table.  Columns are a table too: { key, title, cell, sort?, num?, hide? }. */
import { html } from './ui.js';
import { Icon } from './icons.js';
import { Ready } from './parts.js';
import { count } from './format.js';
import { here, href_with } from './router.js';

/* hide: 'm' leaves the column out below 1000 px, 's' below 640 px. */
const class_of = c => [c.num && 'num', c.hide && `hide-${c.hide}`, c.class].filter(Boolean).join(' ') || null;

/* The server sorts; a heading that can sort is a link to that order. */
function Heading({ column: c, sorted }) {
    if (!c.sort) return html`<th scope="col" class=${class_of(c)}>${c.title}</th>`;
    const on = c.sort === sorted;
    return html`<th scope="col" class=${class_of(c)} aria-sort=${on ? (c.order ?? 'descending') : null}>
        <a href=${href_with({ sort: c.sort })} class="sort" aria-label=${`${c.title}: ${c.says}`} title=${c.says}>
            ${c.title}${on && html`<span class="arrow" aria-hidden="true">${c.order === 'ascending' ? '▲' : '▼'}</span>`}</a></th>`;
}

export const Table = ({ label, columns, rows, id, sorted }) => html`
    <div class="scroll" role="region" aria-label=${`${label} table`} tabindex="0"><table>
        <caption class="sr">${label}</caption>
        <thead><tr>${columns.map(c => html`<${Heading} key=${c.key} column=${c} sorted=${sorted} />`)}</tr></thead>
        <tbody>${rows.map(
            (row, i) =>
                html`<tr key=${id ? id(row) : i} data-row="">${columns.map((c, k) =>
                    k === 0
                        ? html`<th key=${c.key} scope="row" class=${class_of(c)}>${c.cell(row)}</th>`
                        : html`<td key=${c.key} class=${class_of(c)}>${c.cell(row)}</td>`,
                )}</tr>`,
        )}</tbody>
    </table></div>`;

const MANY = 10000;      /* the server counts no further */

/* Pages are cursors: forward by link, back by the browser's own memory. */
export function Pager({ list, what, size }) {
    const { query, state } = here();
    const page = state?.page ?? (query.has('cursor') ? null : 1);
    const from = page === null ? null : (page - 1) * size + 1;
    const n = x => x.toLocaleString('en-US');
    const range =
        from === null || list.items.length === 0
            ? count(list.items.length, what)
            : `${n(from)}–${n(from + list.items.length - 1)}${list.total >= 0 ? ` of ${list.total >= MANY ? '10,000+' : n(list.total)}` : ''}`;
    return html`<nav class="pager" aria-label=${`Pages of ${what}s`}>
        <span class="quiet" role="status">${range}</span>
        ${query.has('cursor') && html`<a class="button" href=${href_with({ cursor: null })}>First page</a>`}
        ${page > 1 && html`<button type="button" onClick=${() => history.back()}><${Icon} name="previous" size=${12} /> Previous</button>`}
        ${list.next && html`<a class="button" data-page=${page === null ? null : page + 1} href=${href_with({ cursor: list.next })} rel="next">Next <${Icon} name="next" size=${12} /></a>`}
    </nav>`;
}

/* A list from the server: it is awaited, fails, is empty (then `none` says what to do), or is a table with
 * its pages.  size: rows of a page; without it the server sends all.  bare: the panel around it is there already. */
export const Listing = ({ from, what, label, columns, id, sorted, size, none, bare, note }) => html`
    <${Ready} from=${from} what=${`Loading ${label.toLowerCase()}`}>${l => {
        if (l.items.length === 0) return bare ? none : html`<div class="panel">${none}</div>`;
        return html`<div class=${bare ? null : 'panel flush'}>
            <${Table} label=${label} columns=${columns} rows=${l.items} id=${id} sorted=${sorted} />
            ${size && html`<${Pager} list=${l} what=${what} size=${size} />`}${note?.(l)}</div>`;
    }}<//>`;
