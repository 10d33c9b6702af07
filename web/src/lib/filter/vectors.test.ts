/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allNames, type Field } from './fields';
import { type Found, matches, type Subject } from './match';
import { parse } from './parse';
import { print } from './print';
import { FilterError } from './scan';

interface Sample {
  [field: string]: Found | Sample[] | undefined;
  heard?: Sample[];
}

type Vector =
  | { parses: { text: string; canonical: string } }
  | { fails: { text: string; offset: number; length: number; message: string; hint: string | null } }
  | { packet: { now: number; packet: Sample; matches: string[]; fails: string[] } }
  | { fields: { name: string; aliases: string[]; kind: string; heard: boolean }[] };

const path = new URL('../../../../crates/filter/vectors.jsonl', import.meta.url);
const vectors = readFileSync(path, 'utf8')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => JSON.parse(line) as Vector);

class Plain implements Subject {
  constructor(private readonly sample: Sample) {}

  find(field: Field): Found | null {
    return (this.sample[field.name] as Found | undefined) ?? null;
  }

  heard() {
    return { rows: (this.sample.heard ?? []).map((heard) => new Plain(heard)), complete: true };
  }
}

test('every expression means what it means to the server', () => {
  const texts = vectors.flatMap((v) => ('parses' in v ? [v.parses] : []));
  expect(texts.length).toBeGreaterThan(40);
  for (const { text, canonical } of texts) {
    expect(print(parse(text)), text).toBe(canonical);
    expect(print(parse(canonical)), canonical).toBe(canonical);
  }
});

test('every mistake is told as the server tells it', () => {
  // Whether an expression after `~` is one, only the server says.
  const fails = vectors.flatMap((v) => ('fails' in v && !v.fails.text.includes('~ "(') ? [v.fails] : []));
  expect(fails.length).toBeGreaterThan(30);
  for (const { text, ...expected } of fails) {
    let error: unknown;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error, text).toBeInstanceOf(FilterError);
    const { offset, length, message, hint } = error as FilterError;
    expect({ offset, length, message, hint }, text).toEqual(expected);
  }
});

test('every packet passes what it passes on the server, or the server is asked', () => {
  const packets = vectors.flatMap((v) => ('packet' in v ? [v.packet] : []));
  let asked = 0;
  for (const { now, packet, matches: passed, fails } of packets) {
    for (const [texts, expected] of [
      [passed, true],
      [fails, false],
    ] as const) {
      for (const text of texts) {
        const answer = matches(parse(text), new Plain(packet), now);
        if (answer === undefined) asked += 1;
        else expect(answer, text).toBe(expected);
      }
    }
  }
  expect(asked).toBeLessThan(6);
});

test('the fields are those of the server', () => {
  const fields = vectors.flatMap((v) => ('fields' in v ? v.fields : []));
  expect(fields.length).toBeGreaterThan(60);
  const expected = new Map(
    fields.flatMap(({ name, aliases, kind, heard }) =>
      [name, ...aliases].map((known) => [known.toLowerCase(), { name, kind, heard }] as const),
    ),
  );
  expect(new Map([...allNames()].sort())).toEqual(new Map([...expected].sort()));
});
