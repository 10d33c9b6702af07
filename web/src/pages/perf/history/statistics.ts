/** The figures of a series within a window. */
import type { SeriesValues } from '../../../lib/api/types';

export interface Statistics {
  least: number;
  mean: number;
  greatest: number;
  sum: number;
}

/** Of the values that are known; `null` when there are none. */
export function statistics(values: readonly (number | null)[]): Statistics | null {
  const known = values.filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  const sum = known.reduce((total, value) => total + value, 0);
  return { least: Math.min(...known), mean: sum / known.length, greatest: Math.max(...known), sum };
}

/** Series that can share an axis, in the order in which they came. */
export function groups(series: readonly SeriesValues[]): SeriesValues[][] {
  const found = new Map<string, SeriesValues[]>();
  for (const one of series) {
    const key = `${one.kind} ${one.unit}`;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return [...found.values()];
}
