/* filters.js - a row of filters whose state is the address. */
import { html } from './ui.js';
import { Icon } from './icons.js';
import { go, here, href_with } from './router.js';

const change = (name, value) => go(href_with({ [name]: value }));

const draw = {
    text: (f, value) => html`<label class="field"><span>${f.label}</span>
        <input key=${value} name=${f.name} value=${value} placeholder=${f.hint} type="search" autocomplete="off" spellcheck="false" onChange=${e => change(f.name, e.target.value.trim())} /></label>`,
    choice: (f, value) => html`<label class="field"><span>${f.label}</span>
        <select name=${f.name} value=${value} onChange=${e => change(f.name, e.target.value)}>
            <option value="" selected=${value === ''}>any</option>
            ${f.options.map(([v, text]) => html`<option key=${v} value=${v} selected=${v === value}>${text}</option>`)}
            ${value !== '' && !f.options.some(([v]) => v === value) && html`<option value=${value} selected>${value}</option>`}
        </select></label>`,
    flag: (f, value) =>
        html`<label class="flag"><input type="checkbox" name=${f.name} checked=${value === 'true'} onChange=${e => change(f.name, e.target.checked ? 'true' : null)} />${f.label}</label>`,
};

export function Filters({ fields, label }) {
    const { query } = here();
    const on = fields.filter(f => query.has(f.name));
    return html`<form class="filters" role="search" aria-label=${label} onSubmit=${e => {
        e.preventDefault();
        for (const f of fields)
            if (f.kind === 'text') {
                const v = e.target.elements[f.name].value.trim();
                if (v !== (query.get(f.name) ?? '')) change(f.name, v);
            }
    }}>
        ${fields.filter(f => f.kind).map(f => html`<${Field} key=${f.name} field=${f} value=${query.get(f.name) ?? ''} />`)}
        ${
            on.length > 0 &&
            html`<p class="active" role="status"><span class="sr">Filters: </span>${on.map(
                f => html`
            <a key=${f.name} class="pill" href=${href_with({ [f.name]: null })}>
                ${f.says ? f.says(query.get(f.name)) : `${f.label}: ${words_of(f, query.get(f.name))}`}
                <${Icon} name="close" size=${9} /><span class="sr"> (remove this filter)</span></a>`,
            )}
            <a class="clear" href=${href_with(Object.fromEntries(fields.map(f => [f.name, null])))}>Clear all</a></p>`
        }
    </form>`;
}

const Field = ({ field, value }) => draw[field.kind](field, value);

const words_of = (f, v) => (f.kind === 'flag' ? 'yes' : ((f.options ?? []).find(([o]) => o === v)?.[1] ?? v));
