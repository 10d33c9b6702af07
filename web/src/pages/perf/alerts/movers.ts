/** Which series moved when something happened. */
import type { History, SeriesValues } from '../../../lib/api/types';

export interface Mover {
  series: SeriesValues;
  before: number;
  after: number;
}

/** A series must have been there for so many of the seconds on both sides. */
const FEWEST = 5;

/** Below this a series was as good as at rest, and any noise would look like a leap. */
const FLOOR = 1;

/**
 * The series whose mean is furthest from what it was before, in proportion, the greatest first. Changes of little things count
 * less: the difference is taken to a floor.
 */
export function movers(history: History, atSecs: number, most: number): Mover[] {
  const place = Math.round((atSecs - history.from_secs) / history.step_secs);
  return history.series
    .flatMap((series) => {
      const before = mean(series.values.slice(0, Math.max(0, place)));
      const after = mean(series.values.slice(Math.max(0, place)));
      return before === null || after === null ? [] : [{ series, before, after }];
    })
    .filter((mover) => leap(mover) > Math.log(1.25))
    .sort((a, b) => leap(b) - leap(a))
    .slice(0, most);
}

function leap({ before, after }: Mover): number {
  return Math.abs(Math.log((Math.abs(after) + FLOOR) / (Math.abs(before) + FLOOR)));
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value): value is number => value !== null);
  return known.length < FEWEST ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
