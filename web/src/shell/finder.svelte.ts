import { api } from '../lib/api/api';
import type { ChannelRow, NodeRow, ObserverRow } from '../lib/api/types';
import { brief } from '../lib/format';
import { prefs } from '../lib/prefs/prefs.svelte';
import type { PageName } from '../lib/route/route';
import { PAGES } from '../pages/pages';

/** One line of the palette: somewhere to go, or something to do. */
export interface Entry {
  id: string;
  kind: string;
  label: string;
  hint?: string;
  page?: PageName;
  item?: string;
  run?: () => void;
}

const MOST = 30;

/** What can be found by typing. Lists are fetched when the palette opens, nodes are asked for by name. */
export class Finder {
  private observers: ObserverRow[] = $state.raw([]);
  private channels: ChannelRow[] = $state.raw([]);
  private nodes: NodeRow[] = $state.raw([]);
  private controller: AbortController | undefined;

  async load(): Promise<void> {
    const [observers, channels] = await Promise.allSettled([api.observers(), api.channels(false)]);
    if (observers.status === 'fulfilled') this.observers = observers.value.observers;
    if (channels.status === 'fulfilled') this.channels = channels.value.channels;
  }

  async searchNodes(text: string): Promise<void> {
    this.controller?.abort();
    const wanted = text.trim();
    if (wanted.length < 2) {
      this.nodes = [];
      return;
    }
    const controller = new AbortController();
    this.controller = controller;
    try {
      const found = await api.nodeSearch(wanted, controller.signal);
      if (!controller.signal.aborted) this.nodes = found.nodes;
    } catch {
      // The other kinds can still be found; the pages themselves say what is wrong with the server.
    }
  }

  find(text: string): Entry[] {
    const wanted = text.trim().toLowerCase();
    const has = (...parts: (string | null | undefined)[]) =>
      parts.some((part) => part?.toLowerCase().includes(wanted));
    const pages: Entry[] = PAGES.filter((p) => has(p.label, p.name)).map((p) => {
      return { id: `p${p.name}`, kind: 'Page', label: p.label, hint: `g ${p.key}`, page: p.name };
    });
    if (wanted === '') return [...pages, ...ACTIONS];
    return [
      ...byHash(wanted),
      ...pages,
      ...this.nodes.map((n) =>
        entry('nodes', 'Node', n.public_key, n.name || brief(n.public_key), n.public_key),
      ),
      ...this.observers
        .filter((o) => has(o.name, o.iata, o.id))
        .map((o) => entry('observers', 'Observer', o.id, o.name || brief(o.id), o.id)),
      ...this.channels
        .filter((c) => has(c.name, c.hash))
        .map((c) => entry('channels', 'Channel', c.hash, c.name, '')),
      ...ACTIONS.filter((a) => has(a.label)),
    ].slice(0, MOST);
  }
}

function entry(page: PageName, kind: string, item: string, label: string, hex: string): Entry {
  return { id: `${page}${item}`, kind, label, hint: hex ? brief(hex) : '', page, item };
}

function byHash(text: string): Entry[] {
  if (/^[0-9a-f]{16}$/.test(text))
    return [{ id: 'hash', kind: 'Packet', label: text.toUpperCase(), page: 'packets', item: text }];
  if (/^[0-9a-f]{64}$/.test(text))
    return [{ id: 'key', kind: 'Node', label: text.toUpperCase(), page: 'nodes', item: text }];
  return [];
}

const ACTIONS: readonly Entry[] = [
  { id: 'dark', kind: 'Do', label: 'Dark theme', run: () => prefs.set('theme', 'dark') },
  { id: 'light', kind: 'Do', label: 'Light theme', run: () => prefs.set('theme', 'light') },
  { id: 'system', kind: 'Do', label: 'Theme as the system has it', run: () => prefs.set('theme', 'system') },
  { id: 'compact', kind: 'Do', label: 'Compact rows', run: () => prefs.set('density', 'compact') },
  {
    id: 'comfortable',
    kind: 'Do',
    label: 'Comfortable rows',
    run: () => prefs.set('density', 'comfortable'),
  },
];
