import { describe, expect, test } from 'vitest';
import { parseDecoded, parseHops } from './decoded';
import { summarise } from './summary';

const of = (type: number, decoded: object) => summarise(type, parseDecoded(JSON.stringify(decoded)));

test('an advert is its name, apart from our words', () => {
  expect(of(4, { name: '<b>x</b>', pubKey: 'ab', lat: 37.1, lon: -122, flags: { repeater: true } })).toEqual({
    role: 'repeater',
    alien: '<b>x</b>',
    lead: undefined,
    tail: '37.100, -122.000',
  });
});

test('a channel text is readable or sealed', () => {
  expect(of(5, { type: 'CHAN', channel: '#test', text: 'A: hi' })).toMatchObject({
    lead: '#test',
    alien: 'A: hi',
  });
  expect(of(5, { type: 'GRP_TXT', channelHashHex: '1F' })).toMatchObject({
    lead: 'channel 1F',
    sealed: true,
  });
});

test('a packet too short for its type says so', () => {
  expect(of(4, { error: 'too short', raw: '00' })).toEqual({ lead: 'too short' });
});

describe('whatever the server sends', () => {
  const odd = [
    null,
    '',
    '[]',
    '"x"',
    '12',
    '{',
    '{"name":{},"flags":7,"lat":"x"}',
    '{"text":[1],"channel":null}',
    '{"__proto__":{"name":"x"}}',
  ];

  test.each(odd)('%s is summarised without fail', (json) => {
    for (let type = -1; type < 17; type += 1)
      expect(summarise(type, parseDecoded(json))).toBeTypeOf('object');
  });

  test('hops are texts only', () => {
    expect(parseHops('["A1",2,null,"B2"]')).toEqual(['A1', 'B2']);
    expect(parseHops('{"a":1}')).toEqual([]);
    expect(parseHops('nonsense')).toEqual([]);
  });
});
