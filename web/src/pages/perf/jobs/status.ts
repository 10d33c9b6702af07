/** The state of a job in words, and how far it is. */
import type { Job } from '../../../lib/api/types';
import { percent } from '../../../lib/format';
import type { Status } from '../../../lib/status';

export function jobStatus({ state, error }: Pick<Job, 'state' | 'error'>): Status {
  switch (state) {
    case 'running':
      return { level: 'ok', word: 'running', reason: 'at work' };
    case 'braked':
      return { level: 'warn', word: 'braked', reason: 'held back: it is over its budget, or ingest waits' };
    case 'paused':
      return { level: 'note', word: 'paused', reason: 'somebody has paused it' };
    default:
      return error === null
        ? { level: 'note', word: 'idle', reason: 'waits for its time, or to be asked' }
        : { level: 'warn', word: 'failed', reason: error };
  }
}

/** A total of nothing is no progress, and neither is one that is not known. */
export function headway(progress: Job['progress']): string {
  return !progress || progress.total === 0 ? '–' : percent(Math.min(1, progress.done / progress.total), 0);
}
