/** The stretches of time over which history is shown, and how finely. */

export interface Range {
  /** As in the address. */
  name: string;
  label: string;
  secs: number;
  /** Seconds from one value to the next; what is kept is that fine. */
  step: number;
  /** How often it is fetched anew: no more often than another value can come. */
  everyMs: number;
}

export const RANGES: readonly [Range, Range, ...Range[]] = [
  { name: '1h', label: '1 h', secs: 3600, step: 10, everyMs: 10_000 },
  { name: '10m', label: '10 min', secs: 600, step: 1, everyMs: 5_000 },
  { name: '24h', label: '24 h', secs: 86_400, step: 300, everyMs: 60_000 },
  { name: '7d', label: '7 d', secs: 604_800, step: 1800, everyMs: 60_000 },
  { name: '30d', label: '30 d', secs: 2_592_000, step: 7200, everyMs: 60_000 },
];

/** From the shortest to the longest, as they are offered. */
export const OFFERED: readonly Range[] = [...RANGES].sort((a, b) => a.secs - b.secs);

/** The range of that name; the hour for a name that there is not. */
export function rangeOf(name: string | undefined): Range {
  return RANGES.find((range) => range.name === name) ?? RANGES[0];
}

/** The windows of the ledger, in seconds. */
export const WINDOWS: readonly (readonly [secs: number, label: string])[] = [
  [300, '5 min'],
  [3600, '1 h'],
  [86_400, '24 h'],
  [604_800, '7 d'],
];

export function windowOf(text: string | undefined): number {
  const secs = Number(text);
  return WINDOWS.some(([known]) => known === secs) ? secs : 300;
}

/** The clock times of the values of a history, in seconds since 1970. */
export function times(fromSecs: number, stepSecs: number, values: number): number[] {
  return Array.from({ length: values }, (_, i) => fromSecs + i * stepSecs);
}
