import { expect, test } from 'vitest';
import { OFFERED, RANGES, rangeOf, times, windowOf } from './ranges';

test('an address that names no range means the hour', () => {
  expect(rangeOf(undefined).name).toBe('1h');
  expect(rangeOf('a fortnight').name).toBe('1h');
  expect(rangeOf('30d').secs).toBe(30 * 86_400);
});

test('a range has some hundred values, and steps that the history has', () => {
  for (const range of RANGES) {
    expect(range.secs / range.step).toBeGreaterThanOrEqual(280);
    expect(range.secs / range.step).toBeLessThanOrEqual(720);
    expect(range.step === 1 || range.step === 10 || range.step % 60 === 0).toBe(true);
  }
  expect(OFFERED.map((range) => range.name)).toEqual(['10m', '1h', '24h', '7d', '30d']);
});

test('an address that names no window means five minutes', () => {
  expect(windowOf('')).toBe(300);
  expect(windowOf('12')).toBe(300);
  expect(windowOf('86400')).toBe(86_400);
});

test('values are as far apart as the step', () => {
  expect(times(1000, 10, 3)).toEqual([1000, 1010, 1020]);
});
