/** The vocabulary of packets: one name, letter, shape and colour per payload type, used on every page. */

export type Shape = 'circle' | 'square' | 'diamond' | 'triangle' | 'hexagon' | 'pill' | 'shield' | 'octagon';

export interface PacketKind {
  /** Payload type number of the header. */
  code: number;
  /** The name in the protocol, as the filter takes it. */
  id: string;
  /** The name people read. */
  label: string;
  letter: string;
  shape: Shape;
  /** A CSS custom property. */
  color: string;
}

const kind = (
  code: number,
  id: string,
  label: string,
  letter: string,
  shape: Shape,
  color: string,
): PacketKind => ({
  code,
  id,
  label,
  letter,
  shape,
  color: `var(--type-${color})`,
});

export const KINDS: readonly PacketKind[] = [
  kind(4, 'ADVERT', 'Advert', 'A', 'hexagon', 'advert'),
  kind(5, 'GRP_TXT', 'Channel text', 'G', 'circle', 'grp-txt'),
  kind(6, 'GRP_DATA', 'Channel data', 'D', 'square', 'grp-data'),
  kind(2, 'TXT_MSG', 'Direct text', 'M', 'circle', 'txt-msg'),
  kind(3, 'ACK', 'Ack', 'K', 'pill', 'ack'),
  kind(0, 'REQ', 'Request', 'Q', 'diamond', 'req'),
  kind(1, 'RESPONSE', 'Response', 'R', 'diamond', 'response'),
  kind(7, 'ANON_REQ', 'Anon request', 'N', 'shield', 'anon-req'),
  kind(8, 'PATH', 'Path', 'P', 'triangle', 'path'),
  kind(9, 'TRACE', 'Trace', 'T', 'triangle', 'trace'),
  kind(10, 'MULTIPART', 'Multipart', 'U', 'square', 'multipart'),
  kind(11, 'CONTROL', 'Control', 'C', 'octagon', 'control'),
  kind(15, 'RAW_CUSTOM', 'Raw', 'X', 'pill', 'raw'),
];

const UNKNOWN: PacketKind = kind(-1, 'UNKNOWN', 'Unknown', '?', 'octagon', 'unknown');

const byCode = new Map(KINDS.map((k) => [k.code, k]));

export function packetKind(code: number | null | undefined): PacketKind {
  if (code === null || code === undefined) return UNKNOWN;
  return byCode.get(code) ?? { ...UNKNOWN, code, label: `Type ${code}` };
}

/** Finds a type by number, protocol name or label, as people type it. */
export function findKind(text: string): PacketKind | undefined {
  const wanted = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  return KINDS.find((k) => {
    return (
      k.id.toLowerCase() === wanted ||
      k.label.toLowerCase().replaceAll(' ', '_') === wanted ||
      String(k.code) === wanted
    );
  });
}

export interface RouteKind {
  code: number;
  id: string;
  label: string;
  /** What it means for the path, in one sentence. */
  meaning: string;
}

export const ROUTES: readonly RouteKind[] = [
  {
    code: 1,
    id: 'FLOOD',
    label: 'Flood',
    meaning: 'every repeater passes it on and adds itself to the path',
  },
  { code: 2, id: 'DIRECT', label: 'Direct', meaning: 'follows the path, which each repeater shortens' },
  {
    code: 0,
    id: 'TRANSPORT_FLOOD',
    label: 'Scoped flood',
    meaning: 'a flood that only repeaters of one region pass on',
  },
  {
    code: 3,
    id: 'TRANSPORT_DIRECT',
    label: 'Scoped direct',
    meaning: 'follows the path, with a region code',
  },
];

export function routeKind(code: number | null | undefined): RouteKind | undefined {
  return ROUTES.find((r) => r.code === code);
}

export function findRoute(text: string): RouteKind | undefined {
  const wanted = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  return ROUTES.find(
    (r) =>
      r.id.toLowerCase() === wanted ||
      r.label.toLowerCase().replaceAll(' ', '_') === wanted ||
      String(r.code) === wanted,
  );
}

export interface Role {
  id: string;
  label: string;
  letter: string;
  shape: Shape;
  color: string;
}

export const ROLES: readonly Role[] = [
  { id: 'repeater', label: 'Repeater', letter: 'R', shape: 'triangle', color: 'var(--role-repeater)' },
  { id: 'companion', label: 'Companion', letter: 'C', shape: 'circle', color: 'var(--role-companion)' },
  { id: 'room', label: 'Room', letter: 'M', shape: 'square', color: 'var(--role-room)' },
  { id: 'sensor', label: 'Sensor', letter: 'S', shape: 'diamond', color: 'var(--role-sensor)' },
];

export function role(id: string | null | undefined): Role {
  const known = ROLES.find((r) => r.id === id);
  return (
    known ?? {
      id: id ?? 'unknown',
      label: id || 'Unknown',
      letter: '?',
      shape: 'octagon',
      color: 'var(--role-other)',
    }
  );
}
