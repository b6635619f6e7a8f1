/* router.js - the address is the state: every filter, tab and page is in it. */
import { useEffect, useState } from './ui.js';

const listeners = new Set();
const tell = () => listeners.forEach(f => f());

addEventListener('popstate', tell);

export const here = () => ({ path: location.pathname, query: new URLSearchParams(location.search), state: history.state });

export function go(href, { replace = false, state = null } = {}) {
    const before = location.pathname;
    history[replace ? 'replaceState' : 'pushState'](state, '', href);
    if (location.pathname !== before) scrollTo(0, 0);
    tell();
}

export function useHere() {
    const [, draw] = useState(0);
    useEffect(() => {
        const f = () => draw(n => n + 1);
        listeners.add(f);
        return () => listeners.delete(f);
    }, []);
    return here();
}

/* This address with some parameters changed; a changed filter starts at the first page again. */
export function href_with(changes, { path, query } = here()) {
    const q = new URLSearchParams(query);
    if (!('cursor' in changes)) q.delete('cursor');
    for (const [k, v] of Object.entries(changes))
        if (v === undefined || v === null || v === '' || v === false) q.delete(k);
        else q.set(k, v);
    const text = q.toString().replace(/%3A/g, ':').replace(/%2F/g, '/');
    return text === '' ? path : `${path}?${text}`;
}

/* Follows links inside of the interface without loading the page anew. */
export function catch_links(is_room) {
    document.addEventListener('click', e => {
        const a = e.target.closest?.('a[href]');
        if (!a || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
        if (a.target || a.hasAttribute('download') || a.origin !== location.origin || !is_room(a.pathname)) return;
        if (a.hash && a.pathname === location.pathname && a.search === location.search) return;
        e.preventDefault();
        go(a.href, { state: a.dataset.page ? { page: Number(a.dataset.page) } : null });
    });
}
