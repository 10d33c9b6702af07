/** Events and deliveries in words. */
import type { AlertEvent, Delivery } from '../../../lib/api/types';
import type { Status } from '../../../lib/status';

export function changeStatus({
  change,
  flag,
}: Pick<AlertEvent, 'change'> & { flag: Pick<AlertEvent['flag'], 'severity'> }): Status {
  switch (change) {
    case 'cleared':
      return { level: 'ok', word: 'cleared', reason: 'it went' };
    case 'test':
      return { level: 'note', word: 'test', reason: 'somebody asked for a test' };
    case 'worsened':
      return { level: 'bad', word: 'worsened', reason: 'it became critical, or its figure has doubled' };
    default:
      return flag.severity === 'critical'
        ? { level: 'bad', word: 'raised, critical', reason: 'packets are late or at risk' }
        : { level: 'warn', word: 'raised', reason: 'it wears out the disk or wastes work' };
  }
}

/** "all 2", "1 of 2", or who there is nobody to tell. */
export function told(deliveries: readonly Pick<Delivery, 'delivered'>[]): string {
  if (deliveries.length === 0) return '–';
  const taken = deliveries.filter((d) => d.delivered).length;
  return taken === deliveries.length
    ? taken === 1
      ? 'yes'
      : `all ${taken}`
    : `${taken} of ${deliveries.length}`;
}
