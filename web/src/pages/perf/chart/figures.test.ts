import { expect, test } from 'vitest';
import { figure, flagFigure, increments, limitOn, total } from './figures';

const plain = (text: string) => text.replaceAll('\u2009', ' ');

test('a counter is told per second, a gauge as it is', () => {
  expect(plain(figure(41_984, { kind: 'counter', unit: 'bytes' }))).toBe('41.0 KB/s');
  expect(plain(figure(41_984, { kind: 'gauge', unit: 'bytes' }))).toBe('41.0 KB');
  expect(plain(figure(4.5, { kind: 'counter', unit: 'rows' }))).toBe('4.5/s');
  expect(plain(figure(12, { kind: 'gauge', unit: 'rows' }))).toBe('12');
});

test('microseconds a second are a share of the time, and otherwise a duration', () => {
  expect(plain(figure(250_000, { kind: 'counter', unit: 'micros' }))).toBe('25.0 %');
  expect(plain(figure(1_500, { kind: 'counter', unit: 'micros' }))).toBe('0.15 %');
  expect(plain(figure(2_500, { kind: 'gauge', unit: 'micros' }))).toBe('2.5 ms');
});

test('what is not known is not zero', () => {
  expect(figure(null, { kind: 'counter', unit: 'bytes' })).toBe('–');
  expect(figure(Number.NaN, { kind: 'gauge', unit: 'rows' })).toBe('–');
});

test('a total has no second in it', () => {
  expect(plain(total(2048, 'bytes'))).toBe('2.0 KB');
  expect(plain(total(1_234_567, 'rows'))).toBe('1 234 567');
  expect(plain(total(2_500_000, 'micros'))).toBe('2.50 s');
});

test('the figure of a flag has its unit, also one that this page has never heard of', () => {
  expect(plain(flagFigure(2_097_152, 'B/s'))).toBe('2.0 MB/s');
  expect(plain(flagFigure(99.4, '%'))).toBe('99.4 %');
  expect(plain(flagFigure(0.994, 'ratio'))).toBe('0.99 ×');
  expect(plain(flagFigure(41_000, 'ms'))).toBe('41.00 s');
  expect(plain(flagFigure(1_800_000, 'ms'))).toBe('30 min');
  expect(flagFigure(1, '')).toBe('1');
  expect(plain(flagFigure(5600, 'rows/s'))).toBe('5 600 rows/s');
  expect(plain(flagFigure(3, 'furlongs'))).toBe('3 furlongs');
});

test('grid lines stand on round numbers, and on whole ones for what comes whole', () => {
  expect(increments({ kind: 'counter', unit: 'bytes' })).toContain(1024);
  expect(increments({ kind: 'gauge', unit: 'rows' })[0]).toBe(1);
  expect(increments({ kind: 'counter', unit: 'rows' })).toContain(0.5);
});

test('a limit is drawn only on a chart of the same kind', () => {
  expect(limitOn(100, 'B/s', { kind: 'counter', unit: 'bytes' })).toBe(100);
  expect(limitOn(100, 'B/s', { kind: 'counter', unit: 'rows' })).toBeNull();
  expect(limitOn(100, 'B', { kind: 'gauge', unit: 'bytes' })).toBe(100);
  expect(limitOn(100, 'rows/s', { kind: 'counter', unit: 'rows' })).toBe(100);
  expect(limitOn(500, 'rows', { kind: 'gauge', unit: 'rows' })).toBe(500);
  expect(limitOn(500, 'rows', { kind: 'counter', unit: 'rows' })).toBeNull();
  expect(limitOn(20, 'ms', { kind: 'gauge', unit: 'micros' })).toBe(20_000);
  expect(limitOn(50, '%', { kind: 'counter', unit: 'micros' })).toBe(500_000);
  expect(limitOn(0.9, 'ratio', { kind: 'counter', unit: 'rows' })).toBeNull();
});
