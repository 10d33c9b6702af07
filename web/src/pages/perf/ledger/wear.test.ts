import { expect, test } from 'vitest';
import { decimalBytes, keepRating, PRESETS, readRating, yearsLeft, yearsText } from './wear';

test('a card that takes 10 TB and gets 2 TB a year lasts five years', () => {
  expect(yearsLeft(10, 2e12, null)).toBeCloseTo(5);
  expect(yearsLeft(10, 2e12, 40)).toBeCloseTo(3);
  expect(yearsLeft(10, 2e12, 130)).toBe(0);
});

test('who writes nothing wears out nothing', () => {
  expect(yearsText(yearsLeft(10, 0, null))).toBe('more than 100 years');
});

test('years are told no more exactly than they are known', () => {
  expect([240, 33.3, 4.27, 0.9, 0.2, 0.01].map(yearsText)).toEqual([
    'more than 100 years',
    '33 years',
    '4.3 years',
    '11 months',
    '2.4 months',
    '4 days',
  ]);
});

test('media are counted in thousands, as their makers count', () => {
  expect(decimalBytes(1_500_000_000)).toBe('1.50\u2009GB');
  expect(decimalBytes(999)).toBe('999\u2009B');
});

test('a rating is kept, and nonsense in the storage is no reason to fail', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  keepRating(storage, { preset: 'own', tbw: 77 });
  expect(readRating(storage)).toEqual({ preset: 'own', tbw: 77 });
  for (const text of ['{', '3', '{"tbw":-1,"preset":"sd"}', '{"tbw":"1"}']) {
    expect(readRating({ getItem: () => text }).preset).toBe(PRESETS[0].name);
  }
});
