import { expect, test } from 'vitest';
import { headway, jobStatus } from './status';

test('a job that ended early is not merely idle', () => {
  expect(jobStatus({ state: 'idle', error: null }).word).toBe('idle');
  expect(jobStatus({ state: 'idle', error: 'disk full' })).toMatchObject({
    level: 'warn',
    word: 'failed',
    reason: 'disk full',
  });
  expect(jobStatus({ state: 'braked', error: null }).level).toBe('warn');
});

test('progress is in per cent where it is known, and never beyond the end', () => {
  expect(headway(null)).toBe('–');
  expect(headway({ done: 0, total: 0 })).toBe('–');
  expect(headway({ done: 31, total: 100 })).toBe('31\u2009%');
  expect(headway({ done: 120, total: 100 })).toBe('100\u2009%');
});
