import { untrack } from 'svelte';
import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import { Resource } from '../../lib/api/resource.svelte';
import type { History, Ledger, SeriesReading } from '../../lib/api/types';
import { clockwork } from '../../lib/live/clock.svelte';
import type { Reading } from './reading';

/** As many events as fill a page; the API has those of 90 days. */
const EVENTS = 50;

/** Less than that is the way of the answer, and the second in which the ledger was closed. */
const SAME_CLOCK_MS = 5_000;

/** The parts by what they are called on the page. */
const WORDS: Record<keyof Reading, string> = {
  alerts: 'alerts',
  series: 'series',
  ledger: 'ledger',
  jobs: 'jobs',
  perf: 'requests and memory',
  io: 'disk I/O',
  sqlite: 'SQLite',
  writes: 'write sources',
  health: 'health',
  ingest: 'ingest accounting',
};

/** Readings outlive the page: who comes back sees them at once, with their age. */
class Watch {
  reading: Reading = $state.raw({});
  /** Names of the parts that could not be fetched. */
  missing: string[] = $state.raw([]);
  /** The window of the ledger, in seconds. */
  windowSecs = 300;
  /** By how much the server's clock is ahead of ours. A small computer without a clock of its own may be hours off. */
  private aheadMs = $state(0);

  /** The time at the server, to which its times are to be compared. */
  get now(): number {
    return clockwork.now + this.aheadMs;
  }

  /** The series that the server keeps, by name. */
  readonly catalogue: ReadonlyMap<string, SeriesReading> = $derived(
    new Map(this.reading.series?.series.map((s) => [s.name, s])),
  );

  async fetch(signal: AbortSignal): Promise<Reading> {
    const parts = {
      alerts: api.alerts(EVENTS, signal),
      series: api.series(signal),
      ledger: api.ledger(this.windowSecs, signal),
      jobs: api.jobs(signal),
      perf: api.perf(signal),
      io: api.perfIo(signal),
      sqlite: api.perfSqlite(signal),
      writes: api.writeSources(signal),
      health: api.health(signal),
      ingest: api.ingest(signal),
    };
    const names = Object.keys(parts) as (keyof typeof parts)[];
    const answers = await Promise.allSettled(names.map((name) => parts[name]));
    if (signal.aborted) return this.reading;
    const next: Reading = { ...this.reading };
    const missing: string[] = [];
    let failure: unknown;
    answers.forEach((answer, i) => {
      const name = names[i];
      if (name === undefined) return;
      if (answer.status === 'fulfilled') Object.assign(next, { [name]: answer.value });
      else {
        missing.push(WORDS[name]);
        failure = answer.reason;
      }
    });
    this.missing = missing;
    if (missing.length === names.length)
      throw failure instanceof ApiError ? failure : new ApiError(String(failure), 0);
    this.compareClocks(answers[names.indexOf('ledger')]);
    this.reading = next;
    return next;
  }

  private compareClocks(answer: PromiseSettledResult<unknown> | undefined): void {
    if (answer?.status !== 'fulfilled') return;
    const ahead = (answer.value as Ledger).to_ms - Date.now();
    this.aheadMs = Math.abs(ahead) < SAME_CLOCK_MS ? 0 : ahead;
  }
}

export const watch = new Watch();

/** How the newest values of a series are found. */
export interface HistoryWish {
  /** Names, separated by commas; those that the server does not keep are left out, since it answers to none if it does not know one. */
  names: string;
  secs: number;
  step: number;
  everyMs: number;
}

/** The most series that the server gives at once. */
const MOST_SERIES = 32;

/**
 * The history of what is wished for, fetched anew as often as wished. Called while a component is set up. What is shown stays until the
 * next answer is there, also when the wish changes.
 */
export function historyFeed(wish: () => HistoryWish): Resource<History> {
  const feed = new Resource<History>(async () => ({ from_secs: 0, step_secs: 1, series: [] }));
  const wanted = $derived(wish());
  const names = $derived(
    wanted.names
      .split(',')
      .filter((name) => watch.catalogue.has(name))
      .slice(0, MOST_SERIES)
      .join(','),
  );
  const secs = $derived(wanted.secs);
  const step = $derived(wanted.step);
  const everyMs = $derived(wanted.everyMs);
  $effect(() => {
    if (names === '') return;
    const query = { series: names, step };
    const back = secs;
    feed.set((signal) => {
      const to = Math.floor(untrack(() => watch.now) / 1000);
      return api.history({ ...query, from: to - back, to }, signal);
    }, everyMs);
    return untrack(() => feed.start());
  });
  return feed;
}
