import { expect, test } from 'vitest';
import { account, outcomeWords } from './account';
import { rate } from './rates';

test('an account that adds up is balanced', () => {
  const a = account(10, [
    { name: 'stored_observation', count: 6 },
    { name: 'duplicate', count: 3 },
    { name: 'rejected_not_json', count: 1 },
  ]);
  expect(a).toMatchObject({
    sum: 10,
    balanced: true,
    byKind: { stored: 6, duplicate: 3, rejected: 1, other: 0 },
  });
});

test('a message without an outcome shows', () => {
  expect(account(10, [{ name: 'status', count: 9 }]).balanced).toBe(false);
});

test('an outcome of an unknown name is counted', () => {
  expect(account(2, [{ name: 'vanished', count: 2 }])).toMatchObject({ sum: 2, byKind: { other: 2 } });
});

test('outcomes are said in words', () => {
  expect(['rejected_not_json', 'duplicate', 'vanished_today'].map(outcomeWords)).toEqual([
    'rejected: not json',
    'duplicate',
    'vanished today',
  ]);
});

test('a rate is the change a second', () => {
  expect(rate('x', { at: 0, counters: { x: 10 } }, { at: 5000, counters: { x: 60 } })).toBe(10);
});

test('a counter that has fallen, or is new, has no rate', () => {
  expect(rate('x', { at: 0, counters: { x: 10 } }, { at: 5000, counters: { x: 1 } })).toBeNull();
  expect(rate('x', { at: 0, counters: {} }, { at: 5000, counters: { x: 1 } })).toBeNull();
  expect(rate('x', { at: 0, counters: { x: 1 } }, { at: 10, counters: { x: 2 } })).toBeNull();
});
