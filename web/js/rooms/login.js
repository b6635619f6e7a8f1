/* login.js - a one-time link becomes a session; without one, what to do. */
import { html, useEffect, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Command, Failure, Loading } from '../parts.js';
import { post, session } from '../api.js';
import { go } from '../router.js';

const Card = ({ title, children }) => {
    useEffect(() => {
        document.title = `${title} · Keep`;
    }, [title]);
    return html`<main class="alone"><div class="card">
        <p class="card-brand"><${Icon} name="keep" size=${26} /><span>Keep</span></p><h1>${title}</h1>${children}</div></main>`;
};

const HowTo = () => html`
    <p>Keep has no passwords. A link that works once, for a short time, opens a session in this browser.</p>
    <ul class="steps">
        <li><b>Somebody else runs Keep:</b> ask an administrator for a login link with your name on it.</li>
        <li><b>You run it:</b> <code>keepd init</code> printed the first link. When it is used up, stop the server and print another:<${Command}>keepd login-link admin<//></li>
    </ul>
    <p class="quiet">Scripts and pipelines do not log in: they use a token with <code>keepctl</code>.</p>`;

export const NoSession = () => html`<${Card} title="You are not logged in"><${HowTo} /><//>`;

export function Login({ onDone }) {
    const [error, set] = useState(null);
    const [link] = useState(location.hash.slice(1));
    useEffect(() => {
        if (!link) return;
        history.replaceState(null, '', '/login'); /* the secret must not stay in the address or the history */
        post('/v1/login', { link: decodeURIComponent(link) }).then(s => {
            Object.assign(session, { user: s.user, csrf: s.csrf });
            onDone();
            go('/', { replace: true });
        }, set);
    }, []);
    if (!link) return html`<${Card} title="Log in"><${HowTo} /><//>`;
    if (!error) return html`<${Card} title="Logging in"><${Loading} what="One moment" /><//>`;
    return html`<${Card} title="This link does not work"><${Failure} error=${error} /><${HowTo} /><//>`;
}
