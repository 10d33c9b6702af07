import { LIVE_FIELDS, type LivePacket } from '../api/types';
import { backoff } from './backoff';
import { type Message, packetsOf, parseMessage } from './message';
import { Place } from './place';

export type LinkState = 'connecting' | 'live' | 'down';

/** What a page does with what arrives. */
export interface Listener {
  /** Observations since the last call, oldest first. At most four calls a second. */
  packets(batch: LivePacket[]): void;
  /** The socket was away for long, or the page too slow: what happened meanwhile has to be fetched. */
  gap(): void;
}

/** Rows are handed on together, so that a busy mesh costs four page updates a second and not a hundred. */
const BATCH_MS = 250;

/** Gaps come in rows when there are any: one catch-up serves them all. */
const GAP_MS = 1000;

/** The rate shown is the mean over this time. */
const RATE_SECONDS = 10;

/** The page's one subscription. */
const SUBSCRIPTION = 'page';

/** The one socket of the page. */
class Live {
  state: LinkState = $state('connecting');
  /** When the last packet came; 0 before the first. */
  lastAt = $state(0);
  /** When the socket was lost; 0 while it stands. */
  downSince = $state(0);
  /** Observations a second. */
  rate = $state(0);
  /** Observations that were not sent live since the page was opened, because the page or the server could not keep up. */
  missed = $state(0);

  private socket: WebSocket | undefined;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private flush: ReturnType<typeof setTimeout> | undefined;
  private batch: LivePacket[] = [];
  private readonly place = new Place();
  private gap: ReturnType<typeof setTimeout> | undefined;
  private readonly perSecond: number[] = new Array(RATE_SECONDS).fill(0);
  /** Seconds counted so far, up to the whole time. */
  private seconds = 0;
  private readonly listeners = new Set<Listener>();

  start(): void {
    this.connect();
    setInterval(() => this.tick(), 1000);
    const hurry = () => {
      if (this.state === 'down' && !document.hidden) this.reconnect();
    };
    window.addEventListener('online', hurry);
    document.addEventListener('visibilitychange', hurry);
  }

  /** Listens until the function returned is called. For `$effect`. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tries now instead of waiting. */
  reconnect(): void {
    clearTimeout(this.retry);
    if (this.state !== 'live') this.connect();
  }

  private connect(): void {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    this.socket?.close();
    const socket = new WebSocket(`${scheme}://${window.location.host}/api/live`);
    this.socket = socket;
    if (this.state !== 'down') this.state = 'connecting';
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  /** The first message says where the server is, so that what was missed can be asked for. */
  private greeted(newest: number): void {
    const { resume, gap } = this.place.start(newest);
    const wish = { type: 'subscribe', id: SUBSCRIPTION, fields: LIVE_FIELDS, resume };
    this.socket?.send(JSON.stringify(wish));
    if (gap) for (const listener of this.listeners) listener.gap();
  }

  private subscribed(): void {
    this.attempt = 0;
    this.state = 'live';
    this.downSince = 0;
  }

  private lost(): void {
    if (this.state !== 'down') this.downSince = Date.now();
    this.state = 'down';
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), backoff(this.attempt, Math.random()));
    this.attempt += 1;
  }

  private received(data: unknown): void {
    const message = parseMessage(data);
    if (!message) return;
    this.place.told(message);
    this.act(message);
  }

  private act(message: Message): void {
    switch (message.type) {
      case 'welcome':
        return this.greeted(message.seq);
      case 'subscribed':
        return this.subscribed();
      case 'observations':
        this.batch.push(...packetsOf(message.rows));
        this.flush ??= setTimeout(() => this.deliver(), BATCH_MS);
        return;
      case 'missed':
        this.missed += message.count;
        return this.fetchSoon();
      case 'error':
        // The page's wish is always the same: what is refused now may be granted later.
        this.socket?.close();
    }
  }

  private fetchSoon(): void {
    this.gap ??= setTimeout(() => {
      this.gap = undefined;
      for (const listener of this.listeners) listener.gap();
    }, GAP_MS);
  }

  private deliver(): void {
    this.flush = undefined;
    const batch = this.batch;
    this.batch = [];
    this.lastAt = Date.now();
    this.perSecond[0] = (this.perSecond[0] ?? 0) + batch.length;
    for (const listener of this.listeners) listener.packets(batch);
  }

  private tick(): void {
    this.seconds = Math.min(this.seconds + 1, RATE_SECONDS);
    const rate = this.perSecond.reduce((sum, n) => sum + n, 0) / this.seconds;
    if (rate !== this.rate) this.rate = rate;
    this.perSecond.pop();
    this.perSecond.unshift(0);
  }
}

export const live = new Live();
