/* icons.js - small pictures.  Each severity and verdict has its own shape: colour only repeats it. */
import { html } from './ui.js';

const SHAPES = {
    critical: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/><path class="cut" d="M8 4v5M8 11v1.2" />`,
    high: html`<path d="M8 1.2 15.4 14.4H.6z" fill="currentColor"/><path class="cut" d="M8 6v4M8 11.4v1.2"/>`,
    medium: html`<path d="M8 .8 15.2 8 8 15.2.8 8z" fill="currentColor"/>`,
    low: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2.4"/>`,
    negligible: html`<circle cx="8" cy="8" r="3" fill="currentColor"/>`,
    none: html`<circle cx="8" cy="8" r="3" fill="currentColor"/>`,
    pass: html`<circle cx="8" cy="8" r="7.2" fill="currentColor"/><path class="cut" d="m4.6 8.3 2.3 2.4 4.5-5"/>`,
    warn: html`<path d="M8 1.2 15.4 14.4H.6z" fill="currentColor"/><path class="cut" d="M8 6v4M8 11.4v1.2"/>`,
    fail: html`<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/><path class="cut" d="m5.4 5.4 5.2 5.2M10.6 5.4 5.4 10.6"/>`,
    unknown: html`<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2"/>
        <path d="M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.6-.8 1.2M8 11v1.2" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
    fresh: html`<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.8"/>
        <path d="M8 4.4V8l2.4 1.6" fill="none" stroke="currentColor" stroke-width="1.8"/>`,
    stale: html`<path d="M3 1.4h10M3 14.6h10M4.2 1.4c0 4 3.8 4.6 3.8 6.6s-3.8 2.6-3.8 6.6M11.8 1.4c0 4-3.8 4.6-3.8 6.6s3.8 2.6 3.8 6.6" fill="none" stroke="currentColor" stroke-width="1.7"/>`,
    never: html`<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.8"/>
        <path d="m3.4 12.6 9.2-9.2" stroke="currentColor" stroke-width="1.8"/>`,
    overview: html`<path d="M2 2h5v7H2zM9 2h5v4H9zM9 8h5v6H9zM2 11h5v3H2z" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    images: html`<path d="M8 1.2 14.4 4.6v6.8L8 14.8 1.6 11.4V4.6zM1.6 4.6 8 8l6.4-3.4M8 8v6.8" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>`,
    findings: html`<path d="M8 1.2 14 3.4v4.2c0 3.6-2.6 6-6 7.2-3.4-1.2-6-3.6-6-7.2V3.4zM8 5v3.6M8 10.4v1.2" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    packages: html`<path d="M1.8 4.6h12.4v9.6H1.8zM1.8 4.6l2-3h8.4l2 3M6 7.6h4" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>`,
    exceptions: html`<path d="M3 1.6h10v12.8l-2.5-1.8L8 14.4l-2.5-1.8L3 14.4zM5.6 5.4h4.8M5.6 8.4h3" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>`,
    running: html`<path d="M1.4 8h3l2-5 3.4 10 2-5h2.8" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>`,
    alerts: html`<path d="M8 1.4c-2.6 0-4.2 1.9-4.2 4.4v3L2.2 11.6h11.6l-1.6-2.8v-3c0-2.5-1.6-4.4-4.2-4.4zM6.4 12.2a1.7 1.7 0 0 0 3.2 0" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>`,
    nodes: html`<path d="M2 2h12v5H2zM2 9h12v5H2zM4.6 4.5h1.2M4.6 11.5h1.2M9 4.5h2.6M9 11.5h2.6" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    profiles: html`<path d="M2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3M5 8.2l2.2 2.2L11.2 6" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    audit: html`<path d="M2.4 3.4h11.2M2.4 8h11.2M2.4 12.6h7" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
    copy: html`<path d="M5.4 5.4h8.2v8.2H5.4zM10.6 5.2V2.4H2.4v8.2h2.8" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    tick: html`<path d="m2.6 8.6 3.4 3.6 7.4-8.4" fill="none" stroke="currentColor" stroke-width="2"/>`,
    close: html`<path d="m3.4 3.4 9.2 9.2M12.6 3.4l-9.2 9.2" fill="none" stroke="currentColor" stroke-width="1.7"/>`,
    next: html`<path d="m6 3 5 5-5 5" fill="none" stroke="currentColor" stroke-width="1.7"/>`,
    previous: html`<path d="m10 3-5 5 5 5" fill="none" stroke="currentColor" stroke-width="1.7"/>`,
    search: html`<circle cx="6.8" cy="6.8" r="4.8" fill="none" stroke="currentColor" stroke-width="1.5"/>
        <path d="m10.4 10.4 4 4" stroke="currentColor" stroke-width="1.5"/>`,
    light: html`<circle cx="8" cy="8" r="3.2" fill="none" stroke="currentColor" stroke-width="1.5"/>
        <path d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4" stroke="currentColor" stroke-width="1.5"/>`,
    dark: html`<path d="M13.8 9.8A6.2 6.2 0 0 1 6.2 2.2a6.2 6.2 0 1 0 7.6 7.6z" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>`,
    auto: html`<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.5"/>
        <path d="M8 1.6a6.4 6.4 0 0 1 0 12.8z" fill="currentColor"/>`,
    outside: html`<path d="M9.4 2h4.6v4.6M14 2 7.6 8.4M11.6 9v5H2V4.4h5" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
    download: html`<path d="M8 1.6v8.6M4.4 6.8 8 10.4l3.6-3.6M2 13.8h12" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
    keep: html`<path fill="currentColor" d="M1 0h3v2h2.4V0h3.2v2H12V0h3v6.2l-1.2 1.2V16H9.9v-3.4a1.9 1.9 0 0 0-3.8 0V16H2.2V7.4L1 6.2z"/>`,
};

export const Icon = ({ name, size = 14 }) => html`
    <svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">${SHAPES[name] ?? SHAPES.unknown}</svg>`;
