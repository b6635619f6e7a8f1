/* shell.js - what stays around every room: rail, search, theme, who you are. */
import { html, useState } from './ui.js';
import { Icon } from './icons.js';
import { Help, useKeys } from './keys.js';
import { may, remove, session, url } from './api.js';
import { go, here } from './router.js';

export const RAIL = [
    ['/', 'overview', 'Overview'],
    ['/images', 'images', 'Images'],
    ['/findings', 'findings', 'Findings'],
    ['/packages', 'packages', 'Packages'],
    ['/running', 'running', 'Running'],
    ['/nodes', 'nodes', 'Nodes'],
    ['/profiles', 'profiles', 'Profiles'],
    ['/alerts', 'alerts', 'Alerts', '?state=open'],
    ['/exceptions', 'exceptions', 'Exceptions'],
    ['/audit', 'audit', 'Audit'],
];

const THEMES = { auto: 'light', light: 'dark', dark: 'auto' };

function useTheme() {
    const [theme, set] = useState(document.documentElement.dataset.theme ?? 'auto');
    const next = () => {
        const to = THEMES[document.documentElement.dataset.theme ?? 'auto'];
        if (to === 'auto') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = to;
        try {
            localStorage.setItem('keep-theme', to);
        } catch {
            /* storage is off: it lasts as long as the page */
        }
        set(to);
    };
    return [theme, next];
}

/* One box for every question: the text itself says which one it is. */
export function ask(text) {
    const t = text.trim();
    const range = t.match(/^(\S+)\s*((?:<=?|>=?|=)\s*\S.*)$/);
    if (t === '') return '/images';
    if (/^sha256:[0-9a-f]{64}$/.test(t)) return `/images/${t}`;
    if (/^(CVE|GHSA|OSV|DSA|DLA|RHSA|ALSA|GO|PYSEC|RUSTSEC|USN)-/i.test(t)) return url('/findings', { vulnerability: t });
    if (range) return url('/packages', { name: range[1], version: range[2] });
    if (/^(package|pkg)[: ]/i.test(t)) return url('/packages', { name: t.replace(/^\w+[: ]\s*/, '') });
    return url('/images', { q: t });
}

function Search() {
    const submit = e => {
        e.preventDefault();
        go(ask(e.target.elements.search.value));
    };
    return html`<form class="search" role="search" aria-label="Everything" onSubmit=${submit}>
        <${Icon} name="search" /><label class="sr" for="search">Search images, CVEs or packages</label>
        <input id="search" name="search" type="search" placeholder="Image, CVE-…, or package < 1.2" autocomplete="off" spellcheck="false" maxlength="512" />
        <kbd aria-hidden="true">/</kbd></form>`;
}

async function leave() {
    try {
        await remove('/v1/session');
    } catch {
        /* it has ended already */
    }
    location.assign('/login');
}

const Rail = ({ path }) => html`<nav class="rail" aria-label="Rooms"><div class="rail-in">
    <a class="brand" href="/" aria-label="Keep: overview"><${Icon} name="keep" size=${20} /><span>Keep</span></a>
    <ul>${RAIL.filter(([p]) => p !== '/audit' || may('audit')).map(
        ([p, icon, text, first = '']) => html`
        <li key=${p}><a href=${p + first} aria-current=${path === p ? 'page' : p !== '/' && path.startsWith(p + '/') ? 'true' : null}><${Icon} name=${icon} size=${16} />${text}</a></li>`,
    )}</ul></div></nav>`;

export function Shell({ children }) {
    const { path } = here();
    const [help, show] = useState(false);
    const [theme, next_theme] = useTheme();
    useKeys({ help: () => show(true), theme: next_theme });
    return html`<a class="skip" href="#main">Skip to the content</a>
    <div class="frame"><${Rail} path=${path} />
        <header class="top"><${Search} />
            <div class="tools">
                <button type="button" class="bare" onClick=${next_theme} title="Theme (t)"><${Icon} name=${theme} size=${16} />
                    <span class="sr">Theme: ${theme === 'auto' ? 'as the system' : theme}</span></button>
                <button type="button" class="bare" onClick=${() => show(true)} title="Keyboard (?)"><kbd aria-hidden="true">?</kbd>
                    <span class="sr">Keyboard help</span></button>
                <span class="who"><b>${session.user.name}</b><span class="quiet">${session.user.role}</span></span>
                <button type="button" onClick=${leave}>Log out</button>
            </div></header>
        <main id="main" tabindex="-1">${children}</main></div>
    ${help && html`<${Help} onClose=${() => show(false)} />`}`;
}
