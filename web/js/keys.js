/* keys.js - the keyboard.  Single keys can be switched off (WCAG 2.1.4). */
import { html, useEffect, useState } from './ui.js';
import { Dialog } from './parts.js';
import { go } from './router.js';

const ROOMS = {
    o: ['/', 'Overview'],
    i: ['/images', 'Images'],
    f: ['/findings', 'Findings'],
    p: ['/packages', 'Packages'],
    e: ['/exceptions', 'Exceptions'],
    r: ['/running', 'Running'],
    n: ['/nodes', 'Nodes'],
    d: ['/profiles', 'Profiles'],
    l: ['/alerts?state=open', 'Alerts'],
    a: ['/audit', 'Audit'],
};

const stored = {
    get: () => {
        try {
            return localStorage.getItem('keep-keys') !== 'off';
        } catch {
            return true;
        }
    },
    set: on => {
        try {
            localStorage.setItem('keep-keys', on ? 'on' : 'off');
        } catch {
            /* storage is off */
        }
    },
};

/* The rows of a page are a line of links; j and k walk it. */
function step(by) {
    const links = [...document.querySelectorAll('main [data-row]')].map(r => r.querySelector('a[href], button')).filter(Boolean);
    if (links.length === 0) return;
    const at = links.findIndex(a => a.closest('[data-row]').contains(document.activeElement));
    const to = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
    links[to].focus();
    links[to].closest('[data-row]').scrollIntoView({ block: 'nearest' });
}

const typing = e => e.target.closest?.('input, select, textarea, dialog') || e.ctrlKey || e.metaKey || e.altKey || e.isComposing;

export function useKeys({ help, theme }) {
    useEffect(() => {
        let going = 0;
        const acts = { '/': () => document.getElementById('search')?.focus(), '?': help, t: theme, j: () => step(1), k: () => step(-1) };
        const press = e => {
            if (e.key === 'Escape' && e.target.id === 'search') e.target.blur();
            if (typing(e) || !stored.get()) return;
            if (going > e.timeStamp && ROOMS[e.key]) {
                e.preventDefault();
                go(ROOMS[e.key][0]);
            } else if (acts[e.key]) {
                e.preventDefault();
                acts[e.key]();
            }
            going = e.key === 'g' ? e.timeStamp + 1500 : 0;
        };
        addEventListener('keydown', press);
        return () => removeEventListener('keydown', press);
    }, [help, theme]);
}

const KEYS = [
    ['/', 'Search'],
    ['j', 'Next row'],
    ['k', 'Previous row'],
    ['Enter', 'Open the row'],
    ['t', 'Theme: system, light, dark'],
    ['?', 'This help'],
    ...Object.entries(ROOMS).map(([k, [, name]]) => [`g ${k}`, `Go to ${name}`]),
];

export function Help({ onClose }) {
    const [on, set] = useState(stored.get());
    return html`<${Dialog} title="Keyboard" onClose=${onClose} narrow>
        <dl class="keys">${KEYS.map(([k, text]) => html`<div key=${k}><dt>${k.split(' ').map(x => html`<kbd>${x}</kbd>`)}</dt><dd>${text}</dd>
            </div>`)}</dl>
        <label class="flag"><input type="checkbox" checked=${on} onChange=${e => {
            stored.set(e.target.checked);
            set(e.target.checked);
        }} />Single-key shortcuts are on</label>
    <//>`;
}
