import { expect, test } from 'vitest';
import { account, outcomeWords } from './account';

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
