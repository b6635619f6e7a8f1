/* walk.mjs - see run.sh.  Every claim is a line "ok - claim" or "not ok - claim". */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const need = createRequire(join(process.env.WEB_TOOLS, 'x.js'));
const { chromium } = need('playwright-core');
const AXE = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const BASE = process.env.KEEP_WEB_URL,
    LINK = process.env.KEEP_WEB_LOGIN,
    SHOTS = process.env.WEB_SHOTS;
const only = process.argv[2];

let passed = 0,
    failed = 0;
function claim(text, holds, why = '') {
    if (holds) passed++;
    else failed++;
    console.log(`${holds ? 'ok' : 'not ok'} - ${text}${holds || !why ? '' : `: ${why}`}`);
}

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
    ],
});

/* A page that notes whatever goes wrong in it: errors, CSP violations, requests to elsewhere. */
async function open(options = {}) {
    const context = await browser.newContext({
        baseURL: BASE,
        viewport: { width: 1440, height: 900 },
        reducedMotion: 'reduce',
        ...options,
    });
    const page = await context.newPage(),
        wrong = [];
    await context.addInitScript(() =>
        document.addEventListener('securitypolicyviolation', e =>
            console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`),
        ),
    );
    page.on('console', m => m.type() === 'error' && wrong.push(m.text()));
    page.on('pageerror', e => wrong.push(String(e)));
    page.on('dialog', d => {
        wrong.push('a dialog: ' + d.message());
        d.dismiss();
    });
    page.on('request', r => !r.url().startsWith(BASE) && !r.url().startsWith('data:') && wrong.push('request to ' + r.url()));
    return { context, page, wrong, close: () => context.close() };
}
const settled = async page => {
    await page.waitForSelector('main h1, .alone h1', { state: 'attached' });
    await page.waitForFunction(() => !document.querySelector('.loading, [aria-busy="true"]'), null, { timeout: 15000 });
};
const at = async (page, path) => {
    await page.goto(path);
    await settled(page);
};
const text = (page, selector) => page.locator(selector).first().innerText();

/* ---- logging in: the link works once, so its cookie serves all later pages ---- */
async function logging_in() {
    const t = await open();
    await at(t.page, '/login');
    claim(
        'the login page says what to do, without an error',
        (await text(t.page, '.card')).includes('keepd login-link') && t.wrong.length === 0,
        t.wrong.join('; '),
    );
    await t.page.screenshot({ path: join(SHOTS, 'login-light.png') });
    await at(t.page, '/images');
    claim('without a session a room says that nobody is logged in', (await text(t.page, 'h1')) === 'You are not logged in');
    t.wrong.length = 0;
    await t.page.goto(LINK);
    await t.page.waitForSelector('.strip, .empty');
    claim(
        'a login link opens the overview',
        new URL(t.page.url()).pathname === '/' && t.wrong.length === 0,
        t.page.url() + t.wrong.join('; '),
    );
    claim("the link's secret is gone from the address", !t.page.url().includes('keep_lnk'));
    await t.page.goBack().catch(() => null);
    claim("the link's secret is not in the history", !t.page.url().includes('keep_lnk'), t.page.url());
    const state = await t.context.storageState();
    claim(
        'no secret is kept where scripts can read it',
        state.origins.every(o => o.localStorage.every(e => e.name.startsWith('keep-') && e.value.length < 8)) &&
            state.cookies.every(c => c.httpOnly),
    );
    const u = await open();
    await u.page.goto(LINK);
    await u.page.waitForSelector('.failure');
    claim('a used link is refused calmly', (await text(u.page, 'h1')) === 'This link does not work');
    await u.close();
    await t.close();
    return { cookies: state.cookies, origins: [] };
}

const storageState = await logging_in();
const signed_in = (options = {}) => open({ storageState, ...options });

/* ---- the rooms ---- */
async function digests() {
    const t = await signed_in(),
        answer = async q => (await (await t.context.request.get('/v1/images?' + q)).json()).items;
    const bad = (await answer('verdict=fail&running=true&sort=risk&limit=1'))[0] ?? (await answer('sort=risk&limit=1'))[0],
        never = (await answer('freshness=never_scanned&limit=1'))[0];
    const cve =
        (await (await t.context.request.get(`/v1/images/${bad.digest}/findings?limit=1`)).json()).items[0]?.vulnerability ??
        'CVE-2021-44228';
    /* Their rooms are walked when the fleet has such things. */
    const first = async what => (await (await t.context.request.get(`/v1/${what}?limit=1`)).json()).items?.[0]?.id;
    const one = { node: await first('nodes'), profile: await first('profiles'), alert: await first('alerts') };
    await t.close();
    return { bad: bad.digest, never: never?.digest ?? bad.digest, cve, one };
}
const { bad, never, cve, one } = await digests();
const ROOMS = {
    overview: '/',
    images: '/images',
    'images-filtered': '/images?verdict=fail&running=true&sort=risk',
    'images-none': '/images?q=no-such-repository',
    image: `/images/${bad}`,
    'image-packages': `/images/${bad}?tab=packages`,
    'image-issues': `/images/${bad}?tab=issues`,
    'image-scans': `/images/${bad}?tab=scans`,
    'image-places': `/images/${bad}?tab=places`,
    'image-history': `/images/${bad}?tab=history`,
    'image-never-scanned': `/images/${never}`,
    findings: '/findings',
    'findings-who': `/findings?vulnerability=${cve}`,
    packages: '/packages',
    'packages-who': '/packages?name=log4j-core&version=%3C+2.17.1',
    running: '/running',
    containers: '/containers',
    nodes: '/nodes',
    profiles: '/profiles',
    alerts: '/alerts',
    ...Object.fromEntries(Object.entries(one).flatMap(([what, id]) => (id === undefined ? [] : [[what, `/${what}s/${id}`]]))),
    exceptions: '/exceptions',
    audit: '/audit',
};
const THEMES = ['light', 'dark'];

async function rooms_are_clean() {
    for (const colorScheme of THEMES) {
        const t = await signed_in({ colorScheme });
        for (const [name, path] of Object.entries(ROOMS)) {
            t.wrong.length = 0;
            await at(t.page, path);
            const height = await t.page.evaluate(() => Math.min(1500, document.documentElement.scrollHeight));
            await t.page.screenshot({
                path: join(SHOTS, `${name}-${colorScheme}.png`),
                fullPage: true,
                clip: { x: 0, y: 0, width: 1440, height },
            });
            claim(
                `${name}, ${colorScheme}: no console error, no CSP violation, nothing asked from elsewhere`,
                t.wrong.length === 0,
                t.wrong.join('; '),
            );
        }
        await t.close();
    }
}

async function rooms_are_accessible() {
    for (const colorScheme of THEMES) {
        const t = await signed_in({ colorScheme });
        await t.context.addInitScript({ content: AXE });
        for (const [name, path] of [...Object.entries(ROOMS), ['login', '/login']]) {
            await at(t.page, path);
            const found = await axe(t.page);
            claim(`${name}, ${colorScheme}: axe finds nothing`, found.length === 0, found.join(' | '));
        }
        await at(t.page, '/exceptions');
        await t.page.keyboard.press('?');
        await t.page.waitForSelector('dialog[open]');
        claim(`keyboard help, ${colorScheme}: axe finds nothing`, (await axe(t.page)).length === 0);
        await t.page.screenshot({ path: join(SHOTS, `help-${colorScheme}.png`) });
        await t.page.keyboard.press('Escape');
        await t.page.getByRole('button', { name: 'New exception' }).click();
        await t.page.waitForSelector('dialog[open]');
        const found = await axe(t.page);
        claim(`new exception, ${colorScheme}: axe finds nothing`, found.length === 0, found.join(' | '));
        await t.page.screenshot({ path: join(SHOTS, `exception-new-${colorScheme}.png`) });
        await t.close();
    }
}
const axe = page =>
    page.evaluate(async () =>
        (
            await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
        ).violations.map(
            v =>
                `${v.id}: ${v.nodes
                    .slice(0, 2)
                    .map(n => `${n.html.slice(0, 140)} ${n.any[0]?.message ?? ''}`)
                    .join(' ; ')}`,
        ),
    );

async function keyboard() {
    const t = await signed_in(),
        { page } = t,
        focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
    await at(page, '/');
    await page.keyboard.press('Tab');
    claim('the first stop of Tab is the skip link', (await focus()) === 'Skip to the content');
    await page.keyboard.press('Enter');
    claim('the skip link leads to the content', (await focus()) === 'main' || page.url().endsWith('#main'));
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForURL('**/images');
    await settled(page);
    claim('g i goes to Images and its heading has the focus', (await focus()) === 'Images');
    await page.keyboard.press('j');
    const first = await focus();
    await page.keyboard.press('j');
    const second = await focus();
    await page.keyboard.press('k');
    claim('j and k walk the rows', first !== second && (await focus()) === first, `${first} / ${second}`);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/images/sha256:*');
    claim('Enter opens the row', true);
    await settled(page);
    await page.keyboard.press('/');
    claim('/ goes to the search', (await focus()) === 'search');
    await page.keyboard.type('log4j-core < 2.17.1');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/packages?*');
    claim('a package with a range is looked up among packages', new URL(page.url()).searchParams.get('version') === '< 2.17.1', page.url());
    await settled(page);
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    claim('? opens the help and Escape closes it', true);
    const seen = new Set();
    await at(page, '/images');
    for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        seen.add(
            await page.evaluate(() => {
                const r = document.activeElement.getBoundingClientRect(),
                    s = getComputedStyle(document.activeElement);
                return r.width > 0 && s.outlineStyle !== 'none' ? 'shown' : document.activeElement.outerHTML.slice(0, 120);
            }),
        );
    }
    claim('whatever has the focus shows it', seen.size === 1 && seen.has('shown'), [...seen].join(' ; '));
    await t.close();
}

async function address_is_the_state() {
    const t = await signed_in(),
        { page } = t,
        rows = () => page.locator('tbody tr').count();
    for (const [name, path] of Object.entries(ROOMS)) {
        const answer = await page.goto(path);
        if (answer.status() !== 200) claim(`${name}: its address can be loaded anew`, false, String(answer.status()));
    }
    claim('every address can be loaded anew', true);
    claim('an address of no room is answered 404', (await t.context.request.get('/no-such-room')).status() === 404);
    await at(page, '/images');
    const first = await text(page, 'tbody th .name'),
        all = await text(page, '.pager [role=status]');
    await page.getByRole('link', { name: 'Next' }).click();
    await page.waitForURL('**cursor=*');
    await settled(page);
    claim(
        'the next page shows other rows',
        (await text(page, 'tbody th .name')) !== first || (await text(page, '.pager [role=status]')) !== all,
    );
    claim('the pages are counted', /^51–/.test(await text(page, '.pager [role=status]')), await text(page, '.pager [role=status]'));
    await page.reload();
    await settled(page);
    claim('a page survives a reload', /^51–/.test(await text(page, '.pager [role=status]')));
    await page.getByRole('button', { name: 'Previous' }).click();
    await page.waitForFunction(() => !location.search.includes('cursor'));
    await settled(page);
    claim('the previous page comes back', (await text(page, '.pager [role=status]')) === all);
    await page.locator('select[name=verdict]').selectOption('fail');
    await page.waitForURL('**verdict=fail*');
    await settled(page);
    const failing = await rows();
    await page.getByRole('checkbox', { name: 'running' }).check();
    await page.waitForURL('**running=true*');
    await settled(page);
    claim('filters are in the address', new URL(page.url()).search === '?verdict=fail&running=true', page.url());
    claim('a filter narrows the rows', (await rows()) <= failing);
    await page.goBack();
    await settled(page);
    claim(
        'back takes one filter away',
        new URL(page.url()).search === '?verdict=fail' && (await page.getByRole('checkbox', { name: 'running' }).isChecked()) === false,
    );
    await page.goForward();
    await settled(page);
    claim(
        'forward brings it back',
        (await page.getByRole('checkbox', { name: 'running' }).isChecked()) &&
            (await page.locator('select[name=verdict]').inputValue()) === 'fail',
    );
    await page.getByRole('link', { name: /sort the highest risk first/ }).click();
    await page.waitForURL('**sort=risk*');
    await settled(page);
    claim('a heading sorts and says so', (await page.locator('th[aria-sort]').innerText()).startsWith('Open findings'));
    await at(page, '/');
    await page.locator('.bar').first().click();
    await page.waitForURL('**/images?*');
    await settled(page);
    claim('a bar of scan ages leads to its images', /age_max|freshness/.test(page.url()), page.url());
    await t.close();
}

/* ---- what a hostile scanner may have written ---- */
const HOSTILE = [
    '<img src=x onerror="window.pwned=1">',
    '"><script>window.pwned=1</script>',
    '</title><svg/onload=window.pwned=1>',
    "'-window.pwned=1-'",
];
const FREE = new Set([
    'title',
    'message',
    'package',
    'name',
    'version',
    'fixed_version',
    'reason',
    'owner',
    'reference',
    'repository',
    'team',
    'workload',
    'namespace',
    'container',
    'cluster',
    'file',
    'rule',
    'policy',
    'remediation',
    'where',
    'scanner',
    'pipeline',
    'uploaded_by',
    'actor_name',
    'object_id',
    'ecosystem',
    'vulnerability',
    'detail',
    'cause',
    'text',
    'label',
    'family',
    'base_image',
    'licences',
    'path',
    'subject',
]);
function poison(value, key, n = { i: 0 }) {
    if (Array.isArray(value)) return value.map(v => poison(v, key, n));
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v, k, n)]));
    if (typeof value !== 'string') return value;
    if (key === 'url' || key === 'link') return 'javascript:window.pwned=1';
    return FREE.has(key) ? HOSTILE[n.i++ % HOSTILE.length] : value;
}
async function strangers_texts_are_text() {
    const t = await signed_in(),
        { page } = t;
    await t.context.route('**/v1/**', async route => {
        const answer = await route.fetch();
        if (!/json/.test(answer.headers()['content-type'] ?? '')) return route.fulfill({ response: answer });
        return route.fulfill({ response: answer, json: poison(await answer.json()) });
    });
    for (const [name, path] of Object.entries(ROOMS)) {
        t.wrong.length = 0;
        await at(page, path);
        const r = await page.evaluate(() => ({
            pwned: window.pwned,
            odd: document.querySelectorAll('#app img, #app script, [onerror], [onload], a[href^="javascript"]').length,
            shown: document.body.innerText.includes('<img src=x onerror=') || document.body.innerText.includes('window.pwned=1'),
        }));
        claim(
            `${name}: hostile text stays text`,
            r.pwned === undefined && r.odd === 0 && t.wrong.length === 0,
            JSON.stringify(r) + t.wrong.join('; '),
        );
        if (['image', 'findings', 'running', 'audit', 'overview'].includes(name)) claim(`${name}: and it is shown as it is`, r.shown);
    }
    await page.screenshot({ path: join(SHOTS, 'hostile.png') });
    await t.close();
}

async function narrow_and_wide() {
    const t = await signed_in({ viewport: { width: 360, height: 740 } });
    for (const [name, path] of Object.entries(ROOMS)) {
        await at(t.page, path);
        const over = await t.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        claim(`${name}: fits 360 pixels`, over <= 0, `${over} too wide`);
        if (['overview', 'images', 'image', 'exceptions'].includes(name)) await t.page.screenshot({ path: join(SHOTS, `${name}-360.png`) });
    }
    await t.close();
    const w = await signed_in({ viewport: { width: 2560, height: 1300 } });
    await at(w.page, '/');
    await w.page.screenshot({ path: join(SHOTS, 'overview-wide.png') });
    await w.close();
}

async function theme() {
    const t = await signed_in({ colorScheme: 'light' }),
        { page } = t,
        colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await at(page, '/');
    const light = await colour();
    await page.keyboard.press('t');
    await page.keyboard.press('t');
    const dark = await colour();
    await page.reload();
    await settled(page);
    claim('the chosen theme is kept', light !== dark && (await colour()) === dark, `${light} ${dark}`);
    await page.keyboard.press('t');
    claim('the third press follows the system again', (await colour()) === light);
    await t.close();
}

async function writing() {
    const t = await signed_in(),
        { page } = t;
    await at(page, '/exceptions');
    await page.getByRole('button', { name: 'New exception' }).click();
    await page.getByLabel('Reason').fill('Not reachable: the feature is off here');
    await page.getByRole('button', { name: 'Accept until then' }).click();
    await page.waitForSelector('dialog .failure');
    claim(
        'a refused exception says what is wrong and keeps what was typed',
        (await page.getByLabel('Reason').inputValue()).startsWith('Not reachable'),
    );
    await page.locator('dialog input[name=vulnerability]').fill('CVE-2024-6387');
    await page.locator('dialog input[name=repository]').fill('registry.example/walk/*');
    await page.getByRole('button', { name: 'Accept until then' }).click();
    await page.waitForSelector('.notice');
    await settled(page);
    claim(
        'an exception can be made',
        (await text(page, '.notice')).includes('CVE-2024-6387') && (await text(page, 'tbody')).includes('registry.example/walk/*'),
    );
    const row = page.locator('tbody tr', { hasText: 'registry.example/walk/*' }).first();
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.waitForSelector('.notice >> text=Revoked');
    await settled(page);
    claim(
        'an exception can be revoked',
        (
            await page
                .locator('tbody tr', { hasText: 'registry.example/walk/*' })
                .first()
                .innerText()
                .catch(() => 'revoked')
        ).includes('revoked'),
    );
    if (one.alert !== undefined) await answering_alerts(page);
    await at(page, `/images/${bad}?tab=scans`);
    const [file] = await Promise.all([
        page.waitForEvent('download'),
        page
            .getByRole('link', { name: /Download/ })
            .first()
            .click(),
    ]);
    claim('the evidence can be downloaded', /^evidence-[0-9a-f]{12}\.json$/.test(file.suggestedFilename()), file.suggestedFilename());
    await t.close();
}

async function answering_alerts(page) {
    await at(page, '/alerts?state=open');
    const title = await text(page, 'tbody th .name'),
        row = page.locator('tbody tr', { hasText: title }).first();
    await row.getByRole('button', { name: /Acknowledge/ }).click();
    await page.getByRole('dialog').getByLabel('Note').fill('Looked at in the walk');
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge', exact: true }).click();
    await page.waitForSelector('.notice >> text=acknowledged');
    claim('an alert can be acknowledged', true);
    await at(page, `/alerts/${one.alert}`);
    const story = await text(page, 'main');
    claim('an alert tells its story', ['What happened', 'Where', 'Who did it'].every(t => story.includes(t)), story);
    await page.getByRole('button', { name: 'Suppress' }).click();
    await page.getByLabel('Reason').fill('Expected until the new image is out');
    await page.getByRole('button', { name: 'Keep quiet until then' }).click();
    await page.waitForSelector('.notice >> text=Suppressed');
    claim('what is known can be kept quiet for a time', true);
}

async function failing_calmly() {
    const t = await signed_in(),
        { page } = t;
    await at(page, `/images/sha256:${'0'.repeat(64)}`);
    claim('an unknown digest says how it becomes known', (await text(page, 'main')).includes('keepctl scan upload'));
    await t.context.route('**/v1/posture*', r => r.abort());
    await at(page, '/');
    claim(
        'a server that does not answer is said calmly, with a way on',
        (await text(page, '.failure')).includes('does not answer') && (await page.getByRole('button', { name: 'Try again' }).isVisible()),
    );
    await t.context.unroute('**/v1/posture*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForSelector('.strip');
    claim('and trying again works', true);
    await t.context.route('**/v1/audit*', r =>
        r.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: '{"title":"Unavailable","status":503,"detail":"the queue is full","request_id":"req-77"}',
        }),
    );
    await at(page, '/audit');
    claim('a problem shows its request id', (await text(page, '.failure')).includes('req-77'));
    await t.context.route('**/v1/images?*', r =>
        r.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"title":"Unauthorized","status":401}' }),
    );
    await page.getByRole('link', { name: 'Images', exact: true }).click();
    await page.waitForSelector('.card');
    claim('a session that ended asks to log in again', (await text(page, 'h1')) === 'You are not logged in');
    await t.close();
}

const all = {
    rooms_are_clean,
    rooms_are_accessible,
    keyboard,
    address_is_the_state,
    strangers_texts_are_text,
    narrow_and_wide,
    theme,
    writing,
    failing_calmly,
};
for (const [name, run] of Object.entries(all)) {
    if (only && only !== name) continue;
    try {
        await run();
    } catch (e) {
        claim(`${name} goes through`, false, String(e).split('\n').slice(0, 6).join(' '));
    }
}
await browser.close();
console.log(`web: ${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
