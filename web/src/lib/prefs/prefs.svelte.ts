/** What this reader prefers, in this browser only. One storage key; opening a link never changes it. */

export type Theme = 'system' | 'dark' | 'light';
export type Density = 'compact' | 'comfortable';

interface Saved {
  theme: Theme;
  density: Density;
  /** Show channels whose key is not known. */
  encrypted: boolean;
}

/** Also read by `public/theme.js`, before the first paint. */
const KEY = 'mca.prefs';

const DEFAULTS: Saved = { theme: 'system', density: 'compact', encrypted: false };

function load(): Saved {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const saved = (typeof value === 'object' && value !== null ? value : {}) as Partial<
      Record<keyof Saved, unknown>
    >;
    return {
      theme: saved.theme === 'dark' || saved.theme === 'light' ? saved.theme : DEFAULTS.theme,
      density: saved.density === 'comfortable' ? 'comfortable' : DEFAULTS.density,
      encrypted: saved.encrypted === true,
    };
  } catch {
    return { ...DEFAULTS };
  }
}

class Prefs {
  private saved: Saved = $state(load());
  private readonly light = window.matchMedia('(prefers-color-scheme: light)');

  constructor() {
    this.light.addEventListener('change', () => this.apply());
  }

  get theme(): Theme {
    return this.saved.theme;
  }

  get density(): Density {
    return this.saved.density;
  }

  get encrypted(): boolean {
    return this.saved.encrypted;
  }

  set<K extends keyof Saved>(key: K, value: Saved[K]): void {
    this.saved[key] = value;
    try {
      localStorage.setItem(KEY, JSON.stringify(this.saved));
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    this.apply();
  }

  /** The theme in effect. */
  get dark(): boolean {
    return this.saved.theme === 'system' ? !this.light.matches : this.saved.theme === 'dark';
  }

  private apply(): void {
    const root = document.documentElement;
    root.dataset.theme = this.dark ? 'dark' : 'light';
    root.dataset.density = this.saved.density;
  }
}

export const prefs = new Prefs();
