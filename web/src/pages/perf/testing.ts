/** A ledger for tests: small, and its sums are right. */
import type { ProcessLedger } from '../../lib/api/types';

export function process(): ProcessLedger {
  const cause = (name: string, bytes: number, effects: [string, number][]) => ({
    component: 'storage',
    job: null,
    cause: name,
    bytes,
    operations: 1,
    bytes_per_sec: bytes / 300,
    share: bytes / 1720,
    effects: effects.map(([effect, of]) => ({ effect, bytes: of, operations: 1 })),
  });
  return {
    process: 'run',
    covered_secs: 300,
    causes: [
      cause('packets', 1000, [['wal', 1000]]),
      cause('stats_file', 20, [['stats_file', 20]]),
      cause('checkpoint', 700, [['database', 700]]),
      cause('backup', 0, []),
    ],
    effects: [],
    tables: [
      {
        table: 'observations',
        kind: 'table',
        wal_bytes: 600,
        checkpoint_bytes: 400,
        by_cause: [{ cause: 'packets', bytes: 600 }],
      },
      {
        table: 'transmissions',
        kind: 'table',
        wal_bytes: 300,
        checkpoint_bytes: 300,
        by_cause: [{ cause: 'packets', bytes: 300 }],
      },
    ],
    totals: {
      counted_bytes: 1720,
      vfs_bytes: 1700,
      wchar_bytes: null,
      network_bytes: null,
      write_bytes: null,
      cancelled_bytes: null,
      device_bytes: null,
      reason: 'not Linux',
    },
    remainder: null,
    waterfall: [],
    threads: [],
    meter: { bytes: 20, percent_of_bytes: 1.2, cpu_micros: null, percent_of_core: null },
  };
}
