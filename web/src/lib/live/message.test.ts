import { expect, test } from 'vitest';
import { backoff } from './backoff';
import { packetsOf, parseMessage } from './message';
import { Place } from './place';

test('the messages that the page acts on are read', () => {
  for (const known of [
    '{"type":"welcome","seq":4}',
    '{"type":"subscribed","id":"page","seq":4,"fields":[]}',
    '{"type":"observations","id":"page","from":5,"to":6,"rows":[]}',
    '{"type":"missed","id":"page","from":5,"to":6,"count":2,"why":"slow"}',
    '{"type":"error","error":"no"}',
  ]) {
    expect(parseMessage(known)).toEqual(JSON.parse(known));
  }
});

test('anything else is passed over', () => {
  for (const odd of [
    '',
    '{',
    '[]',
    'null',
    '{"type":"pong","seq":1}',
    '{"type":"welcome"}',
    '{"type":"observations","to":1}',
    '{"type":"observations","to":"1","rows":[]}',
    '{"type":"missed","to":1}',
    new ArrayBuffer(2),
  ]) {
    expect(parseMessage(odd)).toBeNull();
  }
  expect(packetsOf([null, 1, { hash: 1 }, { hash: 'ab', raw_hex: '00' }])).toEqual([{ hash: 'ab', raw_hex: '00' }]);
});

test('a reconnect resumes after a short absence and fetches after a long one', () => {
  const place = new Place();
  expect(place.start(90)).toEqual({ resume: undefined, gap: false });
  place.told({ type: 'subscribed', id: 'page', seq: 100, fields: [] });
  place.told({ type: 'observations', id: 'page', from: 101, to: 110, rows: [] });
  expect(place.start(110)).toEqual({ resume: 110, gap: false });
  expect(place.start(160)).toEqual({ resume: 110, gap: false });
  place.told({ type: 'subscribed', id: 'page', seq: 160, fields: [] });
  expect(place.start(160)).toEqual({ resume: 110, gap: false });
  place.told({ type: 'missed', id: 'page', from: 111, to: 160, count: 3, why: 'slow' });
  expect(place.start(160)).toEqual({ resume: 160, gap: false });
  expect(place.start(100_000)).toEqual({ resume: undefined, gap: true });
  place.told({ type: 'subscribed', id: 'page', seq: 100_000, fields: [] });
  expect(place.start(99_999)).toEqual({ resume: undefined, gap: true });
});

test('waiting doubles up to half a minute', () => {
  expect([0, 1, 2, 3].map((n) => backoff(n, 1))).toEqual([500, 1000, 2000, 4000]);
  expect(backoff(99, 1)).toBe(30_000);
  expect(backoff(99, 0)).toBe(15_000);
});
