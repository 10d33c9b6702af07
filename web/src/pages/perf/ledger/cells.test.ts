import { expect, test } from 'vitest';
import { process } from '../testing';
import { causesOf } from './cells';

const sum = (values: readonly { bytes: number }[]) => values.reduce((total, v) => total + v.bytes, 0);

test('the cells of a cause add up to what it has written', () => {
  const causes = causesOf(process());
  expect(causes.length).toBeGreaterThan(0);
  for (const cause of causes) expect(sum(cause.cells)).toBe(cause.bytes);
});

test('bytes in the log are split by table, those of checkpoints as well', () => {
  const [packets, checkpoint] = causesOf(process());
  expect(packets?.cells.map((c) => [c.name, c.bytes])).toEqual([
    ['observations', 600],
    ['transmissions', 300],
    ['write-ahead log', 100],
  ]);
  expect(checkpoint?.cells.map((c) => [c.name, c.how])).toEqual([
    ['observations', 'database file'],
    ['transmissions', 'database file'],
  ]);
});

test('a file that is no database is a cell by its own name', () => {
  expect(causesOf(process()).at(-1)?.cells).toEqual([
    { name: 'stats file', bytes: 20, how: 'file', series: 'written.stats_file.stats_file' },
  ]);
});

test('a cause that has written nothing takes no room', () => {
  expect(causesOf(process()).map((c) => c.name)).not.toContain('backup');
});
