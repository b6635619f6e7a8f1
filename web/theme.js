/* theme.js - applies the chosen theme before the first paint, hence not a module. */
(function () {
    'use strict';
    try {
        var theme = localStorage.getItem('keep-theme');
        if (theme === 'light' || theme === 'dark')
            document.documentElement.dataset.theme = theme;
    } catch { /* storage is off: follow the system */ }
})();
