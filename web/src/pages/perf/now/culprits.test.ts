import { expect, test } from 'vitest';
import type { Flag, History } from '../../../lib/api/types';
import { bySubject, fromFirstValue } from './culprits';

function flag(name: string, rule: string): Flag {
  return {
    id: `${name}.${rule}`,
    subject: { kind: 'job', name },
    rule,
    severity: 'warning',
    title: rule,
    reason: '',
    remedy: '',
    value: 1,
    limit: 0,
    unit: '%',
    since_ms: 0,
    series: [],
  };
}

test('what is wrong with one culprit is one card, in the place of the worst', () => {
  const groups = bySubject([flag('rewrite', 'no_op'), flag('vacuum', 'stuck'), flag('rewrite', 'budget')]);
  expect(groups.map((group) => group.map((f) => f.id))).toEqual([
    ['rewrite.no_op', 'rewrite.budget'],
    ['vacuum.stuck'],
  ]);
});

function history(values: (number | null)[]): History {
  return { from_secs: 6000, step_secs: 60, series: [{ name: 'a', kind: 'gauge', unit: 'bytes', values }] };
}

test('a young server shows at least ten minutes, an old one all that was asked for', () => {
  const young = fromFirstValue(history([...Array<null>(57).fill(null), 1, 2, 3]));
  expect([young.from_secs, young.series[0]?.values.length]).toEqual([6000 + 50 * 60, 10]);
  const older = fromFirstValue(history([...Array<null>(20).fill(null), ...Array<number>(40).fill(1)]));
  expect([older.from_secs, older.series[0]?.values.length]).toEqual([6000 + 20 * 60, 40]);
  const gap = history([1, ...Array<null>(59).fill(null)]);
  expect(fromFirstValue(gap)).toEqual(gap);
  expect(fromFirstValue(history([])).series[0]?.values).toEqual([]);
});
