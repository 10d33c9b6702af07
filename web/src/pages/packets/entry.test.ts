import { describe, expect, test } from 'vitest';
import type { FilterFields } from '../../lib/api/types';
import * as language from '../../lib/filter/language';
import { Entry } from './entry.svelte';
import { EXAMPLES } from './examples';
import { suggest } from './suggest';

const field = (name: string, values: string[] = []) => ({
  name,
  values,
  aliases: [],
  description: '',
  example: name,
  kind: 'text' as const,
  ofObservation: false,
});

function entry(text: string): Entry {
  const made = new Entry();
  made.language = language;
  made.suggest = suggest;
  made.fields = {
    fields: [field('type', ['ADVERT', 'ACK']), field('snr'), field('sender'), field('transport')],
    operators: [{ operator: '==', kinds: ['text', 'payload_type', 'number'] }, { operator: '>', kinds: ['number'] }],
  } as unknown as FilterFields;
  made.text = text;
  made.caret = text.length;
  made.typed();
  return made;
}

const seen = (made: Entry) => made.rows.map((row) => row.offer?.text ?? row.choice?.label);

describe('what Enter does', () => {
  test.each([
    ['type == ADV', 'ADVERT'],
    ['type == ADVERT', undefined],
    ['type == ADVERT ', undefined],
    ['type =', '== '],
    ['sn', 'snr '],
    ['snr > 5 && se', 'sender '],
    ['snr > 5 && transport', undefined],
    ['snr > 5', undefined],
    ['type:adv', 'Advert'],
    ['adv', 'Advert'],
  ])('%s takes %s', (text, taken) => {
    const made = entry(text);
    const row = made.rows[made.active];
    expect(row?.offer?.text ?? row?.choice?.label).toBe(taken);
  });
});

test('an accepted value is the end, an accepted field is not', () => {
  const made = entry('type == ADV');
  const row = made.rows[made.active];
  expect(row?.offer && made.put(row)).toBe('done');
  expect(made.text).toBe('type == ADVERT');
  const field = entry('snr > 5 && tra');
  const first = field.rows[0];
  expect(first?.offer && field.put(first)).toBe('more');
  expect([field.text, field.caret]).toEqual(['snr > 5 && transport ', 21]);
});

test('arrows go through what is offered and back to the text', () => {
  const made = entry('type == ');
  expect(made.active).toBe(-1);
  made.move(1);
  made.move(1);
  expect(made.active).toBe(1);
  made.move(1);
  expect(made.active).toBe(-1);
  made.move(-1);
  expect(made.active).toBe(1);
});

test('simple choices and fields of the language are offered together, each once', () => {
  expect(seen(entry('t'))).toEqual(expect.arrayContaining(['type', 'transport ']));
  expect(seen(entry('type'))).not.toContain('type ');
  expect(seen(entry(''))).toEqual(['type', 'route', 'observer', 'region', 'node', 'channel', 'hash']);
});

test('a mistake at the end may still become something', () => {
  expect(entry('snr > 5 && ').atEnd).toBe(true);
  expect(entry('snr > 5 && xyz').atEnd).toBe(true);
  expect(entry('xyz > 5 && snr').atEnd).toBe(false);
});

test('every example is an expression', () => {
  for (const [text] of EXAMPLES) {
    expect(language.read(text).mistake, text).toBeUndefined();
    expect(language.isExpression(text, ['type', 'channel']), text).toBe(true);
  }
});

test('one more comparison holds for the whole of what is there', () => {
  expect(language.both('snr > 5', 'hops == 1')).toBe('snr > 5 && hops == 1');
  expect(language.both('snr > 5 || transport', 'hops == 1')).toBe('(snr > 5 || transport) && hops == 1');
});
