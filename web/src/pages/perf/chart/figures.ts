/** A value of a series in words: always with its unit, and counters always as what they are, so much a second. */
import type { SeriesKind, Unit } from '../../../lib/api/types';
import { bytes, count, duration, millis, percent, perSecond, short } from '../../../lib/format';

const THIN = '\u2009';

const MINUTE_MS = 60_000;

export interface Measure {
  kind: SeriesKind;
  unit: Unit;
}

/**
 * A counter of microseconds grows by at most a million a second for each thread that it measures, so it is told as a share of the
 * time.
 */
export function figure(value: number | null | undefined, { kind, unit }: Measure): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (kind === 'counter') {
    if (unit === 'bytes') return `${bytes(value)}/s`;
    if (unit === 'micros') return percent(value / 1e6, value < 1e4 ? 2 : 1);
    return perSecond(value);
  }
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'micros':
      return millis(value / 1000);
    case 'permille':
      return percent(value / 1000);
    default:
      return value < 1000 ? short(value) : count(value);
  }
}

/** What a counter has come to over some seconds, without "a second". */
export function total(value: number, unit: Unit): string {
  if (unit === 'bytes') return bytes(value);
  return unit === 'micros' ? millis(value / 1000) : count(value);
}

/** The figure of a flag, whose unit is words. */
export function flagFigure(value: number, unit: string): string {
  switch (unit) {
    case 'B':
      return bytes(value);
    case 'B/s':
      return `${bytes(value)}/s`;
    case '%':
      return `${short(value)}${THIN}%`;
    case 'ms':
      return value < MINUTE_MS ? millis(value) : duration(value);
    case '':
      return count(value);
    case 'ratio':
      return `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)}${THIN}×`;
    default:
      return unit.endsWith('/s')
        ? `${short(value)}${THIN}${unit}`
        : `${value < 1000 ? short(value) : count(value)}${THIN}${unit}`;
  }
}

/** Where the lines of a grid may stand: on round numbers of the unit that is shown, which for bytes are powers of two. */
export function increments({ kind, unit }: Measure): number[] {
  if (unit === 'bytes') return Array.from({ length: 51 }, (_, i) => 2 ** i);
  const decimal = Array.from({ length: 45 }, (_, i) => {
    const mantissa = [1, 2, 5][i % 3] ?? 1;
    return Number(`${mantissa}e${Math.floor(i / 3) - 3}`);
  });
  // Requests, rows and packets come whole; only as rates are there parts of them.
  return kind === 'gauge' && unit !== 'micros' && unit !== 'permille'
    ? decimal.filter((n) => n >= 1)
    : decimal;
}

/** The limit of a flag in the unit of a series, to be drawn on its chart; null where the two are of different kinds. */
export function limitOn(limit: number, unit: string, { kind, unit: of }: Measure): number | null {
  const counter = kind === 'counter';
  if (unit === 'B/s') return counter && of === 'bytes' ? limit : null;
  if (unit === 'B') return !counter && of === 'bytes' ? limit : null;
  if (unit === 'ms') return !counter && of === 'micros' ? limit * 1000 : null;
  if (unit === '%') return counter && of === 'micros' ? limit * 1e4 : null;
  if (unit === of) return counter ? null : limit;
  return unit.endsWith('/s') && counter && unit === `${of}/s` ? limit : null;
}
