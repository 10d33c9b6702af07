import { describe, expect, test } from 'vitest';
import {
  ago,
  bytes,
  count,
  degrees,
  delta,
  duration,
  instant,
  millis,
  percent,
  perSecond,
  short,
  snr,
  stamp,
} from './format';

const plain = (text: string) => text.replaceAll('\u2009', ' ');

describe('numbers', () => {
  test('are grouped by thousands', () => {
    expect(plain(count(30588))).toBe('30 588');
    expect(plain(count(1234567))).toBe('1 234 567');
    expect(count(999)).toBe('999');
  });

  test('that are missing are a dash', () => {
    for (const f of [count, short, bytes, millis, duration]) expect(f(null)).toBe('–');
    expect(count(Number.NaN)).toBe('–');
  });

  test('get shorter as they grow', () => {
    expect(['3.4', '100', '9 999', '12.3 k', '123 k', '1.2 M']).toEqual(
      [3.4, 100, 9999, 12_345, 123_456, 1_234_567].map((n) => plain(short(n))),
    );
  });

  test('carry their unit', () => {
    expect(plain(bytes(0))).toBe('0 B');
    expect(plain(bytes(1536))).toBe('1.5 KB');
    expect(plain(bytes(150 * 1024 * 1024))).toBe('150 MB');
    expect(plain(millis(0.41))).toBe('0.41 ms');
    expect(plain(millis(1234))).toBe('1.23 s');
    expect(perSecond(0.25)).toBe('0.25/s');
    expect(plain(percent(0.992))).toBe('99.2 %');
  });

  test('of signals use a minus sign', () => {
    expect(snr(-9.75)).toBe('−9.75');
    expect(snr(7.5)).toBe('7.5');
    expect(snr(7)).toBe('7.0');
    expect(snr(null)).toBe('–');
  });
});

describe('times', () => {
  const now = Date.parse('2026-05-17T12:00:00Z');

  test('of old rows are UTC although they do not say so', () => {
    expect(instant('2026-05-17 12:00:00')).toBe(now);
    expect(instant('2026-05-17T12:00:00Z')).toBe(now);
    expect(instant('never')).toBeNull();
    expect(instant('')).toBeNull();
  });

  test('ago is in words', () => {
    expect(plain(ago(now - 13 * 60_000, now))).toBe('13 min ago');
    expect(ago(now - 200, now)).toBe('now');
    expect(ago(null, now)).toBe('never');
    expect(plain(ago(now + 3_600_000, now))).toBe('in 1 h');
  });

  test('a clock slightly ahead is now', () => {
    expect(ago(now + 20_000, now)).toBe('now');
  });

  test('lengths are in their largest units', () => {
    expect(plain(duration(59_400))).toBe('59 s');
    expect(plain(duration(3 * 3_600_000 + 20 * 60_000))).toBe('3 h 20 min');
    expect(plain(duration(5 * 86_400_000))).toBe('5 d');
  });

  test('differences have their sign', () => {
    expect(plain(delta(1240))).toBe('+1.24 s');
    expect(plain(delta(-80))).toBe('−80 ms');
  });

  test('of another day say so', () => {
    expect(stamp(now - 3 * 86_400_000, now)).toMatch(/^05-14 \d\d:\d\d$/);
  });
});

test('coordinates name their half of the globe', () => {
  expect(plain(degrees(37.5, -122.25))).toBe('37.50000° N, 122.25000° W');
});
