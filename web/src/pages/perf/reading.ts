/** What the server says of itself, put together. */
import type {
  Alerts,
  Health,
  History,
  Ingest,
  IoPerf,
  Jobs,
  Ledger,
  Perf,
  SeriesReading,
  SqlitePerf,
  WriteSources,
} from '../../lib/api/types';

/** What the page shows, as of one moment. A part that could not be fetched keeps its last answer. */
export interface Reading {
  alerts?: Alerts;
  series?: { series: SeriesReading[] };
  ledger?: Ledger;
  jobs?: Jobs;
  perf?: Perf;
  io?: IoPerf;
  sqlite?: SqlitePerf;
  writes?: WriteSources;
  health?: Health;
  ingest?: Ingest;
}

/** The values of a series in an answer; none where it is not in it. */
export function valuesOf(history: History | undefined, name: string): readonly (number | null)[] {
  return history?.series.find((series) => series.name === name)?.values ?? [];
}
