/** The address of a page: `#/page/argument?key=value`. Pure functions; the state is in `location.svelte.ts`. */

export type PageName = 'packets' | 'nodes' | 'channels' | 'observers' | 'perf';

export interface Route {
  /** The page, or `null` when there is no such page. */
  page: PageName | null;
  /** What of the page: a packet hash, a node key, a channel, an observer; empty for its list. */
  item: string;
  query: Readonly<Record<string, string>>;
  /** The path as it was given, for the page that says it does not exist. */
  path: string;
}

const PAGES: ReadonlySet<string> = new Set<PageName>(['packets', 'nodes', 'channels', 'observers', 'perf']);

/** Addresses of the incumbent that mean one of our pages. */
const ALIASES: Readonly<Record<string, PageName>> = {
  '': 'packets',
  home: 'packets',
  live: 'packets',
  packet: 'packets',
};

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '').replace(/^\/+/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = Object.fromEntries(new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)));
  const [first = '', ...rest] = path.split('/');
  const name = ALIASES[first] ?? first;
  if (!isPage(name)) return { page: null, item: '', query, path };
  const item = decode(rest.join('/').replace(/\/+$/, ''));
  // `#/packets/LONGHEX` is how the incumbent links a node from a packet.
  if (name === 'packets' && /^[0-9a-f]{64}$/i.test(item)) return { page: 'nodes', item, query, path };
  return { page: name, item: name === 'packets' ? item.replace(/^id\//, '') : item, query, path };
}

/** Writes an address. Empty and missing query values are left out, so that a page at rest has a short address. */
export function href(
  page: PageName,
  item = '',
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value) search.set(key, value);
  const tail = search.size > 0 ? `?${search.toString().replaceAll('%2C', ',')}` : '';
  return item ? `#/${page}/${encodeURIComponent(item)}${tail}` : `#/${page}${tail}`;
}

function isPage(name: string): name is PageName {
  return PAGES.has(name);
}

/** Addresses are typed and mangled by people and chat programs: a stray percent sign is no reason to fail. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
