/** Addresses within the page: a part that is changed leaves the others as they are. */
import { href } from '../../lib/route/route';

export type Query = Readonly<Record<string, string | undefined>>;

/** Opens the chart of some series. */
export function chartOf(query: Query, names: readonly string[]): string {
  return href('perf', '', { ...query, series: names.join(','), event: undefined, section: undefined });
}

/** Opens the seconds around an event. */
export function blackBoxOf(query: Query, event: number): string {
  return href('perf', '', { ...query, event: String(event), series: undefined, section: undefined });
}

/** The page without what is open beside it. */
export function closed(query: Query): Query {
  return { ...query, series: undefined, event: undefined };
}

/** The parts of the page, in their order. */
export const SECTIONS = [
  ['history', 'History'],
  ['io', 'Disk I/O'],
  ['writer', 'Writer'],
  ['sqlite', 'SQLite'],
  ['sources', 'Write sources'],
  ['ledger', 'Ledger'],
  ['waterfall', 'Amplification'],
  ['wear', 'Wear'],
  ['jobs', 'Jobs'],
  ['memory', 'Memory'],
  ['requests', 'Requests'],
  ['ingest', 'Ingest'],
  ['alerts', 'Alerts'],
] as const;

export type SectionId = (typeof SECTIONS)[number][0];
