import { untrack } from 'svelte';
import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import type { LivePacket, Packet, PacketList } from '../../lib/api/types';
import { apiQuery, type PacketFilter } from './filter';
import { expressionOf, Judge } from './judge';
import { Cell, PAGE, PageStore } from './store';

export { Cell } from './store';

/** Rows that may come in before the whole list is anchored anew. */
const MAX_HEAD = 2000;

/** How often the newest page is asked for when only the server can tell whether a live packet belongs to the list. */
const ASK_MS = 2000;

/** Rows come in while a page is fetched by its number: so often it is tried to hit the right ones. */
const SHIFT_ATTEMPTS = 4;

/** The server looks through old packets for so long and then says how far it got: so often it is asked to go on for one page. */
const MOST_FOLLOWED = 20;

/** A jump may pass many pages on its way; only where it ends is fetched. */
const SETTLE_MS = 40;

/**
 * The packets that match a filter, newest first: pages of history, fetched where the reader looks, below a head of rows that came in
 * since. Row numbers of the history count from the moment it was anchored, so rows that come in do not move it.
 */
export class PacketFeed {
  state: 'loading' | 'ready' = $state('loading');
  error: ApiError | undefined = $state.raw();
  /** When the list or its newest rows were last confirmed by the server. */
  at = $state(0);
  paused = $state(false);
  /** Rows that have come in and are held back, because the reader reads further down or has paused. */
  pending: Cell[] = $state.raw([]);
  /** More came in during a gap than one page holds: the list has a hole above it until it is loaded again. */
  missed = $state(false);

  /** What the server does not take, and so what the list does not show: the list is still that of the filter before. */
  refused: { filter: PacketFilter; error: ApiError } | undefined = $state.raw();

  private filter: PacketFilter = {};
  /** What the reader wants; it becomes `filter` with the answer. */
  private asked: PacketFilter = {};
  private readonly judge = new Judge();
  /** Rows in the head that no longer belong to the list. They go when the reader is at the top. */
  private readonly stale = new Set<string>();
  /** What came in while the list is being loaded, which it may or may not have. */
  private meanwhile: LivePacket[] | undefined;
  private atTop = true;
  private head: Cell[] = $state.raw([]);
  /** `bounded` when there may be more rows than are known of; `searching` while they are looked for. */
  private history = $state.raw({ rows: 0, version: 0, bounded: false, searching: false });
  private readonly store = new PageStore();
  /** How far the server's row numbers are ahead of ours. */
  private shift = 0;
  private wanted = { start: 0, end: 0 };
  private settle: ReturnType<typeof setTimeout> | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private controller = new AbortController();
  private since: number = Date.now();

  constructor(private readonly inserted: (n: number) => void) {}

  get rows(): number {
    return this.head.length + this.history.rows;
  }

  /** Old packets have not all been looked at: there may be more rows. */
  get bounded(): boolean {
    return this.history.bounded;
  }

  get searching(): boolean {
    return this.history.searching;
  }

  row(index: number): Cell | undefined {
    if (index < this.head.length) return this.head[index];
    // Reading the version makes the caller run again when a page arrives.
    return this.history.version >= 0 ? this.store.row(index - this.head.length) : undefined;
  }

  /** Numbers of rows from the place where the list was anchored: rows that come in above do not change them. */
  key(index: number): number {
    return index - this.head.length;
  }

  indexOf(hash: string): number {
    const inHead = this.head.findIndex((cell) => cell.data.hash === hash);
    if (inHead >= 0) return inHead;
    const at = this.store.indexOf(hash);
    return at < 0 ? -1 : at + this.head.length;
  }

  /** Starts over with another filter, or with the same one. */
  async open(filter: PacketFilter): Promise<void> {
    this.stop();
    const controller = new AbortController();
    this.controller = controller;
    this.meanwhile = [];
    this.refused = undefined;
    const since = Date.now();
    this.asked = filter;
    const [list, expression] = await Promise.all([
      this.fetch({ limit: PAGE }, { filter, since }),
      expressionOf(filter),
    ]);
    if (controller.signal.aborted) return;
    const meanwhile = this.meanwhile;
    this.meanwhile = undefined;
    if (!list) {
      // Pages that were on their way have been given up.
      this.loadWanted();
      return;
    }
    this.filter = filter;
    this.since = since;
    this.store.clear();
    this.stale.clear();
    this.head = [];
    this.pending = [];
    this.missed = false;
    this.shift = 0;
    this.history = { rows: list.total, version: this.history.version, bounded: false, searching: false };
    this.put(0, list);
    this.state = 'ready';
    this.at = Date.now();
    this.judge.use(filter, expression);
    this.receive(meanwhile ?? []);
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.settle);
    clearTimeout(this.asking);
    this.asking = undefined;
    this.meanwhile = undefined;
  }

  /** Makes sure that these rows are there, or come. */
  need(start: number, end: number): void {
    this.wanted = { start, end };
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.loadWanted(), SETTLE_MS);
  }

  /** The reader is at the top, where new rows may be shown, or is not. */
  setTop(atTop: boolean): void {
    this.atTop = atTop;
    if (atTop && !this.paused) this.settleTop();
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused && this.atTop) this.settleTop();
  }

  /** Shows the rows that were held back. */
  release(): void {
    if (this.missed) {
      void this.open(this.filter);
      return;
    }
    const rows = this.pending;
    if (rows.length === 0) return;
    this.pending = [];
    this.prepend(rows);
  }

  /** Takes observations as they come off the socket, oldest first. */
  receive(batch: readonly LivePacket[]): void {
    if (this.meanwhile) this.meanwhile.push(...batch);
    if (this.state !== 'ready') return;
    const touched = new Map<string, readonly LivePacket[]>();
    for (const packet of batch) {
      const copies = this.judge.take(packet);
      const known = this.store.cell(packet.hash);
      known?.merge(packet);
      if (this.judge.changes || (!known && this.isNewer(packet))) touched.set(packet.hash, copies);
    }
    const fresh = [...touched.values()].filter((copies) => this.belongs(copies)).map((copies) => Cell.of(copies));
    if (fresh.length > 0) this.add(fresh.map((cell) => this.store.adopt(cell)));
  }

  /** Fetches the newest page and takes from it what is not there yet: after a gap, or when live packets cannot be judged here. */
  async catchUp(): Promise<void> {
    if (this.state !== 'ready' || (this.asked !== this.filter && !this.refused)) {
      void this.open(this.asked);
      return;
    }
    const before = this.head;
    const list = await this.fetch({ limit: PAGE });
    if (!list) return;
    this.at = Date.now();
    const rows = list.packets.filter((row) => !this.store.cell(row.hash));
    for (const row of list.packets) this.store.cell(row.hash)?.replace(row);
    this.markGone(before, list.packets);
    const all = rows.length === list.packets.length && list.total > rows.length;
    if (all || rows.some((row) => row.id < this.anchor)) {
      if (this.atTop && !this.paused) void this.open(this.filter);
      else this.missed = true;
    } else if (rows.length > 0) {
      this.add(rows.map((row) => this.store.adopt(new Cell(row))));
    }
  }

  /** Rows that were there before the page was asked for, and are not on it where they should be. */
  private markGone(before: readonly Cell[], page: readonly Packet[]): void {
    const last = page.at(-1);
    const there = new Set(page.map((row) => row.hash));
    for (const { data } of before) {
      if (last && page.length === PAGE && data.id <= last.id) break;
      if (!there.has(data.hash)) this.stale.add(data.hash);
    }
    if (this.atTop && !this.paused) this.drop();
  }

  /** Whether a packet is a new row; of those that are rows already, whether they still are. */
  private belongs(copies: readonly LivePacket[]): boolean {
    const { hash = '', id = 0 } = copies[0] ?? {};
    let verdict = this.judge.of(copies, Date.now());
    const known = this.store.cell(hash) !== undefined;
    // Of the history only the server knows whether it has it already.
    if (!known && id < this.anchor && verdict !== 'no') verdict = id > this.store.floor ? 'ask' : 'no';
    if (known) {
      if (verdict === 'no') this.stale.add(hash);
      else if (verdict === 'yes') this.stale.delete(hash);
      if (this.stale.size > 0 && this.atTop && !this.paused) this.drop();
    } else if (verdict === 'ask') {
      this.asking ??= setTimeout(() => {
        this.asking = undefined;
        void this.catchUp();
      }, ASK_MS);
    }
    return !known && verdict === 'yes';
  }

  /** Takes rows that no longer belong out of the head. Those of the history stay until it is loaded anew: they are numbered by the server. */
  private drop(): void {
    const stays = (cell: Cell) => !this.stale.has(cell.data.hash);
    const gone = [...this.head, ...this.pending].filter((cell) => !stays(cell));
    this.stale.clear();
    if (gone.length === 0) return;
    for (const cell of gone) this.store.forget(cell);
    this.shift -= gone.length;
    const left = (cell: Cell) => !gone.includes(cell);
    this.head = this.head.filter(left);
    this.pending = this.pending.filter(left);
  }

  private settleTop(): void {
    if (this.stale.size > 0) this.drop();
    this.release();
  }

  /** The newest row of the history. */
  private get anchor(): number {
    return this.store.row(0)?.data.id ?? 0;
  }

  /** A copy of an old packet, whose row is not loaded, is no new row. */
  private isNewer(packet: Packet): boolean {
    const newest = this.pending[0] ?? this.head[0] ?? this.store.row(0);
    return (
      newest === undefined || packet.first_seen >= newest.data.first_seen || packet.observation_count <= 1
    );
  }

  private add(fresh: readonly Cell[]): void {
    this.at = Date.now();
    this.shift += fresh.length;
    if (this.paused || !this.atTop) this.pending = newestFirst([...fresh, ...this.pending]);
    else this.prepend(fresh);
  }

  /** A packet may be found to belong after one that was heard later: rows are in the order of the server all the same. */
  private prepend(rows: readonly Cell[]): void {
    const late = rows.some((cell) => cell.data.id < this.anchor);
    if ((late || this.head.length + rows.length > MAX_HEAD) && this.atTop) {
      void this.open(this.filter);
      return;
    }
    this.head = newestFirst([...rows, ...this.head]);
    this.inserted(rows.length);
  }

  private loadWanted(): void {
    const from = Math.max(0, this.wanted.start - this.head.length);
    const to = Math.min(this.history.rows, this.wanted.end - this.head.length);
    if (to <= from) return;
    const first = Math.floor(from / PAGE);
    const last = Math.floor((to - 1) / PAGE);
    for (let page = first; page <= last; page += 1) void this.loadPage(page);
    this.store.keepNear(first, last);
  }

  private async loadPage(page: number): Promise<void> {
    if (!this.store.claim(page)) return;
    const cursor = this.store.cursor(page);
    const list = cursor ? await this.fetch({ cursor, limit: PAGE }) : await this.fetchByNumber(page);
    this.store.release(page);
    if (!list) return;
    this.put(page, list);
  }

  private put(page: number, list: PacketList): void {
    this.store.put(page, list);
    const bounded = list.totalIsLowerBound === true;
    const isShort = list.packets.length < PAGE && list.nextCursor !== null;
    const end = page * PAGE + list.packets.length;
    let { rows } = this.history;
    // One row more, which is loaded when it is looked at; behind the last page there is none.
    if (bounded && list.nextCursor !== null) rows = Math.max(rows, isShort ? end : end + 1);
    else if (bounded) rows = end;
    this.history = { rows, version: this.history.version + 1, bounded, searching: bounded && isShort };
    if (bounded && isShort) void this.follow(page, list);
  }

  /** Goes on where the server stopped, until the page is full. */
  private async follow(page: number, list: PacketList): Promise<void> {
    const { controller } = this;
    let { packets, nextCursor } = list;
    for (let times = 0; times < MOST_FOLLOWED && nextCursor !== null && packets.length < PAGE; times += 1) {
      const next = await this.fetch({ cursor: nextCursor, limit: PAGE - packets.length });
      if (controller.signal.aborted) return;
      if (!next) break;
      packets = [...packets, ...next.packets];
      nextCursor = next.nextCursor;
      const isDone = packets.length === PAGE || nextCursor === null;
      if (isDone) return this.put(page, { ...next, packets });
      this.store.put(page, { packets, nextCursor });
      const rows = Math.max(this.history.rows, page * PAGE + packets.length);
      this.history = { ...this.history, rows, version: this.history.version + 1 };
    }
    this.history = { ...this.history, searching: false };
  }

  /** Rows may have come in since the list was anchored: the server's numbers are then ahead, by exactly what its total has grown. */
  private async fetchByNumber(page: number): Promise<PacketList | undefined> {
    let list: PacketList | undefined;
    for (let attempt = 0; attempt < SHIFT_ATTEMPTS; attempt += 1) {
      const shift = this.shift;
      list = await this.fetch({ offset: page * PAGE + shift, limit: PAGE });
      if (!list) return undefined;
      // How many there are depends on how far the server looked: no measure of what has come in.
      if (list.totalIsLowerBound) return list;
      this.shift = list.total - this.history.rows;
      if (this.shift === shift) return list;
    }
    return list;
  }

  /** `undefined` when the request was given up or failed; the failure is then in `error`, or in `refused`. */
  private async fetch(
    more: { limit: number; cursor?: string; offset?: number },
    { filter, since } = { filter: this.filter, since: this.since },
  ): Promise<PacketList | undefined> {
    const controller = this.controller;
    try {
      const list = await api.packets({ ...apiQuery(filter, since), ...more }, controller.signal);
      if (controller.signal.aborted) return undefined;
      this.error = undefined;
      return list;
    } catch (thrown) {
      if (controller.signal.aborted) return undefined;
      const error = thrown instanceof ApiError ? thrown : new ApiError(String(thrown), 0);
      if (error.mistake) this.refused = { filter, error };
      else this.error = error;
      return undefined;
    }
  }
}

function newestFirst(cells: readonly Cell[]): Cell[] {
  return [...cells].sort((a, b) => b.data.id - a.data.id);
}
