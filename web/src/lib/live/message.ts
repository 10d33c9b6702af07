import type { LivePacket, LiveTold } from '../api/types';
import { isRecord } from '../packet/decoded';

/** What the page does something with; see docs/live.md. */
export type Message = LiveTold;

/** Reads a message. Anything that is not one of a known shape is `null`: newer servers may send more kinds. */
export function parseMessage(data: unknown): Message | null {
  if (typeof data !== 'string') return null;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isRecord(message)) return null;
  switch (message.type) {
    case 'welcome':
      return are(message, 'number', 'seq') ? (message as unknown as Message) : null;
    case 'subscribed':
      return are(message, 'number', 'seq') ? (message as unknown as Message) : null;
    case 'observations':
      return are(message, 'number', 'to') && Array.isArray(message.rows) ? (message as unknown as Message) : null;
    case 'missed':
      return are(message, 'number', 'to', 'count') ? (message as unknown as Message) : null;
    case 'error':
      return are(message, 'string', 'error') ? (message as unknown as Message) : null;
    default:
      return null;
  }
}

/** The rows that are packets; the page asks for all fields of one. */
export function packetsOf(rows: readonly unknown[]): LivePacket[] {
  return rows.filter((row): row is LivePacket => isRecord(row) && are(row, 'string', 'hash', 'raw_hex'));
}

function are(fields: Readonly<Record<string, unknown>>, type: 'number' | 'string', ...names: string[]): boolean {
  return names.every((name) => typeof fields[name] === type);
}
