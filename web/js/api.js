/* api.js - talking to the server: one way in, one kind of failure. */
import { useEffect, useState } from './ui.js';

/* What went wrong, as RFC 9457 says it. */
export class Problem extends Error {
    constructor(status, body) {
        super(body.detail || body.title || `HTTP ${status}`);
        Object.assign(this, { status, title: body.title, detail: body.detail, request_id: body.request_id, errors: body.errors ?? [] });
    }
}

export const session = { user: null, csrf: null };
const lost = new Set();
export const on_session_lost = f => (lost.add(f), () => lost.delete(f));

async function body_of(response) {
    const text = await response.text();
    try {
        return text === '' ? null : JSON.parse(text);
    } catch {
        return { title: 'The answer was not readable' };
    }
}

async function call(method, path, { json, signal } = {}) {
    const headers = { Accept: 'application/json' };
    if (json !== undefined) headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && session.csrf) headers['X-Keep-CSRF'] = session.csrf;
    let response;
    try {
        response = await fetch(path, {
            method,
            headers,
            signal,
            credentials: 'same-origin',
            cache: 'no-store',
            redirect: 'error',
            body: json === undefined ? undefined : JSON.stringify(json),
        });
    } catch (e) {
        if (e.name === 'AbortError') throw e;
        throw new Problem(0, {
            title: 'The server does not answer',
            detail: 'It may be restarting, or the network is down. Nothing was changed by this page.',
        });
    }
    const body = await body_of(response);
    if (response.ok) return body;
    if (response.status === 401 && path !== '/v1/login') {
        session.user = session.csrf = null;
        lost.forEach(f => f());
    }
    throw new Problem(response.status, { request_id: response.headers.get('X-Request-Id') ?? undefined, ...body });
}

export const get = (path, signal) => call('GET', path, { signal });
export const post = (path, json) => call('POST', path, { json });
export const remove = path => call('DELETE', path);

export async function open_session() {
    const s = await get('/v1/session');
    Object.assign(session, { user: s.user, csrf: s.csrf });
    return s.user;
}

const MAY = { accept: ['analyst', 'policy', 'admin'], answer: ['analyst', 'policy', 'admin'], profile: ['policy', 'admin'], admin: ['admin'], audit: ['analyst', 'policy', 'admin'] };
export const may = what => MAY[what].includes(session.user?.role);

/* "/v1/x" + { a: 1, b: '' } -> "/v1/x?a=1": parameters that say nothing are left out. */
export function url(path, params) {
    const q = new URLSearchParams();
    for (const [k, v] of Object.entries(params)) if (v !== undefined && v !== null && v !== '' && v !== false) q.set(k, v);
    const text = q.toString();
    return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

/* The data of a page.  While a new address loads, the old rows stay (dimmed). path null: nothing to load. */
export function useData(path) {
    const [state, set] = useState({ path: null, data: null, error: null });
    const [turn, again] = useState(0);
    useEffect(() => {
        if (path === null) return undefined;
        const stop = new AbortController();
        get(path, stop.signal).then(
            data => set({ path, turn, data, error: null }),
            error => error.name !== 'AbortError' && set({ path, turn, data: null, error }),
        );
        return () => stop.abort();
    }, [path, turn]);
    const loading = path !== null && (state.path !== path || state.turn !== turn);
    return { data: path === null ? null : state.data, error: loading ? null : state.error, loading, reload: () => again(turn + 1) };
}
