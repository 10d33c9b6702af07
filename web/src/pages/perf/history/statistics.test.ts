import { expect, test } from 'vitest';
import { groups, statistics } from './statistics';

test('values that are not known count for nothing', () => {
  expect(statistics([2, null, 4])).toEqual({ least: 2, mean: 3, greatest: 4, sum: 6 });
  expect(statistics([null, null])).toBeNull();
  expect(statistics([])).toBeNull();
});

test('bytes a second and rows do not share an axis', () => {
  const of = (name: string, unit: 'bytes' | 'rows') => ({ name, kind: 'counter' as const, unit, values: [] });
  const found = groups([of('a', 'bytes'), of('b', 'rows'), of('c', 'bytes')]);
  expect(found.map((group) => group.map((s) => s.name))).toEqual([['a', 'c'], ['b']]);
});
