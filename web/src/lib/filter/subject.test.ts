import { describe, expect, test } from 'vitest';
import type { Packet } from '../api/types';
import { packet } from '../testing';
import { matches } from './match';
import { parse } from './parse';
import { PacketSubject } from './subject';

const NOW = Date.parse('2026-05-17T12:01:00Z');

function answer(filter: string, ...copies: Partial<Packet>[]) {
  return matches(parse(filter), new PacketSubject(copies.map((one) => packet(one))), NOW);
}

describe('a packet of which every copy is known', () => {
  const near = { snr: 8, rssi: -60, path_json: '[]', observer_name: 'Near', observation_count: 2, observer_count: 2 };
  const far = { ...near, snr: -3, path_json: '["A3","1F"]', observer_name: 'Far', observer_iata: ' OAK ', timestamp: '2026-05-17T12:00:02Z' };

  test.each([
    ['snr < 0', true],
    ['snr > 0', false],
    ['hops == 2', true],
    ['path == a3', true],
    ['observer == far', true],
    ['iata == oak', true],
    ['any(snr > 5)', true],
    ['any(snr > 5 && hops > 0)', false],
    ['all(snr > -5)', true],
    ['all(hops > 0)', false],
    ['observations == 2 && observers == 2', true],
    ['time == 2026-05-17T12:00:00Z && latest == 2026-05-17T12:00:02Z', true],
    ['age < 2m', true],
    ['route == FLOOD && !transport', true],
  ])('%s: %s', (filter, expected) => {
    expect(answer(filter, near, far)).toBe(expected);
  });

  test('is asked of the server where it depends on what only that knows', () => {
    expect(answer('routed_through == Hill', near, far)).toBeUndefined();
    expect(answer('routed_through == Hill && snr > 0', near, far)).toBe(false);
  });
});

test('a packet of which copies are missing is known by what all copies have in common', () => {
  const late = { snr: 8, observation_count: 3, payload_type: 4, decoded_json: '{"name":"Hill"}' };
  expect(answer('type == ADVERT && payload.name contains hill', late)).toBe(true);
  expect(answer('observations >= 3', late)).toBe(true);
  expect(answer('any(snr > 5)', late)).toBe(true);
  for (const filter of ['snr > 5', 'any(snr > 9)', 'all(snr > 5)', 'route == FLOOD', 'latest after 1h'])
    expect(answer(filter, late), filter).toBeUndefined();
});

test('the frame tells codes, sizes and the payload', () => {
  const scoped = { route_type: 0, raw_hex: '143412000041AABB01020304' };
  expect(answer('transport && code1 == 3412 && code2 == 0000 && size == 12', scoped)).toBe(true);
  expect(answer('payload_hex == 01020304 && payload_bytes == 4 && hash_size == 2', { ...scoped, path_json: '["AABB"]' })).toBe(true);
  expect(answer('code1', packet())).toBe(false);
  expect(answer('hash_size', { route_type: 2, raw_hex: '1600AABB' })).toBe(false);
});

test('what a payload says', () => {
  const text = JSON.stringify({ channel: '#test', channelHash: 217, sender: 'Ann', text: 'Ann: hi: there' });
  expect(answer('channel == #test && sender == ann && text == "hi: there"', { decoded_json: text })).toBe(true);
  expect(answer('payload.text starts_with ann && payload.channelHash == 217', { decoded_json: text })).toBe(true);
  expect(answer('channel == enc_1F', { decoded_json: '{"channelHashHex":"1F"}' })).toBe(true);
  const advert = { payload_type: 4, decoded_json: JSON.stringify({ pubKey: 'ab', name: 'Hill', flags: { repeater: true } }) };
  expect(answer('role == repeater && node == hill && from == AB && payload.flags.repeater', advert)).toBe(true);
  expect(answer('node == hill', { payload_type: 4, decoded_json: '{"pubKey":"ab"}' })).toBeUndefined();
  expect(answer('sender || node || role', { payload_type: 9 })).toBe(false);
});

test('whatever came over the air is borne', () => {
  for (const odd of ['', '[]', '1', '{"text":5,"sender":[],"flags":7}', '{"__proto__":{"name":"x"}}']) {
    expect(answer('payload.name || text || sender || payload.flags.chat || role || node', { decoded_json: odd, raw_hex: 'zz' })).not.toBe(true);
  }
});
