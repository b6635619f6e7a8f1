/* packages.js - who has this package below that version? */
import { html } from '../ui.js';
import { Command, Empty, Page, Ready, Verdict, number } from '../parts.js';
import { Filters } from '../filters.js';
import { Pager, Table } from '../table.js';
import { url, useData } from '../api.js';
import { shell } from '../format.js';
import { useHere } from '../router.js';

const fields = [
    { name: 'name', kind: 'text', label: 'Package', hint: 'log4j-core' },
    { name: 'version', kind: 'text', label: 'Version', hint: '< 2.17.1', says: v => `version ${v}` },
    { name: 'ecosystem', kind: 'text', label: 'Ecosystem', hint: 'Maven, Debian:12 …' },
];

const columns = [
    { key: 'package', title: 'Package', cell: r => html`<span class="name">${r.package.name}</span><span class="under">${r.package.ecosystem}</span>` },
    { key: 'version', title: 'Version', cell: r => html`<code>${r.package.version}</code>` },
    { key: 'images', title: 'Images', num: true, cell: r => number(r.images) },
    { key: 'list', title: 'Which', cell: r => html`<ul class="names">${r.image_list.slice(0, 6).map(i => html`<li key=${i.digest}><a href=${`/images/${i.digest}?tab=packages&q=${encodeURIComponent(r.package.name)}`}>${i.reference}</a>${i.verdict && html` <${Verdict} is=${i.verdict} />`}${i.running > 0 && html` <span class="quiet">running ${number(i.running)}×</span>`}</li>`)}
        ${r.images > 6 && html`<li class="quiet">and ${number(r.images - Math.min(6, r.image_list.length))} more: <a href=${url('/images', { package: r.package.name })}>images with any version</a></li>`}</ul>` },
];
/* The found package may come as an object of its own or spread in the row. */
const flat = r => ({ ...r, package: r.package ?? { name: r.name, version: r.version, ecosystem: r.ecosystem } });

export function Packages() {
    const { query } = useHere();
    const name = query.get('name');
    const list = useData(name ? url('/v1/packages', { ...Object.fromEntries(query), limit: 50 }) : null);
    return html`<${Page} title=${name ? `Who has ${name}${query.get('version') ? ` ${query.get('version')}` : ''}?` : 'Packages'} lead="Versions are compared the way their ecosystem compares them.">
        <${Filters} fields=${fields} label="Packages" />
        ${!name ? html`<div class="panel"><${Empty} title="Ask who has a package"><p>Give a name, and a range when only some versions matter. For example: <a href="/packages?name=log4j-core&version=%3C+2.17.1">log4j-core below 2.17.1</a>, <a href="/packages?name=openssl">openssl of any version</a>.</p>
            <p class="quiet">The same from a terminal:</p><${Command}>keepctl package find log4j-core --version '< 2.17.1'<//><//></div>`
        : html`<${Ready} from=${list} what="Looking">${l => l.items.length === 0
            ? html`<div class="panel"><${Empty} title="No known image has it"><p>Only images whose list of packages Keep knows are searched: <a href="/images?freshness=never_scanned">images never scanned</a>.</p><${Command}>${`keepctl package find ${shell(name)}`}<//><//></div>`
            : html`<div class="panel flush"><${Table} label=${`Versions of ${name}`} columns=${columns} rows=${l.items.map(flat)} /><${Pager} list=${l} what="version" size=${50} /></div>`}<//>`}
    <//>`;
}
