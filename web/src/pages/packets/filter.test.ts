import { describe, expect, test } from 'vitest';
import { packet } from '../../lib/testing';
import { apiQuery, matches, readFilter, writeFilter } from './filter';

const NOW = Date.parse('2026-05-17T12:00:00Z');

test('a filter survives the address', () => {
  const filter = { type: 'ADVERT', region: 'SFO,OAK', channel: '#test', window: '60' };
  expect(readFilter(writeFilter(filter))).toEqual(filter);
});

test('a window of 0 is all of history', () => {
  expect(readFilter({ timeWindow: '0' })).toEqual({});
  expect(readFilter({ timeWindow: 'x' })).toEqual({});
});

test('names become the numbers of the API', () => {
  expect(apiQuery({ type: 'advert', route: 'FLOOD' }, NOW)).toMatchObject({ type: 4, route: 1 });
  expect(apiQuery({ type: 'Channel text' }, NOW)).toMatchObject({ type: 5 });
});

test('what is no type is left to the server to refuse', () => {
  expect(apiQuery({ type: 'nonsense' }, NOW)).toMatchObject({ type: Number.NaN });
});

test('the window is counted back from now', () => {
  expect(apiQuery({ window: '15' }, NOW).since).toBe('2026-05-17T11:45:00.000Z');
});

describe('live packets', () => {
  const text = packet({
    payload_type: 5,
    route_type: 1,
    observer_id: 'AA',
    observer_iata: 'SFO',
    decoded_json: '{"channel":"#test"}',
  });

  test('that match belong', () => {
    for (const filter of [
      {},
      { type: 'GRP_TXT' },
      { route: 'flood' },
      { observer: 'bb,aa' },
      { region: 'oak, sfo' },
      { channel: '#test' },
      { channel: 'test' },
    ]) {
      expect(matches(filter, text)).toBe('yes');
    }
  });

  test('that do not match do not belong', () => {
    for (const filter of [
      { type: 'ADVERT' },
      { route: 'DIRECT' },
      { observer: 'bb' },
      { region: 'OAK' },
      { channel: '#other' },
      { hash: 'ff' },
    ]) {
      expect(matches(filter, text)).toBe('no');
    }
  });

  test('of a node are its adverts', () => {
    const key = 'ab'.repeat(32);
    const advert = packet({ payload_type: 4, decoded_json: JSON.stringify({ pubKey: key }) });
    expect(matches({ node: key.toUpperCase() }, advert)).toBe('yes');
    expect(matches({ node: 'cd'.repeat(32) }, advert)).toBe('no');
    expect(matches({ node: key }, text)).toBe('no');
  });

  test('of a node given by name are for the server to judge', () => {
    expect(matches({ node: 'R5-D4' }, packet({ payload_type: 4 }))).toBe('ask');
  });

  test('whose region is not told are for the server to judge', () => {
    expect(matches({ region: 'SFO' }, { ...text, observer_iata: null })).toBe('ask');
  });

  test('of an encrypted channel are told by its hash byte', () => {
    const sealed = { ...text, decoded_json: '{"type":"GRP_TXT","channelHashHex":"1F"}' };
    expect(matches({ channel: 'enc_1F' }, sealed)).toBe('yes');
    expect(matches({ channel: 'enc_20' }, sealed)).toBe('no');
  });
});
