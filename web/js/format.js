/* format.js - values to words.  Pure. */

const MINUTE = 60e3,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR;

/* The distance between two times, in the largest unit that says enough. */
export function span(ms) {
    const d = Math.abs(ms);
    if (d < 1.5 * MINUTE) return `${Math.max(1, Math.round(d / 1e3))} s`;
    if (d < 2 * HOUR) return `${Math.round(d / MINUTE)} min`;
    if (d < 2 * DAY) return `${Math.round(d / HOUR)} h`;
    if (d < 100 * DAY) return `${Math.round(d / DAY)} d`;
    if (d < 730 * DAY) return `${Math.round(d / (30.44 * DAY))} mo`;
    return `${Math.round(d / (365.25 * DAY))} y`;
}

export function relative(text, now = Date.now()) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) return 'unknown';
    if (Math.abs(now - at) < 45e3) return 'just now';
    return at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`;
}

export function utc(text) {
    const at = Date.parse(text);
    return Number.isNaN(at)
        ? String(text)
        : new Date(at)
              .toISOString()
              .replace('T', ' ')
              .replace(/(\.\d+)?Z$/, ' UTC');
}

export const number = n => (n ?? 0).toLocaleString('en-US');

export const count = (n, one, many = one + 's') => `${number(n)} ${n === 1 ? one : many}`;

/* 1234567 -> "1.2 M": for axes and tiles. */
export function short(n) {
    if (n < 10000) return number(n);
    if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e5 ? 1 : 0)} k`;
    return `${(n / 1e6).toFixed(1)} M`;
}

export const digest_short = d => (d ?? '').replace(/^sha256:/, '').slice(0, 12);

/* Only these leave the page: a scanner's "url" is a stranger's text. */
export const safe_url = u => (typeof u === 'string' && /^https:\/\/[^\s]+$/i.test(u) ? u : null);

export const words = text => String(text ?? '').replace(/_/g, ' ');

export const percent = x => (x >= 0.1 ? `${Math.round(x * 100)} %` : x >= 0.001 ? `${(x * 100).toFixed(1)} %` : '< 0.1 %');

/* A word in a shell command line: quoted when it has to be. */
export const shell = text => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${String(text).replace(/'/g, `'\\''`)}'`);
