/* profiles.js - what images are expected to do, and how far each expectation is enforced. */
import { html } from '../ui.js';
import { Command, Empty, Page, Tag, Time } from '../parts.js';
import { Filters } from '../filters.js';
import { Listing } from '../table.js';
import { url, useData } from '../api.js';
import { digest_short } from '../format.js';
import { useHere } from '../router.js';

export const MODES = [
    ['protect', 'protect'],
    ['monitor', 'monitor'],
    ['discover', 'discover'],
    ['none', 'nothing enforced'],
];
const KINDS = { protect: 'calm', monitor: 'plain', discover: 'warn', none: 'warn' };
export const Mode = ({ is }) => html`<${Tag} kind=${KINDS[is] ?? 'plain'}>${is === 'none' ? 'nothing enforced' : is}<//>`;

const fields = [
    { name: 'q', kind: 'text', label: 'Repository', hint: 'begins with …', says: v => `begins with ${v}` },
    { name: 'mode', kind: 'choice', label: 'Mode', options: MODES },
    { name: 'pending', kind: 'flag', label: 'to be approved', says: () => 'to be approved' },
];

const version = n => (n > 0 ? n : html`<span class="quiet">–</span>`);

const columns = [
    {
        key: 'image',
        title: 'Image',
        cell: p => html`<a class="name" href=${`/profiles/${p.id}`}>${p.repository}</a>
            <span class="under">${p.digest ? html`only <code>${digest_short(p.digest)}</code>` : 'every image of it'}</span>`,
    },
    { key: 'mode', title: 'Mode', cell: p => html`<${Mode} is=${p.mode} />${p.pending && html`<span class="under"><${Tag} kind="warn">declared anew<//></span>`}` },
    { key: 'declared', title: 'Declared', num: true, hide: 's', cell: p => version(p.declared_version) },
    { key: 'learned', title: 'Learned', num: true, hide: 's', cell: p => version(p.learned_version) },
    { key: 'enforced', title: 'Enforced', num: true, cell: p => version(p.enforced_version) },
    {
        key: 'open',
        title: 'Not covered',
        hide: 'm',
        cell: p => (p.not_covered?.length > 0 ? html`<span class="quiet">${p.not_covered.join(', ')}</span>` : 'everything is'),
    },
    { key: 'changed', title: 'Changed', hide: 'm', cell: p => html`<${Time} at=${p.changed_at} />` },
];

const no_match = () => html`<${Empty} title="No profile matches"><p><a href="/profiles">Show all profiles</a></p><//>`;
const no_profile = () => html`<${Empty} title="No image has a profile yet"><p>A draft from the image's own configuration, and the signed upload:</p>
    <${Command}>keepctl profile init --image shop/search:1.4 > profile.yaml<//><${Command}>keepctl profile push profile.yaml --key ci.key<//><//>`;

export function Profiles() {
    const { query } = useHere();
    const list = useData(url('/v1/profiles', { ...Object.fromEntries(query), limit: 50 }));
    return html`<${Page} title="Profiles" lead="What each image is expected to run, open, write and call. Declared by its developers, learned from its nodes, enforced when somebody approved it.">
        <${Filters} fields=${fields} label="Profiles" />
        <${Listing} from=${list} what="profile" label="Profiles" columns=${columns} id=${p => p.id} size=${50} none=${query.size > 0 ? no_match() : no_profile()} />
    <//>`;
}
