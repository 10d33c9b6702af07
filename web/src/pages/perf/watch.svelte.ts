import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import type { Health, Ingest, IoPerf, Perf, SqlitePerf, WriteSources } from '../../lib/api/types';
import { instant } from '../../lib/format';
import type { Sample } from './rates';

/** What the page shows, as of one moment. A part that could not be fetched keeps its last answer. */
export interface Reading {
  perf?: Perf;
  io?: IoPerf;
  sqlite?: SqlitePerf;
  writes?: WriteSources;
  health?: Health;
  ingest?: Ingest;
}

export interface Point {
  writeBytes: number;
  readBytes: number;
  walBytes: number;
  rss: number;
  requests: number;
}

/** Ten minutes of readings, one every five seconds. */
const KEEP = 120;

/** Longer than the readings are apart, so that a single late one does not widen the window of the rates. */
const RATE_WINDOW_MS = 30_000;

/** Readings outlive the page: who comes back sees the line go on. */
class Watch {
  reading: Reading = $state.raw({});
  history: Point[] = $state.raw([]);
  /** Names of the parts that could not be fetched. */
  missing: string[] = $state.raw([]);

  private samples: Sample[] = [];
  private requests: { at: number; total: number } | undefined;

  /** Counter samples between which rates are taken. */
  get span(): [Sample | undefined, Sample | undefined] {
    const last = this.samples.at(-1);
    const first = this.samples.find((s) => last && last.at - s.at <= RATE_WINDOW_MS);
    return [first, last];
  }

  async fetch(signal: AbortSignal): Promise<Reading> {
    const parts = {
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
        missing.push(name);
        failure = answer.reason;
      }
    });
    this.missing = missing;
    if (missing.length === names.length)
      throw failure instanceof ApiError ? failure : new ApiError(String(failure), 0);
    this.note(next);
    this.reading = next;
    return next;
  }

  private note(reading: Reading): void {
    const now = Date.now();
    if (reading.writes) {
      const at = instant(reading.writes.sampleAt) ?? now;
      if (at !== this.samples.at(-1)?.at)
        this.samples = [...this.samples, { at, counters: reading.writes.sources }].slice(-KEEP);
    }
    const total = reading.perf?.totalRequests ?? 0;
    const passed = this.requests ? (now - this.requests.at) / 1000 : 0;
    const requests = this.requests && passed > 0 ? Math.max(0, total - this.requests.total) / passed : 0;
    this.requests = { at: now, total };
    const point: Point = {
      writeBytes: reading.io?.writeBytesPerSec ?? 0,
      readBytes: reading.io?.readBytesPerSec ?? 0,
      walBytes: reading.sqlite?.walSize ?? 0,
      rss: reading.health?.memory.rss ?? 0,
      requests,
    };
    this.history = [...this.history, point].slice(-KEEP);
  }
}

export const watch = new Watch();
