/* app.js - starts the interface: who is here, which room is asked for. */
import { html, render, useEffect, useRef, useState } from './js/ui.js';
import { on_session_lost, open_session } from './js/api.js';
import { catch_links, useHere } from './js/router.js';
import { Failure, Loading } from './js/parts.js';
import { Shell } from './js/shell.js';
import { Login, NoSession } from './js/rooms/login.js';
import { Overview } from './js/rooms/overview.js';
import { Images } from './js/rooms/images.js';
import { Image } from './js/rooms/image.js';
import { Findings } from './js/rooms/findings.js';
import { Packages } from './js/rooms/packages.js';
import { Exceptions } from './js/rooms/exceptions.js';
import { Running } from './js/rooms/running.js';
import { Containers } from './js/rooms/containers.js';
import { Nodes } from './js/rooms/nodes.js';
import { Node } from './js/rooms/node.js';
import { Profiles } from './js/rooms/profiles.js';
import { Profile } from './js/rooms/profile.js';
import { Alerts } from './js/rooms/alerts.js';
import { Alert } from './js/rooms/alert.js';
import { Audit } from './js/rooms/audit.js';

/* The server answers the same paths with the page: server/http/static.c, `rooms`. */
const ROOMS = [
    [/^\/$/, Overview],
    [/^\/images$/, Images],
    [/^\/images\/(sha256:[0-9a-f]{64})$/, Image],
    [/^\/findings$/, Findings],
    [/^\/packages$/, Packages],
    [/^\/exceptions$/, Exceptions],
    [/^\/running$/, Running],
    [/^\/containers$/, Containers],
    [/^\/nodes$/, Nodes],
    [/^\/nodes\/([0-9A-Za-z]{1,64})$/, Node],
    [/^\/profiles$/, Profiles],
    [/^\/profiles\/([\w.~-]{1,200})$/, Profile],
    [/^\/alerts$/, Alerts],
    [/^\/alerts\/([0-9]{1,19})$/, Alert],
    [/^\/audit$/, Audit],
];
/* A colon may come as %3A; whatever else is encoded is no room of ours. */
const plain = path => path.replace(/%3A/gi, ':');
const is_room = path => path === '/login' || ROOMS.some(([pattern]) => pattern.test(plain(path)));

function Room({ path }) {
    for (const [pattern, room] of ROOMS) {
        const match = plain(path).match(pattern);
        if (match) return html`<${room} key=${room.name} id=${match[1]} />`;
    }
    return html`<${Failure} error=${{ status: 404, detail: 'No room has this address. The rail on the side lists them all.' }} />`;
}

/* A new room is announced by moving the focus to its heading, as a page load would. */
function useArrival(path) {
    const first = useRef(true);
    useEffect(() => {
        if (first.current) first.current = false;
        else document.querySelector('main h1')?.focus({ preventScroll: true });
    }, [path]);
}

function App() {
    const { path } = useHere();
    const [state, set] = useState('opening');
    const at_login = path === '/login';
    const open = () =>
        open_session().then(
            () => set('open'),
            e => set(e.status === 401 ? 'none' : e),
        );
    useEffect(() => {
        if (!at_login && state === 'opening') open();
    }, [at_login]);
    useEffect(() => on_session_lost(() => set('none')), []);
    useArrival(path);
    if (at_login) return html`<${Login} onDone=${() => set('open')} />`;
    if (state === 'opening') return html`<div class="alone"><${Loading} what="Opening Keep" /></div>`;
    if (state === 'none') return html`<${NoSession} />`;
    if (state !== 'open') return html`<main class="alone"><h1 class="sr">Keep</h1><${Failure} error=${state} retry=${open} /></main>`;
    return html`<${Shell}><${Room} path=${path} /><//>`;
}

catch_links(is_room);
render(html`<${App} />`, document.getElementById('app'));
