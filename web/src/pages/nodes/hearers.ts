/** Who hears a node, from the observations of its adverts. */
import type { ObservationRow } from '../../lib/api/types';
import { parseHops } from '../../lib/packet/decoded';

export interface Hearer {
  id: string;
  name: string;
  iata: string;
  /** Adverts it heard, of those looked at. */
  count: number;
  bestSnr: number | null;
  fewestHops: number;
  last: string;
}

export function hearers(adverts: readonly { observations?: readonly ObservationRow[] }[]): Hearer[] {
  const byId = new Map<string, Hearer>();
  for (const advert of adverts) {
    const counted = new Set<string>();
    for (const o of advert.observations ?? []) {
      const id = o.observer_id ?? '';
      const hops = parseHops(o.path_json).length;
      const known = byId.get(id);
      const once = counted.has(id) ? 0 : 1;
      counted.add(id);
      byId.set(id, {
        id,
        name: o.observer_name ?? id,
        iata: o.observer_iata ?? '',
        count: (known?.count ?? 0) + once,
        bestSnr: better(known?.bestSnr ?? null, o.snr ?? null),
        fewestHops: Math.min(known?.fewestHops ?? hops, hops),
        last: known && known.last > o.timestamp ? known.last : o.timestamp,
      });
    }
  }
  return [...byId.values()].sort((a, b) => a.fewestHops - b.fewestHops || b.count - a.count);
}

function better(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.max(a, b);
}
