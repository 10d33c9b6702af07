// Runs before the first paint, so that no reader sees a flash of the other theme. Keep in step with src/lib/prefs.
(() => {
  let saved = {};
  try {
    saved = JSON.parse(localStorage.getItem('mca.prefs') || '{}') || {};
  } catch {
    // Storage may be forbidden or hold someone else's text: the defaults will do.
  }
  const dark = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  const root = document.documentElement;
  root.dataset.theme = saved.theme === 'light' || saved.theme === 'dark' ? saved.theme : dark;
  root.dataset.density = saved.density === 'comfortable' ? 'comfortable' : 'compact';
})();
