import type { ObserverRow } from '../../lib/api/types';

export const SORTS = [
  ['', 'Last heard'],
  ['name', 'Name'],
  ['region', 'Region'],
  ['rate', 'Packets/h'],
  ['total', 'Total'],
] as const;

/** The observers that match a search, in the order asked for. The server gives them by when they were last heard. */
export function sorted(observers: readonly ObserverRow[], by: string, search: string): ObserverRow[] {
  const wanted = search.toLowerCase();
  const rows = observers.filter((o) =>
    [o.name, o.id, o.iata, o.model].some((text) => text?.toLowerCase().includes(wanted)),
  );
  const name = (o: ObserverRow) => o.name ?? o.id;
  switch (by) {
    case 'name':
      return rows.sort((a, b) => name(a).localeCompare(name(b)));
    case 'region':
      return rows.sort(
        (a, b) => (a.iata ?? '').localeCompare(b.iata ?? '') || name(a).localeCompare(name(b)),
      );
    case 'rate':
      return rows.sort((a, b) => b.packetsLastHour - a.packetsLastHour);
    case 'total':
      return rows.sort((a, b) => b.packet_count - a.packet_count);
    default:
      return rows;
  }
}
