/** The figures of the first screen. */
import type { History, Stage } from '../../../lib/api/types';
import { bytes, count, duration, perSecond, plural, short } from '../../../lib/format';
import { decimalBytes } from '../ledger/wear';
import { type Reading, valuesOf } from '../reading';

export interface KeyFigure {
  name: string;
  value: string;
  /** What else is to be known to read it. */
  note: string;
  /** What opens when it is clicked. */
  series: readonly string[];
  /** Its last hour. */
  past: readonly (number | null)[];
  warn: boolean;
}

/** The series that the figures need the history of. */
export const PAST = [
  'process.write_bytes',
  'rows.obs_inserted',
  'rows.tx_inserted',
  'queue.rows',
  'memory.resident',
  'writer.wait_p99',
] as const;

export function keyFigures(r: Reading, history: History | undefined): KeyFigure[] {
  const written = valuesOf(history, 'process.write_bytes');
  const observations = valuesOf(history, 'rows.obs_inserted');
  return [
    writtenFigure(r, written),
    {
      name: 'Written per observation',
      ...perObservation(r),
      series: ['process.write_bytes', 'rows.obs_inserted'],
      past: written.map((value, i) => ratio(value, observations[i] ?? null)),
      warn: false,
    },
    {
      name: 'Observations stored',
      value: perSecond(latest(r, 'rows.obs_inserted')),
      note: `${perSecond(latest(r, 'rows.tx_inserted'))} new packets`,
      series: ['rows.obs_inserted', 'rows.tx_inserted'],
      past: observations,
      warn: false,
    },
    waitingFigure(r, valuesOf(history, 'queue.rows')),
    memoryFigure(r, valuesOf(history, 'memory.resident')),
    {
      name: 'At this pace',
      value: r.ledger ? `${decimalBytes(r.ledger.wear.bytes_per_day)}/day` : '–',
      note: r.ledger ? `${decimalBytes(r.ledger.wear.bytes_per_year)} a year` : '',
      series: ['process.write_bytes', 'device.written'],
      past: written,
      warn: false,
    },
  ];
}

function writtenFigure({ io, alerts }: Reading, past: KeyFigure['past']): KeyFigure {
  const limit = alerts?.thresholds.write_bytes_per_sec;
  const parts = io ? [io, ...(io.ingestor ? [io.ingestor] : [])].filter((part) => part.available) : [];
  const sum = parts.reduce((total, part) => total + part.writeBytesPerSec, 0);
  const both = io?.ingestor
    ? `server ${bytes(io.writeBytesPerSec)}/s, ingest ${bytes(io.ingestor.writeBytesPerSec)}/s`
    : undefined;
  return {
    name: 'Written to disk',
    value: parts.length > 0 ? `${bytes(sum)}/s` : 'not known',
    note: both ?? (parts.length > 0 ? `over the last ${duration(io?.windowMs)}` : (io?.reason ?? '')),
    series: ['process.write_bytes', 'process.wchar'],
    past,
    warn: limit !== undefined && parts.some((part) => part.writeBytesPerSec > limit),
  };
}

/** From what the system bills, and where it does not tell, from what went to the log. */
function perObservation({ ledger }: Reading): { value: string; note: string } {
  const stages = ledger?.processes.flatMap((process) => process.waterfall) ?? [];
  const known = (name: string): Stage | undefined =>
    stages.find((stage) => stage.stage === name && stage.per_observation !== null);
  const stage = known('write_bytes') ?? known('wal');
  const received = known('received');
  if (!stage) return { value: '–', note: 'none stored in this window' };
  return {
    value: bytes(stage.per_observation),
    note: received ? `${bytes(received.per_observation)} received` : '',
  };
}

function waitingFigure(r: Reading, past: KeyFigure['past']): KeyFigure {
  const rows = r.writes?.sources.rows_waiting ?? r.series?.series.find((s) => s.name === 'queue.rows')?.value;
  const failing = (r.writes?.sources.write_failing ?? 0) > 0;
  return {
    name: 'Waiting to be written',
    value: rows === undefined ? '–' : plural(rows, 'row'),
    note: failing ? 'the database cannot be written' : 'for the next commit',
    series: ['queue.rows', 'write.failing'],
    past,
    warn: failing,
  };
}

function memoryFigure({ health, perf }: Reading, past: KeyFigure['past']): KeyFigure {
  return {
    name: 'Resident memory',
    value: health ? `${count(health.memory.rss)}\u2009MB` : '–',
    note: perf ? `${short(perf.packetStore.trackedMB)}\u2009MB of it packets` : '',
    series: ['memory.resident', 'memory.index'],
    past,
    warn: false,
  };
}

function latest({ series }: Reading, name: string): number | null {
  return series?.series.find((reading) => reading.name === name)?.per_sec ?? null;
}

/** A pace without observations says nothing about one. */
function ratio(value: number | null, of: number | null): number | null {
  return value === null || of === null || of <= 0 ? null : value / of;
}
