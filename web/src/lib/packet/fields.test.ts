import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromHex } from './bytes';
import { frameFields } from './fields';

const names = (hex: string) => frameFields(fromHex(hex)).map((f) => f.name);
const field = (hex: string, name: string) => frameFields(fromHex(hex)).find((f) => f.name === name);

/** An advert heard on air: one hop, a room with a location and a name. */
const ADVERT =
  '11019C6ECB657BD6A07AF22094CE7C87EDCE2BFFE76F22DE54FF3760B5E956B201CA2371E54566AF5EF4710E8E0E1883685B26B74B97D26C6286A1C522047511A126C75E879581505557A4FFD6214CC21E32C3781ADD7827DBF3CA2872F042EB6A66BB47F6C50193647F3602D459BBF83935303333205465737420526F6F6D';

describe('an advert', () => {
  test('has its fields in order', () => {
    expect(names(ADVERT)).toEqual([
      'Header',
      'Path length',
      'Hop 1',
      'Public key',
      'Time',
      'Signature',
      'Flags',
      'Latitude',
      'Longitude',
      'Name',
    ]);
  });

  test('has values people can read', () => {
    expect(field(ADVERT, 'Name')?.value).toBe('95033 Test Room');
    expect(field(ADVERT, 'Latitude')?.value).toBe('37.125988°');
    expect(field(ADVERT, 'Longitude')?.value).toBe('-121.939500°');
    expect(field(ADVERT, 'Flags')?.meaning).toBe('room, location, name');
    expect(field(ADVERT, 'Time')?.value).toContain('2024-05-16');
  });
});

test('transport codes stand before the path', () => {
  expect(names('10AABB00000101020304')).toEqual([
    'Header',
    'Scope code',
    'Second code',
    'Path length',
    'Hop 1',
    'Public key',
  ]);
});

test('hops of two bytes are cut in twos', () => {
  expect(frameFields(fromHex('1542A1B2C3D41122334455')).filter((f) => f.tone === 'path')).toMatchObject([
    { start: 2, end: 4, value: 'A1B2' },
    { start: 4, end: 6, value: 'C3D4' },
  ]);
});

test('the path of a trace is signal, its route is in the payload', () => {
  const trace = '2602F428DDCCBBAA0000000000F41F';
  expect(field(trace, 'SNR 1')?.value).toBe('-3.00 dB');
  expect(field(trace, 'SNR 2')?.value).toBe('10.00 dB');
  expect(field(trace, 'Tag')?.value).toBe('AABBCCDD');
  expect(field(trace, 'Route 2')?.value).toBe('1F');
});

test('a known hop carries its name', () => {
  expect(frameFields(fromHex('1501AB112233'), ['R5-D4'])[2]).toMatchObject({
    name: 'Hop 1',
    meaning: 'R5-D4',
  });
});

describe('whatever the bytes', () => {
  test('fields are in order, without gaps and within the frame', () => {
    const odd = ['', '1', 'zz', '11', '1501', '1505AABB', 'FF', '11FF', ADVERT.slice(0, 120)];
    for (const hex of odd) covers(hex);
    for (let header = 0; header < 256; header += 1) {
      for (const length of [0, 1, 2, 5, 9, 40, 120])
        covers(header.toString(16).padStart(2, '0') + '41'.repeat(length));
    }
  });

  test('fields cover every frame of the capture', () => {
    const lines = readFileSync(
      new URL('../../../../crates/simulator/data/bay-area.jsonl', import.meta.url),
      'utf8',
    )
      .trim()
      .split('\n');
    for (const line of lines) covers((JSON.parse(line) as { payload: { raw: string } }).payload.raw);
  });
});

function covers(hex: string): void {
  const frame = fromHex(hex);
  let at = 0;
  for (const f of frameFields(frame)) {
    expect(f.start).toBe(at);
    expect(f.end).toBeGreaterThan(f.start);
    at = f.end;
  }
  expect(at).toBe(frame.length);
}
