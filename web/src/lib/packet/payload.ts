import { toHex } from './bytes';
import { packetKind, role } from './kinds';
import type { FieldReader } from './reader';

const ADVERT_ROLES = ['none', 'companion', 'repeater', 'room', 'sensor'];

/** Fields of the payload, by packet type. */
export function payloadFields(reader: FieldReader, type: number): void {
  const known = BY_TYPE[type];
  if (known) known(reader);
  else reader.rest('a', 'Payload', `${packetKind(type).label}: opaque`);
}

const BY_TYPE: Record<number, (reader: FieldReader) => void> = {
  0: betweenNodes,
  1: betweenNodes,
  2: betweenNodes,
  3: ack,
  4: advert,
  5: channel,
  6: channel,
  7: anonymousRequest,
  8: betweenNodes,
  9: trace,
  10: multipart,
  11: control,
};

function betweenNodes(reader: FieldReader): void {
  reader.hex(1, 'a', 'To', 'first byte of the receiver’s key');
  reader.hex(1, 'b', 'From', 'first byte of the sender’s key');
  sealed(reader);
}

function channel(reader: FieldReader): void {
  reader.hex(1, 'a', 'Channel', 'first byte of the hash of the channel’s key');
  sealed(reader);
}

function anonymousRequest(reader: FieldReader): void {
  reader.hex(1, 'a', 'To', 'first byte of the receiver’s key');
  reader.hex(32, 'b', 'Sender key', 'the sender’s public key');
  sealed(reader);
}

function sealed(reader: FieldReader): void {
  reader.hex(2, 'c', 'MAC', 'first 2 bytes of the authentication code');
  const blocks = Math.ceil(reader.left / 16);
  reader.rest('cipher', 'Ciphertext', `AES-128, ${blocks} ${blocks === 1 ? 'block' : 'blocks'} of 16 bytes`);
}

function ack(reader: FieldReader): void {
  reader.hex(4, 'a', 'Checksum', 'of the message that is acknowledged');
  if (!reader.done) reader.hex(1, 'b', 'Attempt', 'which try it answers');
  if (!reader.done) reader.hex(1, 'c', 'Random', 'makes repeated acks differ');
}

function advert(reader: FieldReader): void {
  reader.hex(32, 'a', 'Public key', 'the node’s identity');
  reader.time('c', 'Time');
  reader.hex(64, 'b', 'Signature', 'Ed25519 over key, time and what follows');
  const flags = reader.peek(0);
  if (flags === undefined) return;
  reader.take(1, 'd', 'Flags', (b) => `0x${toHex(b)}`, advertFlags(flags));
  if (flags & 0x10) {
    reader.degrees('path', 'Latitude');
    reader.degrees('c', 'Longitude');
  }
  if (flags & 0x20) reader.u16('codes', 'Feature 1', 'not assigned yet');
  if (flags & 0x40) reader.u16('codes', 'Feature 2', 'not assigned yet');
  if (flags & 0x80) reader.rest('a', 'Name', 'UTF-8', utf8);
}

function advertFlags(flags: number): string {
  const parts = [role(ADVERT_ROLES[flags & 15] ?? `role ${flags & 15}`).label.toLowerCase()];
  if (flags & 0x10) parts.push('location');
  if (flags & 0x20) parts.push('feature 1');
  if (flags & 0x40) parts.push('feature 2');
  if (flags & 0x80) parts.push('name');
  return parts.join(', ');
}

function utf8(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function trace(reader: FieldReader): void {
  reader.u32('a', 'Tag', 'same at every hop: groups the copies of one trace');
  reader.u32('b', 'Auth code', 'chosen by the sender');
  const size = 1 << ((reader.peek(0) ?? 0) & 3);
  reader.take(
    1,
    'd',
    'Flags',
    (b) => `0x${toHex(b)}`,
    `route entries of ${size} ${size === 1 ? 'byte' : 'bytes'}`,
  );
  for (let i = 1; reader.left >= size; i += 1)
    reader.hex(size, i % 2 ? 'path' : 'c', `Route ${i}`, 'first bytes of a repeater’s key');
}

function multipart(reader: FieldReader): void {
  const inner = (reader.peek(0) ?? 0) & 15;
  const remaining = (reader.peek(0) ?? 0) >> 4;
  reader.take(
    1,
    'd',
    'Part',
    (b) => `0x${toHex(b)}`,
    `${packetKind(inner).label}, ${remaining} more to come`,
  );
  if (inner === 3) ack(reader);
}

function control(reader: FieldReader): void {
  const flags = reader.peek(0) ?? 0;
  const subtype = flags >> 4;
  const name =
    subtype === 8 ? 'discover request' : subtype === 9 ? 'discover response' : `subtype ${subtype}`;
  reader.take(1, 'd', 'Flags', (b) => `0x${toHex(b)}`, `${name}${flags & 0x80 ? ', never passed on' : ''}`);
  if (subtype === 8) {
    reader.hex(1, 'a', 'Filter', 'one bit per role that should answer');
    reader.u32('b', 'Tag', 'chosen by the sender');
    if (reader.left >= 4) reader.time('c', 'Since');
  } else if (subtype === 9) {
    reader.snr('a', 'SNR', 'how the answering node heard the request');
    reader.u32('b', 'Tag', 'of the request');
    reader.rest('c', 'Key', 'of the answering node');
  } else {
    reader.rest('a', 'Data', 'opaque');
  }
}
