/** The ledger as a tree: what was written, by who caused it and by the table or file in which it ended. */
import type { ProcessLedger } from '../../../lib/api/types';

export interface Cell {
  /** A table or an index for bytes in the database, else the file. */
  name: string;
  bytes: number;
  /** How the bytes got there, in words. */
  how: string;
  /** The series in which they can be seen; empty where there is none. */
  series: string;
}

export interface Cause {
  name: string;
  bytes: number;
  /** The greatest first; together they are `bytes`. */
  cells: Cell[];
}

/** Nothing is left out: bytes in the log that no table accounts for are a cell of their own. */
export function causesOf(process: ProcessLedger): Cause[] {
  return process.causes
    .filter((row) => row.bytes > 0)
    .map((row) => {
      const cells = row.effects.flatMap((part) => {
        if (part.effect === 'wal') return byTable(process, row.cause, part.bytes);
        if (part.effect === 'database') return copied(process, row.cause, part.bytes);
        return [
          {
            name: part.effect.replaceAll('_', ' '),
            bytes: part.bytes,
            how: 'file',
            series: `written.${row.cause}.${part.effect}`,
          },
        ];
      });
      return {
        name: row.cause,
        bytes: row.bytes,
        cells: cells.filter((cell) => cell.bytes > 0).sort((a, b) => b.bytes - a.bytes),
      };
    })
    .sort((a, b) => b.bytes - a.bytes);
}

function byTable(process: ProcessLedger, cause: string, bytes: number): Cell[] {
  const cells = process.tables.map((row) => ({
    name: row.table,
    bytes: row.by_cause.find((part) => part.cause === cause)?.bytes ?? 0,
    how: 'write-ahead log',
    series: `pages.${cause}.${row.table}`,
  }));
  return [...cells, rest(cells, bytes, 'write-ahead log', `written.${cause}.wal`)];
}

/** Only checkpoints write the database file, so the bytes of its tables are theirs. */
function copied(process: ProcessLedger, cause: string, bytes: number): Cell[] {
  const cells =
    cause === 'checkpoint'
      ? process.tables.map((row) => ({
          name: row.table,
          bytes: row.checkpoint_bytes,
          how: 'database file',
          series: `copied.${row.table}`,
        }))
      : [];
  return [...cells, rest(cells, bytes, 'database file', `written.${cause}.database`)];
}

function rest(cells: readonly Cell[], bytes: number, how: string, series: string): Cell {
  const known = cells.reduce((sum, cell) => sum + cell.bytes, 0);
  return { name: how, bytes: Math.max(0, bytes - known), how, series };
}
