/* ui.js - the one place that knows which library draws. */
import { h, render, Fragment } from '/vendor/preact-11.2.0.mjs';
import htm from '/vendor/htm-3.1.1.mjs';

export { render, Fragment };
export { useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback } from '/vendor/preact-hooks-11.2.0.mjs';
export const html = htm.bind(h);
