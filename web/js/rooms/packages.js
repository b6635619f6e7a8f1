/* packages.js - who has this package below that version? */
import { html } from '../ui.js';
import { Command, Empty, Page, Verdict, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { shell } from '../format.js';
import { useHere } from '../router.js';

const fields = [
    { name: 'name', kind: 'text', label: 'Package', hint: 'log4j-core' },
    { name: 'version', kind: 'text', label: 'Version', hint: '< 2.17.1', says: v => `version ${v}` },
    { name: 'ecosystem', kind: 'text', label: 'Ecosystem', hint: 'Maven, Debian:12 …' },
];

const FIRST = 6;
const Which = ({ of: r }) => html`<ul class="names">
    ${r.image_list.slice(0, FIRST).map(i => html`<li key=${i.digest}>
        <a href=${`/images/${i.digest}?tab=packages&q=${encodeURIComponent(name_of(r))}`}>${i.reference}</a>
        ${i.verdict && html`<${Verdict} is=${i.verdict} />`}
        ${i.running > 0 && html`<span class="quiet">running ${number(i.running)}×</span>`}</li>`)}
    ${r.images > FIRST && html`<li class="quiet">and ${number(r.images - FIRST)} more:
        <a href=${url('/images', { package: name_of(r) })}>images with any version</a></li>`}</ul>`;

/* The package comes as an object of its own or spread in the row. */
const of_row = r => r.package ?? r;
const name_of = r => of_row(r).name;

const columns = [
    {
        key: 'package',
        title: 'Package',
        cell: r => html`<span class="name">${name_of(r)}</span><span class="under">${of_row(r).ecosystem}</span>`,
    },
    { key: 'version', title: 'Version', cell: r => html`<code>${of_row(r).version}</code>` },
    { key: 'images', title: 'Images', num: true, cell: r => number(r.images) },
    { key: 'list', title: 'Which', cell: r => html`<${Which} of=${r} />` },
];

const Ask = () => html`<div class="panel"><${Empty} title="Ask who has a package">
    <p>Give a name, and a range when only some versions matter. For example:
        ${' '}<a href="/packages?name=log4j-core&version=%3C+2.17.1">log4j-core below 2.17.1</a>, <a href="/packages?name=openssl">openssl of any version</a>.</p>
    <p class="quiet">The same from a terminal:</p>
    <${Command}>keepctl package find log4j-core --version '< 2.17.1'<//><//></div>`;

const nobody = name => html`<${Empty} title="No known image has it">
    <p>Only images whose list of packages Keep knows are searched. <a href="/images?freshness=never_scanned">Images never scanned</a> may have it.</p>
    <${Command}>${`keepctl package find ${shell(name)}`}<//><//>`;

export function Packages() {
    const { query } = useHere();
    const name = query.get('name'), version = query.get('version');
    const list = useData(name ? url('/v1/packages', { ...Object.fromEntries(query), limit: 50 }) : null);
    const title = name ? `Who has ${name}${version ? ` ${version}` : ''}?` : 'Packages';
    return html`<${Page} title=${title} lead="Versions are compared the way their ecosystem compares them.">
        <${Filters} fields=${fields} label="Packages" />
        ${name
            ? html`<${Listing} from=${list} what="version" label=${`Versions of ${name}`} columns=${columns} size=${50} none=${nobody(name)} />`
            : html`<${Ask} />`}
    <//>`;
}
