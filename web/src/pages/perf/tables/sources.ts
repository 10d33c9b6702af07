/** The rows of the table of write sources. */
import type { WriteSources } from '../../../lib/api/types';

export interface SourceRow {
  name: string;
  total: number;
  perSec: number | null;
  /** Bytes a second that are usual at this hour. */
  usual: number | null;
  bytesPerSec: number | null;
  share: number | null;
  /** Why it is flagged; null when it is not. */
  flag: string | null;
}

/** States, not counts: they have no total and no rate, and are said in a sentence. */
const STATES = new Set(['write_failing', 'rows_waiting']);

/** Those that are flagged first, then those that have written most. */
export function sourceRows({ sources, rates = {} }: Pick<WriteSources, 'sources' | 'rates'>): SourceRow[] {
  return Object.entries(sources)
    .filter(([name]) => !STATES.has(name))
    .map(([name, total]) => {
      const rate = rates[name];
      return {
        name,
        total,
        perSec: rate?.per_sec ?? null,
        usual: rate?.usual_bytes_per_sec ?? null,
        bytesPerSec: rate?.bytes_per_sec ?? null,
        share: rate?.share_of_bytes ?? null,
        flag: rate?.flag ?? null,
      };
    })
    .sort(
      (a, b) =>
        Number(b.flag !== null) - Number(a.flag !== null) ||
        b.total - a.total ||
        a.name.localeCompare(b.name),
    );
}
