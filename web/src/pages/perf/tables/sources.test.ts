import { expect, test } from 'vitest';
import { sourceRows } from './sources';

const rate = (per_sec: number, flag: string | null = null) => ({
  per_sec,
  window_ms: 30_000,
  cause: null,
  usual_bytes_per_sec: null,
  bytes_per_sec: null,
  share_of_bytes: null,
  flag,
});

test('what is flagged comes first, then what has written most', () => {
  const rows = sourceRows({
    sources: { tx_inserted: 10, obs_inserted: 100, backfill_x: 50 },
    rates: { backfill_x: rate(9, 'too much'), obs_inserted: rate(2) },
  });
  expect(rows.map((r) => r.name)).toEqual(['backfill_x', 'obs_inserted', 'tx_inserted']);
  expect(rows[0]?.flag).toBe('too much');
});

test('a source without a rate yet has none, not zero', () => {
  expect(sourceRows({ sources: { tx_inserted: 10 } })[0]?.perSec).toBeNull();
});

test('states are no sources', () => {
  expect(sourceRows({ sources: { write_failing: 1, rows_waiting: 7 } })).toEqual([]);
});
