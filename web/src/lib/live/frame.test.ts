import { expect, test } from 'vitest';
import { backoff } from './backoff';
import { parseFrame } from './frame';

test('a packet frame is read', () => {
  expect(parseFrame('{"type":"packet","data":{"hash":"ab","raw_hex":"00"}}')).toMatchObject({ hash: 'ab' });
});

test('anything else is passed over', () => {
  for (const odd of [
    '',
    '{',
    '[]',
    'null',
    '{"type":"message"}',
    '{"type":"packet","data":null}',
    '{"type":"packet","data":{"hash":1}}',
    new ArrayBuffer(2),
  ]) {
    expect(parseFrame(odd)).toBeNull();
  }
});

test('waiting doubles up to half a minute', () => {
  expect([0, 1, 2, 3].map((n) => backoff(n, 1))).toEqual([500, 1000, 2000, 4000]);
  expect(backoff(99, 1)).toBe(30_000);
  expect(backoff(99, 0)).toBe(15_000);
});
