/** What the packet list is narrowed to: read from the address, written to it, sent to the server, and tried on live packets. */
import type { Packet, PacketQuery } from '../../lib/api/types';
import { parseDecoded, text } from '../../lib/packet/decoded';
import { findKind, findRoute, packetKind, routeKind } from '../../lib/packet/kinds';

/** The fields that can be narrowed, in the order in which their chips stand. */
export const FIELDS = ['type', 'route', 'observer', 'region', 'node', 'channel', 'hash'] as const;

export type FilterField = (typeof FIELDS)[number];

/**
 * All values are as in the address: types and routes by name, observers by id, the window in minutes; `filter` is an expression of the
 * packet filter language.
 */
export type PacketFilter = Partial<Record<FilterField | 'window' | 'filter', string>>;

export const WINDOWS: readonly (readonly [minutes: string, label: string])[] = [
  ['15', '15 min'],
  ['60', '1 h'],
  ['360', '6 h'],
  ['1440', '24 h'],
  ['10080', '7 d'],
];

const ADVERT = 4;
const GRP_TXT = 5;

type RouteQuery = Readonly<Record<string, string | undefined>>;

export function readFilter(query: RouteQuery): PacketFilter {
  const filter: PacketFilter = {};
  for (const field of FIELDS) {
    const value = query[field]?.trim();
    if (value) filter[field] = value;
  }
  const expression = query.filter?.trim();
  if (expression) filter.filter = expression;
  // The incumbent's name for the window; 0 means all of history, as no window does.
  const minutes = Number(query.timeWindow);
  if (Number.isFinite(minutes) && minutes > 0) filter.window = String(Math.round(minutes));
  return filter;
}

export function writeFilter(filter: PacketFilter): RouteQuery {
  const { window, ...fields } = filter;
  return { ...fields, timeWindow: window };
}

/** Parameters of `GET /api/packets`. */
export function apiQuery(filter: PacketFilter, now: number): PacketQuery {
  return {
    type: filter.type === undefined ? undefined : (findKind(filter.type)?.code ?? Number(filter.type)),
    route: filter.route === undefined ? undefined : (findRoute(filter.route)?.code ?? Number(filter.route)),
    observer: filter.observer,
    region: filter.region,
    node: filter.node,
    channel: filter.channel,
    hash: filter.hash?.toLowerCase(),
    filter: filter.filter,
    since:
      filter.window === undefined ? undefined : new Date(now - Number(filter.window) * 60_000).toISOString(),
  };
}

export function isFiltered(filter: PacketFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Whether a packet belongs to the list; `ask` when only the server can tell. */
export type Verdict = 'yes' | 'no' | 'ask';

/** What the simple choices say of a live packet. */
export function matches(filter: PacketFilter, packet: Packet): Verdict {
  if (filter.type && findKind(filter.type)?.code !== packet.payload_type) return 'no';
  if (filter.route && findRoute(filter.route)?.code !== packet.route_type) return 'no';
  if (filter.hash && filter.hash.toLowerCase() !== packet.hash.toLowerCase()) return 'no';
  if (filter.observer && !list(filter.observer).includes(packet.observer_id?.toLowerCase() ?? ''))
    return 'no';
  if (filter.channel && !inChannel(filter.channel, packet)) return 'no';
  if (filter.region) {
    if (!packet.observer_iata) return 'ask';
    if (!list(filter.region).includes(packet.observer_iata.toLowerCase())) return 'no';
  }
  return filter.node ? ofNode(filter.node, packet) : 'yes';
}

/** Adverts say whose they are; a node given by its name is one the server has to look up. */
function ofNode(node: string, packet: Packet): Verdict {
  if (packet.payload_type !== ADVERT) return 'no';
  if (!/^[0-9a-f]{64}$/i.test(node)) return 'ask';
  return text(parseDecoded(packet.decoded_json), 'pubKey')?.toLowerCase() === node.toLowerCase()
    ? 'yes'
    : 'no';
}

function list(csv: string): string[] {
  return csv
    .toLowerCase()
    .split(',')
    .map((part) => part.trim());
}

function inChannel(channel: string, packet: Packet): boolean {
  if (packet.payload_type !== GRP_TXT) return false;
  const decoded = parseDecoded(packet.decoded_json);
  const wanted = channel.toLowerCase();
  if (wanted.startsWith('enc_'))
    return !text(decoded, 'channel') && `enc_${text(decoded, 'channelHashHex')?.toLowerCase()}` === wanted;
  const name = text(decoded, 'channel')?.toLowerCase();
  return name !== undefined && name.replace(/^#/, '') === wanted.replace(/^#/, '');
}

/** How a value reads on its chip. `names` gives what is known of observers and nodes. */
export function chipLabel(field: FilterField, value: string, names: ReadonlyMap<string, string>): string {
  if (field === 'type') return findKind(value)?.label ?? packetKind(Number(value)).label;
  if (field === 'route') return findRoute(value)?.label ?? routeKind(Number(value))?.label ?? value;
  if (field === 'observer' || field === 'node') {
    return value
      .split(',')
      .map((id) => names.get(id.toLowerCase()) ?? (id.length > 12 ? `${id.slice(0, 8)}…` : id))
      .join(', ');
  }
  return value;
}
