/** The little charts of the section "History": each answers one question. */

export interface Panel {
  title: string;
  /** Series of one unit and kind. */
  series: readonly (readonly [name: string, label: string])[];
  /** Which static threshold is drawn. */
  threshold?: 'write_bytes_per_sec' | 'wal_bytes';
}

export const PANELS: readonly Panel[] = [
  {
    title: 'Written to disk',
    series: [
      ['process.write_bytes', 'billed'],
      ['process.wchar', 'kernel'],
      ['device.written', 'device'],
    ],
    threshold: 'write_bytes_per_sec',
  },
  {
    title: 'Stored',
    series: [
      ['rows.obs_inserted', 'observations'],
      ['rows.tx_inserted', 'packets'],
    ],
  },
  {
    title: 'Write-ahead log',
    series: [['wal.bytes', 'size']],
    threshold: 'wal_bytes',
  },
  {
    title: 'Commits and waits',
    series: [
      ['commit.p99', 'commit p99'],
      ['writer.wait_p99', 'wait p99'],
      ['writer.hold_p99', 'hold p99'],
    ],
  },
  { title: 'Rows waiting', series: [['queue.rows', 'waiting']] },
  {
    title: 'Memory held',
    series: [
      ['memory.resident', 'resident'],
      ['memory.index', 'packets'],
    ],
  },
  {
    title: 'Somebody waits for the disk',
    series: [
      ['pressure.io_some', 'some task'],
      ['pressure.io_full', 'all tasks'],
    ],
  },
  {
    title: 'Processor',
    series: [
      ['process.cpu', 'process'],
      ['meter.cpu', 'these books'],
    ],
  },
];
