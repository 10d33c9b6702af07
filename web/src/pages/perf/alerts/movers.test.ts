import { expect, test } from 'vitest';
import type { History } from '../../../lib/api/types';
import { movers } from './movers';

const series = (name: string, before: number | null, after: number | null) => ({
  name,
  kind: 'counter' as const,
  unit: 'bytes' as const,
  values: Array.from({ length: 20 }, (_, i) => (i < 10 ? before : after)),
});

const history = (...all: History['series']): History => ({ from_secs: 100, step_secs: 1, series: all });

test('what moved most comes first, up or down', () => {
  const found = movers(
    history(series('still', 50, 51), series('up', 100, 900), series('down', 40_000, 10)),
    110,
    10,
  );
  expect(found.map((m) => m.series.name)).toEqual(['down', 'up']);
  expect(found[1]).toMatchObject({ before: 100, after: 900 });
});

test('a series of which one side is not known has not moved', () => {
  expect(movers(history(series('new', null, 900)), 110, 10)).toEqual([]);
});

test('noise near nothing is no leap', () => {
  expect(movers(history(series('quiet', 0.01, 0.2)), 110, 10)).toEqual([]);
});

test('an event outside of what was kept moves nothing', () => {
  expect(movers(history(series('up', 1, 900)), 0, 10)).toEqual([]);
});
