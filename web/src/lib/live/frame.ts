import type { LivePacket } from '../api/types';
import { isRecord } from '../packet/decoded';

/** Reads a frame. Anything that is not a packet of the known shape is `null`: newer servers may send more kinds. */
export function parseFrame(data: unknown): LivePacket | null {
  if (typeof data !== 'string') return null;
  let frame: unknown;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isRecord(frame) || frame.type !== 'packet' || !isRecord(frame.data)) return null;
  const packet = frame.data;
  if (typeof packet.hash !== 'string' || typeof packet.raw_hex !== 'string') return null;
  return packet as unknown as LivePacket;
}
