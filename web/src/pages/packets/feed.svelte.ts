import { untrack } from 'svelte';
import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import type { Packet, PacketList } from '../../lib/api/types';
import { apiQuery, matches, type PacketFilter } from './filter';
import { Cell, PAGE, PageStore } from './store';

export { Cell } from './store';

/** Rows that may come in before the whole list is anchored anew. */
const MAX_HEAD = 2000;

/** How often the newest page is asked for when only the server can tell whether a live packet belongs to the list. */
const ASK_MS = 2000;

/** Rows come in while a page is fetched by its number: so often it is tried to hit the right ones. */
const SHIFT_ATTEMPTS = 4;

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

  private filter: PacketFilter = {};
  private atTop = true;
  private head: Cell[] = $state.raw([]);
  private history = $state.raw({ rows: 0, version: 0 });
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
    this.controller = new AbortController();
    this.filter = filter;
    this.since = Date.now();
    this.state = untrack(() => this.rows) > 0 ? this.state : 'loading';
    const list = await this.fetch({ limit: PAGE });
    if (!list) return;
    this.store.clear();
    this.head = [];
    this.pending = [];
    this.missed = false;
    this.shift = 0;
    this.store.put(0, list);
    this.history = { rows: list.total, version: this.history.version + 1 };
    this.state = 'ready';
    this.at = Date.now();
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.settle);
    clearTimeout(this.asking);
    this.asking = undefined;
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
    if (atTop && !this.paused) this.release();
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused && this.atTop) this.release();
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
  receive(batch: readonly Packet[]): void {
    if (this.state !== 'ready') return;
    const fresh: Cell[] = [];
    for (const packet of batch) {
      const known = this.store.cell(packet.hash);
      if (known) known.merge(packet);
      else if (this.isNewer(packet)) this.judge(packet, fresh);
    }
    if (fresh.length > 0) this.add(fresh);
  }

  /** Fetches the newest page and takes from it what is not there yet: after a gap, or when live packets cannot be judged here. */
  async catchUp(): Promise<void> {
    if (this.state !== 'ready') {
      void this.open(this.filter);
      return;
    }
    const list = await this.fetch({ limit: PAGE });
    if (!list) return;
    this.at = Date.now();
    const known = list.packets.findIndex((row) => this.store.cell(row.hash));
    const rows = known < 0 ? list.packets : list.packets.slice(0, known);
    for (const row of list.packets) this.store.cell(row.hash)?.replace(row);
    if (known < 0 && list.total > rows.length) {
      if (this.atTop && !this.paused) void this.open(this.filter);
      else this.missed = true;
    } else if (rows.length > 0) {
      this.add(rows.map((row) => this.store.adopt(new Cell(row))).reverse());
    }
  }

  private judge(packet: Packet, fresh: Cell[]): void {
    const verdict = matches(this.filter, packet);
    if (verdict === 'yes') fresh.push(this.store.adopt(new Cell(packet)));
    else if (verdict === 'ask') {
      this.asking ??= setTimeout(() => {
        this.asking = undefined;
        void this.catchUp();
      }, ASK_MS);
    }
  }

  /** A copy of an old packet, whose row is not loaded, is no new row. */
  private isNewer(packet: Packet): boolean {
    const newest = this.pending[0] ?? this.head[0] ?? this.store.row(0);
    return (
      newest === undefined || packet.first_seen >= newest.data.first_seen || packet.observation_count <= 1
    );
  }

  /** `fresh` is oldest first. */
  private add(fresh: Cell[]): void {
    this.at = Date.now();
    this.shift += fresh.length;
    const rows = fresh.reverse();
    if (this.paused || !this.atTop) this.pending = [...rows, ...this.pending];
    else this.prepend(rows);
  }

  private prepend(rows: Cell[]): void {
    if (this.head.length + rows.length > MAX_HEAD && this.atTop) {
      void this.open(this.filter);
      return;
    }
    this.head = [...rows, ...this.head];
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
    this.store.put(page, list);
    this.history = { ...this.history, version: this.history.version + 1 };
  }

  /** Rows may have come in since the list was anchored: the server's numbers are then ahead, by exactly what its total has grown. */
  private async fetchByNumber(page: number): Promise<PacketList | undefined> {
    let list: PacketList | undefined;
    for (let attempt = 0; attempt < SHIFT_ATTEMPTS; attempt += 1) {
      const shift = this.shift;
      list = await this.fetch({ offset: page * PAGE + shift, limit: PAGE });
      if (!list) return undefined;
      this.shift = list.total - this.history.rows;
      if (this.shift === shift) return list;
    }
    return list;
  }

  /** `undefined` when the request was given up or failed; the failure is then in `error`. */
  private async fetch(more: {
    limit: number;
    cursor?: string;
    offset?: number;
  }): Promise<PacketList | undefined> {
    const controller = this.controller;
    try {
      const list = await api.packets({ ...apiQuery(this.filter, this.since), ...more }, controller.signal);
      if (controller.signal.aborted) return undefined;
      this.error = undefined;
      return list;
    } catch (error) {
      if (!controller.signal.aborted)
        this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
      return undefined;
    }
  }
}
