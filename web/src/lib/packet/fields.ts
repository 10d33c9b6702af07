/**
 * Where each field of a frame lies, for colouring the hex dump and naming its bytes. Presentation only: what a packet
 * means is the server's `decoded_json`. Never fails: a frame cut short gives the fields that are there.
 */

import { packetKind, routeKind } from './kinds';
import { payloadFields } from './payload';
import { type Field, FieldReader } from './reader';

export type { Field, Tone } from './reader';

const TRACE = 9;

/** All fields of a frame, in order, without gaps or overlaps. */
export function frameFields(frame: Uint8Array, hopNames: readonly (string | null)[] = []): Field[] {
  const reader = new FieldReader(frame);
  const header = reader.peek(0);
  if (header === undefined) return [];
  const route = header & 3;
  const type = (header >> 2) & 15;
  const version = header >> 6;
  reader.take(
    1,
    'header',
    'Header',
    ([b]) => `0x${(b ?? 0).toString(16).padStart(2, '0').toUpperCase()}`,
    `${routeKind(route)?.label ?? '?'} · ${packetKind(type).label} · version ${version}`,
  );
  if (route === 0 || route === 3) {
    reader.u16('codes', 'Scope code', 'names the region that may pass it on');
    reader.u16('codes', 'Second code', 'reserved, sent as 0');
  }
  pathFields(reader, type, hopNames);
  payloadFields(reader, type);
  reader.rest('cipher', 'Rest', 'not described by the protocol');
  return reader.fields;
}

function pathFields(reader: FieldReader, type: number, hopNames: readonly (string | null)[]): void {
  const path = reader.peek(0);
  if (path === undefined) return;
  const hops = path & 63;
  const size = (path >> 6) + 1;
  const what = type === TRACE ? 'measurement' : 'hop';
  const meaning = `${hops} ${what}${hops === 1 ? '' : 's'} of ${size} ${size === 1 ? 'byte' : 'bytes'}`;
  reader.take(
    1,
    'header',
    'Path length',
    ([b]) => `0x${(b ?? 0).toString(16).padStart(2, '0').toUpperCase()}`,
    meaning,
  );
  for (let i = 0; i < hops && !reader.done; i += 1) {
    if (type === TRACE) reader.snr('path', `SNR ${i + 1}`, `as repeater ${i + 1} heard it`);
    else reader.hex(size, 'path', `Hop ${i + 1}`, hopNames[i] ?? 'first bytes of a repeater’s key');
  }
}
