/** Keyboard shortcuts. Pages add theirs while they are open; the newest wins. */

export type KeyMap = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** A second key must follow "g" within this time. */
const CHORD_MS = 1200;

class Keys {
  private readonly maps: KeyMap[] = [];
  private chordUntil = 0;

  constructor() {
    window.addEventListener('keydown', (event) => this.pressed(event));
  }

  /** Adds shortcuts until the function returned is called. For `$effect`. */
  use(map: KeyMap): () => void {
    this.maps.unshift(map);
    return () => {
      const at = this.maps.indexOf(map);
      if (at >= 0) this.maps.splice(at, 1);
    };
  }

  private pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const name = this.name(event);
    if (name === '' || (isEditable(event.target) && name !== 'Escape' && name !== 'Ctrl+k')) return;
    if (name !== 'Ctrl+k' && document.querySelector('dialog[open]')) return;
    if (name === 'g') {
      this.chordUntil = event.timeStamp + CHORD_MS;
      return;
    }
    const handler = this.maps.find((map) => Object.hasOwn(map, name))?.[name];
    if (!handler) return;
    event.preventDefault();
    handler(event);
  }

  /** "j", "Ctrl+k", or "g p" for the second key of a chord. */
  private name(event: KeyboardEvent): string {
    if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === 'k' ? 'Ctrl+k' : '';
    const chord = event.timeStamp < this.chordUntil;
    this.chordUntil = 0;
    return chord && event.key.length === 1 ? `g ${event.key}` : event.key;
  }
}

function isEditable(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export const keys = new Keys();

/** What the sheet behind "?" lists. */
export const SHORTCUTS: readonly (readonly [
  group: string,
  rows: readonly (readonly [keys: string, what: string])[],
])[] = [
  [
    'Anywhere',
    [
      ['Ctrl K', 'Command palette'],
      ['/', 'Filter or search'],
      ['?', 'This sheet'],
      ['Esc', 'Close, or back to the list'],
    ],
  ],
  [
    'Lists',
    [
      ['j  k  ↓  ↑', 'Next and previous row'],
      ['Enter', 'Open the row'],
      ['Home  End', 'First and last row'],
      ['PgDn  PgUp', 'A screen on'],
      ['p', 'Pause or resume the packets'],
    ],
  ],
  [
    'Go to',
    [
      ['g p', 'Packets'],
      ['g n', 'Nodes'],
      ['g o', 'Observers'],
      ['g c', 'Channels'],
      ['g s', 'Performance'],
    ],
  ],
];
