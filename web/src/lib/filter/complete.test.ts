import { describe, expect, test } from 'vitest';
import { complete, type Known } from './complete';
import { reading } from './cursor';
import { isExpression } from './expression';
import { allNames } from './fields';
import { written } from './written';

const SIMPLE = ['type', 'route', 'observer', 'region', 'node', 'channel', 'hash'];
const FIXED: Readonly<Record<string, string[]>> = { type: ['ADVERT', 'ACK', 'GRP_TXT'], route: ['FLOOD', 'DIRECT', 'TRANSPORT_FLOOD'] };

const known: Known = {
  fields: [...new Set(allNames().values())].map((field) => ({
    name: field.name,
    aliases: [],
    description: `what ${field.name} is`,
    values: FIXED[field.name] ?? [],
    ofObservation: field.heard,
  })),
  operators: [
    { operator: '==', kinds: ['text', 'texts', 'number', 'payload_type', 'route'] },
    { operator: '>', kinds: ['number', 'age'] },
    { operator: '>=', kinds: ['number', 'age'] },
    { operator: 'contains', kinds: ['text', 'texts'] },
  ],
  values: (field) => (field === 'observer' ? [{ value: 'Hill "1"', label: 'SFO' }] : []),
};

/** `|` stands where the caret is. */
function offered(marked: string): string[] {
  const caret = marked.indexOf('^');
  return complete(marked.replace('^', ''), caret, known).offers.map((offer) => offer.text);
}

function wants(marked: string) {
  const caret = marked.indexOf('^');
  const { wants: what, typed, field } = reading(marked.replace('^', ''), caret);
  return [what, typed, field];
}

describe('what is wanted', () => {
  test.each<[string, ReturnType<typeof wants>]>([
    ['^', ['field', '', undefined]],
    ['sn^', ['field', 'sn', undefined]],
    ['snr ^', ['operator', '', 'snr']],
    ['snr >^', ['operator', '>', 'snr']],
    ['snr > ^', ['value', '', 'snr']],
    ['snr > 5^', ['value', '5', 'snr']],
    ['snr > 5 ^', ['joint', '', 'snr']],
    ['snr > 5 && ty^', ['field', 'ty', undefined]],
    ['snr > 5 ty^', ['field', 'ty', 'snr']],
    ['!^', ['field', '', undefined]],
    ['!tra^', ['field', 'tra', undefined]],
    ['any(^', ['field', '', undefined]],
    ['any(snr^', ['field', 'snr', undefined]],
    ['any(snr) ^', ['operator', '', 'snr']],
    ['any(snr > 5) ^', ['joint', '', 'snr']],
    ['(type == ADV^', ['value', 'ADV', 'type']],
    ['type in (ACK, ADV^', ['value', 'ADV', 'type']],
    ['type in (ACK, ADVERT) ^', ['joint', '', 'type']],
    ['hops between 1 and ^', ['value', '', 'hops']],
    ['hops between 1 5 ^', ['joint', '', 'hops']],
    ['hops in 1..5 ^', ['joint', '', 'hops']],
    ['observer == "Hill ^', ['value', 'Hill ', 'observer']],
    ['time after 2026-05-16T12:00:00Z ^', ['joint', '', 'time']],
    ['type == A^ && snr > 5', ['value', 'A', 'type']],
    ['text == "a\\" ^', ['value', 'a\\" ', 'text']],
    ['text == "a"^', ['nothing', 'a"', 'text']],
    ['text == "a" ^', ['joint', '', 'text']],
  ])('%s', (marked, expected) => {
    expect(wants(marked)).toEqual(expected);
  });
});

describe('what is offered', () => {
  test('fields that begin so, before those that have it further in', () => {
    expect(offered('sn^')).toEqual(['snr ']);
    expect(offered('name^')[0]).toBe('payload.name ');
    expect(offered('hash^').slice(0, 2)).toEqual(['hash ', 'hash_size ']);
    expect(offered('any^')).toContain('any(');
  });

  test('the field that was meant', () => {
    expect(offered('snrr^')).toEqual(['snr ']);
    expect(offered('xyzzyx^')).toEqual([]);
  });

  test('operators that the field has', () => {
    expect(offered('snr ^')).toEqual(['== ', '> ', '>= ', '&& ', '|| ']);
    expect(offered('snr >^')).toEqual(['> ', '>= ']);
    expect(offered('any(sender ^').slice(-3)).toEqual([') ', '&& ', '|| ']);
    expect(offered('sender con^')).toEqual(['contains ']);
  });

  test('values, those of the mesh in quotes where they need them', () => {
    expect(offered('type == A^')).toEqual(['ADVERT', 'ACK']);
    expect(offered('type == ADVERT^')).toEqual([]);
    expect(offered('observer == sfo^')).toEqual(['"Hill \\"1\\""']);
    expect(offered('age > ^')).toContain('15m');
    expect(offered('snr > ^')).toEqual([]);
  });

  test('is put in the place of the whole word', () => {
    expect(complete('type == ACKNO && snr > 5', 10, known)).toMatchObject({ from: 8, to: 13, typed: 'AC' });
    expect(complete('observer == "Hill', 17, known)).toMatchObject({ from: 12, to: 17 });
  });

  test('is whatever else stands in the text, without end', () => {
    for (const odd of ['((((', ')))', '"', "'", '\\', 'a..b', '..', '&|&|', '== ==', '\u{1F600} == \u0000', 'in in in (']) {
      for (let caret = 0; caret <= odd.length; caret++) expect(() => complete(odd, caret, known)).not.toThrow();
    }
  });
});

test('values are written so that they are read as they are', () => {
  expect(['ADVERT', '#test', 'a b', 'a"b', '1..2', '', 'Ü'].map(written)).toEqual(['ADVERT', '#test', '"a b"', '"a\\"b"', '"1..2"', '""', 'Ü']);
});

describe('expressions and words', () => {
  test.each([
    'snr > 5', 'snr>5', 'type == ADVERT', 'type=ADVERT', 'snrr > 5', 'sender:bob', 'payload.name contains "hill"', 'payload.name con',
    'any(rssi) > -60', 'ANY (snr', '!transport', 'not transport', '(type', 'a && b', 'snr ', 'hops in 1..5', 'hops in (', 'type:ADVERT snr > 5',
    'text ~ "x"', 'age < 15m', 'hops between 1 5',
  ])('%s is an expression', (text) => {
    expect(isExpression(text, SIMPLE)).toBe(true);
  });

  test.each([
    '', ' ', 'hill', 'snr', 'type:advert', 'type:', 'node:Hill Top', 'Observer MRY 1', 'Text in Berlin', 'Room 12', '#test', '0123456789abcdef', 'day after tomorrow',
    'channel:#a', 'notable', 'anyone', 'R5-D4', 'node:Base Text', 'http://x',
  ])('%s is words', (text) => {
    expect(isExpression(text, SIMPLE)).toBe(false);
  });
});
