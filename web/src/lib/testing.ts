/** Rows for tests. */
import type { LivePacket, Packet } from './api/types';

export function packet(fields: Partial<Packet> = {}): Packet {
  return {
    id: 1,
    raw_hex: '1500AABB',
    hash: '0123456789abcdef',
    first_seen: '2026-05-17T12:00:00Z',
    timestamp: '2026-05-17T12:00:00Z',
    route_type: 1,
    payload_type: 5,
    decoded_json: '{}',
    observation_count: 1,
    observer_count: 1,
    observer_id: 'AA',
    observer_name: 'Observer',
    observer_iata: 'SFO',
    snr: null,
    rssi: null,
    path_json: '[]',
    scope_name: null,
    ...fields,
  };
}

/** A copy of a packet, as it comes in live. */
export function copy(observation_id: number, fields: Partial<Packet> = {}): LivePacket {
  return { ...packet(fields), observation_id } as LivePacket;
}
