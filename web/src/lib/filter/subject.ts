/** A packet of the list as a filter sees it. */
import type { Packet } from '../api/types';
import { fromHex } from '../packet/bytes';
import { advertRole, type Decoded, isRecord, parseDecoded, parseHops } from '../packet/decoded';
import { KINDS, routeKind } from '../packet/kinds';
import type { Field } from './fields';
import type { Found, Subject } from './match';

const ADVERT = 4;
const GRP_TXT = 5;
const GRP_DATA = 6;
const TRACE = 9;

type Maybe = Found | null | undefined;

/**
 * A packet, of which some copies are known: the first, which says what the packet is, and those with which it is compared by `any(…)` and
 * `all(…)`. `undefined` is what only the server knows.
 */
export class PacketSubject implements Subject {
  private readonly decoded: Decoded;
  private readonly complete: boolean;
  private readonly best: Packet | undefined;

  /** `copies` are in the order in which they were heard, and the newest of them counts best how often the packet was. */
  constructor(
    private readonly copies: readonly Packet[],
    /** The copy that is asked about; without one the packet as a whole. */
    private readonly copy?: Packet,
  ) {
    const counts = copies.map((one) => one.observation_count);
    this.complete = copies.length >= Math.max(1, ...counts);
    this.decoded = parseDecoded(copies[0]?.decoded_json);
    this.best = this.complete ? longest(copies) : undefined;
  }

  find(field: Field): Maybe {
    if (this.copy) return field.heard ? ofCopy(this.copy, field) : this.ofPacket(field);
    if (field.name === 'time') return instant(this.copies[0]?.first_seen);
    if (field.name === 'route') return this.first(routeName);
    if (field.heard) return this.best && ofCopy(this.best, field);
    return this.ofPacket(field);
  }

  heard() {
    if (this.copy) return { rows: [this], complete: true };
    const rows = this.copies.map((copy) => new PacketSubject(this.copies, copy));
    return { rows, complete: this.complete };
  }

  private ofPacket({ name }: Field): Maybe {
    const any = this.copies[0];
    if (!any) return undefined;
    if (name.startsWith('payload.')) return leaf(this.decoded, name);
    switch (name) {
      case 'type':
        return KINDS.find((kind) => kind.code === any.payload_type)?.id ?? 'UNKNOWN';
      case 'hash':
        return any.hash;
      case 'observations':
        return Math.max(...this.copies.map((copy) => copy.observation_count));
      case 'observers':
        return Math.max(...this.copies.map((copy) => copy.observer_count));
      case 'transport':
        return this.first((copy) => routeName(copy)?.startsWith('TRANSPORT_') ?? undefined);
      case 'raw':
        return this.first((copy) => copy.raw_hex);
      case 'size':
        return this.first((copy) => copy.raw_hex.length / 2);
      case 'payload_hex':
        return payloadHex(any);
      case 'payload_bytes':
        return payloadHex(any).length / 2;
      case 'code1':
        return this.first((copy) => code(copy, 0));
      case 'code2':
        return this.first((copy) => code(copy, 1));
      case 'scope':
        return any.scope_name;
      case 'latest':
        return this.complete ? Math.max(...this.copies.map((copy) => instant(copy.timestamp) ?? 0)) : undefined;
      default:
        return ofPayload(name, any, this.decoded);
    }
  }

  /** What is told of the first copy is known only when all are. */
  private first<T>(of: (copy: Packet) => T): T | undefined {
    const copy = this.copies[0];
    return copy && this.complete ? of(copy) : undefined;
  }
}

function ofCopy(copy: Packet, { name }: Field): Maybe {
  switch (name) {
    case 'route':
      return routeName(copy);
    case 'time':
      return instant(copy.timestamp);
    case 'observer':
      return copy.observer_name;
    case 'observer_id':
      return copy.observer_id;
    case 'observer_iata':
      return copy.observer_iata?.trim();
    case 'snr':
      return copy.snr;
    case 'rssi':
      return copy.rssi;
    case 'hops':
      return parseHops(copy.path_json).length;
    case 'path':
      return parseHops(copy.path_json);
    case 'hash_size':
      return hashSize(copy);
    default:
      return undefined;
  }
}

/** What a payload says beside its own fields. */
function ofPayload(name: string, packet: Packet, decoded: Decoded): Maybe {
  const type = packet.payload_type;
  switch (name) {
    case 'channel': {
      if (type !== GRP_TXT && type !== GRP_DATA) return null;
      const hash = string(decoded.channelHashHex);
      return string(decoded.channel) ?? (hash === null ? undefined : `enc_${hash}`);
    }
    case 'sender':
      return type === GRP_TXT ? string(decoded.sender) : null;
    case 'text': {
      const text = string(decoded.text);
      const sender = string(decoded.sender);
      if (type !== GRP_TXT || text === null || sender === null) return type === GRP_TXT ? text : null;
      return text.startsWith(`${sender}: `) ? text.slice(sender.length + 2) : undefined;
    }
    case 'node': {
      if (type !== ADVERT) return null;
      const [key, name] = [string(decoded.pubKey), string(decoded.name)];
      // What the node is called by an earlier advert, only the server knows.
      return key !== null && name !== null ? [key, name] : undefined;
    }
    case 'role':
      if (type !== ADVERT || !isRecord(decoded.flags)) return null;
      return advertRole(decoded);
    default:
      return undefined;
  }
}

function leaf(decoded: Decoded, name: string): Maybe {
  let value: unknown = decoded;
  for (const key of name.split('.').slice(1)) value = isRecord(value) ? value[key] : undefined;
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function longest(copies: readonly Packet[]): Packet | undefined {
  const hops = (copy: Packet) => parseHops(copy.path_json).length;
  return copies.reduce<Packet | undefined>((best, copy) => (best && hops(best) >= hops(copy) ? best : copy), undefined);
}

function routeName(copy: Packet): string | null {
  return routeKind(copy.route_type)?.id ?? null;
}

/** Bytes before the path: the header, and the transport codes. */
function pathStart(copy: Packet): number {
  return routeName(copy)?.startsWith('TRANSPORT_') ? 5 : 1;
}

function code(copy: Packet, place: 0 | 1): string | null {
  if (pathStart(copy) === 1) return null;
  return copy.raw_hex.slice(2 + 4 * place, 6 + 4 * place).toUpperCase() || null;
}

function payloadHex(copy: Packet): string {
  const start = pathStart(copy);
  const length = fromHex(copy.raw_hex)[start] ?? 0;
  return copy.raw_hex.slice(2 * (start + 1 + (length & 63) * ((length >> 6) + 1))).toUpperCase();
}

/** A direct packet without hops does not say; of a TRACE the server knows. */
function hashSize(copy: Packet): number | null | undefined {
  if (copy.payload_type === TRACE) return undefined;
  const length = fromHex(copy.raw_hex)[pathStart(copy)];
  if (length === undefined) return null;
  const direct = copy.route_type === 2 || copy.route_type === 3;
  return direct && (length & 63) === 0 ? null : (length >> 6) + 1;
}

function instant(text: string | null | undefined): number | null {
  const ms = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function string(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
