/** What follows a field: a sign and a value of the field's kind, or nothing. */
import { KINDS, ROUTES } from '../packet/kinds';
import { closest, type Field, type Kind } from './fields';
import { type Condition, MAX_TESTS, type Op, type Value } from './parse';
import type { Scanner } from './scan';

/** The longer of those that begin alike first. */
const SIGNS: readonly (readonly [string, Op])[] = [
  ['==', '=='],
  ['!=', '!='],
  ['>=', '>='],
  ['<=', '<='],
  ['>', '>'],
  ['<', '<'],
  ['=', '=='],
  [':', '=='],
];

const WORDS: readonly (readonly [string, Op])[] = [
  ['contains', 'contains'],
  ['starts_with', 'starts_with'],
  ['ends_with', 'ends_with'],
  ['after', '>'],
  ['before', '<'],
];

const ORDER: ReadonlySet<Op> = new Set<Op>(['>', '>=', '<', '<=']);
const PARTS: ReadonlySet<Op> = new Set<Op>(['contains', 'starts_with', 'ends_with']);

/** Names that people have for types, in small letters without what is neither letter nor digit. */
const TYPE_ALIASES: Readonly<Record<string, string>> = {
  request: 'REQ',
  directmsg: 'TXT_MSG',
  directmessage: 'TXT_MSG',
  directtext: 'TXT_MSG',
  text: 'TXT_MSG',
  dm: 'TXT_MSG',
  acknowledgement: 'ACK',
  advertisement: 'ADVERT',
  channelmsg: 'GRP_TXT',
  channelmessage: 'GRP_TXT',
  channeltext: 'GRP_TXT',
  grouptext: 'GRP_TXT',
  chan: 'GRP_TXT',
  channel: 'GRP_TXT',
  channeldata: 'GRP_DATA',
  groupdata: 'GRP_DATA',
  anonrequest: 'ANON_REQ',
  anonreq: 'ANON_REQ',
  pathreturn: 'PATH',
  raw: 'RAW_CUSTOM',
  custom: 'RAW_CUSTOM',
};

const ARTICLES: Readonly<Record<Kind, string>> = {
  text: 'a text',
  texts: 'a list of texts',
  number: 'a number',
  time: 'a time',
  age: 'a time span',
  flag: 'true or false',
  payload_type: 'a payload type',
  route: 'a route',
};

const OF_TEXTS = 'use ==, !=, contains, starts_with, ends_with, ~ or in (…)';
const OF_NUMBERS = 'use ==, !=, <, <=, >, >=, between or in 1..5';

const USABLE: Readonly<Record<Kind, string>> = {
  text: OF_TEXTS,
  texts: OF_TEXTS,
  payload_type: OF_TEXTS,
  route: OF_TEXTS,
  number: OF_NUMBERS,
  age: OF_NUMBERS,
  time: 'use after, before, between or in',
  flag: 'use the field alone, or == true',
};

/** `close` takes a `)` or throws. */
export function condition(scanner: Scanner, field: Field, close: () => void): Condition {
  if (scanner.take('!~')) return pattern(scanner, field, true);
  if (scanner.take('~')) return pattern(scanner, field, false);
  if (scanner.takeWord('between')) {
    const low = value(scanner, field);
    // `between 1 and 5` reads well, and `and` is no value.
    if (!scanner.takeWord('and')) scanner.take(',');
    return between(scanner, field, low, value(scanner, field));
  }
  if (scanner.takeWord('in')) return oneOf(scanner, field, close);
  scanner.rest();
  const from = scanner.at;
  const found = SIGNS.find(([sign]) => scanner.take(sign)) ?? WORDS.find(([word]) => scanner.takeWord(word));
  if (!found) return { is: 'truthy' };
  const [written, op] = found;
  if (!fits(field.kind, op)) {
    const message = `\`${written}\` cannot be asked of \`${field.name}\`, which is ${ARTICLES[field.kind]}`;
    throw scanner.error(from, scanner.at, message, USABLE[field.kind]);
  }
  return { is: 'compare', op, value: value(scanner, field, op) };
}

function isOrdered(kind: Kind): boolean {
  return kind === 'number' || kind === 'age' || kind === 'time';
}

function fits(kind: Kind, op: Op): boolean {
  const equality = op === '==' || op === '!=';
  if (isOrdered(kind)) return equality || ORDER.has(op);
  return kind === 'flag' ? equality : !ORDER.has(op);
}

/** Whether it is an expression at all is for the server to say: its language is another one than the browser's. */
function pattern(scanner: Scanner, field: Field, negated: boolean): Condition {
  const word = scanner.value();
  if (isOrdered(field.kind) || field.kind === 'flag') {
    const message = `\`~\` wants a text, and \`${field.name}\` is ${ARTICLES[field.kind]}`;
    throw scanner.error(word.start, word.end, message, USABLE[field.kind]);
  }
  return { is: 'matches', source: word.text, negated };
}

/** `in (a, b, c)`, `in 1..5`, `in 5..`, `in ..5`. */
function oneOf(scanner: Scanner, field: Field, close: () => void): Condition {
  if (scanner.take('(')) {
    const values = [value(scanner, field)];
    while (scanner.take(',')) {
      values.push(value(scanner, field));
      if (values.length > MAX_TESTS) throw scanner.errorHere(`more than ${MAX_TESTS} values`);
    }
    close();
    return { is: 'in', values };
  }
  const { name } = field;
  if (!isOrdered(field.kind))
    throw scanner.errorHere('`in` wants values in parentheses', `write \`${name} in (a, b)\``);
  if (scanner.take('..')) return { is: 'compare', op: '<=', value: value(scanner, field) };
  const low = value(scanner, field);
  if (!scanner.take('..')) {
    const hint = `write \`${name} in 1..5\` or \`${name} in (1, 5)\``;
    throw scanner.errorHere('`in` wants a range or values in parentheses', hint);
  }
  // An end that is left out: whatever stands behind a space is the next comparison.
  if (scanner.endsHere) return { is: 'compare', op: '>=', value: low };
  return between(scanner, field, low, value(scanner, field));
}

function between(scanner: Scanner, field: Field, low: Value, high: Value): Condition {
  if (isOrdered(field.kind)) return { is: 'between', low, high };
  const message = `\`between\` wants numbers or times, and \`${field.name}\` is ${ARTICLES[field.kind]}`;
  throw scanner.errorHere(message, USABLE[field.kind]);
}

function value(scanner: Scanner, field: Field, op: Op = '=='): Value {
  const word = scanner.value();
  const { text } = word;
  const wrong = (problem: string, hint: string | null = null) =>
    scanner.error(word.start, word.end, `\`${text}\` ${problem}`, hint);
  switch (field.kind) {
    case 'text':
    case 'texts':
      return { text };
    case 'payload_type': {
      const known = PARTS.has(op) ? text : payloadType(text);
      if (known !== undefined) return { text: known };
      const like = closest(
        text,
        [...KINDS].sort((a, b) => a.code - b.code).map((kind) => kind.id),
      );
      throw wrong('is no payload type', like === undefined ? null : `did you mean ${like}?`);
    }
    case 'route': {
      const known = PARTS.has(op) ? text : route(text);
      if (known !== undefined) return { text: known };
      throw wrong('is no route', 'write FLOOD, DIRECT, TRANSPORT_FLOOD or TRANSPORT_DIRECT');
    }
    case 'number': {
      const found = number(text);
      if (found === undefined) throw wrong('is no number');
      return { number: found };
    }
    case 'age': {
      const span = duration(text);
      const seconds = span === undefined ? number(text) : span / 1000;
      if (seconds === undefined) throw wrong('is no time span', 'write 30s, 15m, 1h, 7d or 2w');
      return { number: seconds };
    }
    case 'time': {
      const span = duration(text);
      if (span !== undefined) return { ago: span };
      const found = time(text);
      if (found !== undefined) return { time: found };
      throw wrong('is no time', 'write 2026-05-16, 2026-05-16T12:00:00Z, or 1h for an hour ago');
    }
    case 'flag': {
      const word = text.toLowerCase();
      if (['true', 'yes', '1'].includes(word)) return { flag: true };
      if (['false', 'no', '0'].includes(word)) return { flag: false };
      throw wrong('is neither true nor false');
    }
  }
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function payloadType(text: string): string | undefined {
  const wanted = plain(text);
  const named = KINDS.find((kind) => plain(kind.id) === wanted)?.id ?? TYPE_ALIASES[wanted];
  if (named !== undefined) return named;
  if (wanted === 'unknown') return 'UNKNOWN';
  if (!/^\d{1,3}$/.test(wanted) || Number(wanted) > 15) return undefined;
  return KINDS.find((kind) => kind.code === Number(wanted))?.id ?? 'UNKNOWN';
}

function route(text: string): string | undefined {
  const wanted = plain(text);
  return ROUTES.find(({ id, code }) => {
    const short = plain(id.replace('TRANSPORT_', 'T_'));
    return plain(id) === wanted || short === wanted || String(code) === wanted;
  })?.id;
}

function number(text: string): number | undefined {
  return /^[-+]?\d+(\.\d*)?$/.test(text) ? Number(text) : undefined;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** In milliseconds. */
function duration(text: string): number | undefined {
  const unit = UNITS[text.slice(-1)];
  const count = number(text.slice(0, -1));
  if (unit === undefined || count === undefined || count < 0) return undefined;
  const ms = count * unit * 1000;
  return ms <= 3.2e12 ? Math.trunc(ms) : undefined;
}

/** RFC 3339, or a date with or without a time of day, which are UTC. */
function time(text: string): number | undefined {
  const parts =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i.exec(text);
  if (!parts) return undefined;
  const [, date = '', clock = '00:00:00', zone = 'Z'] = parts;
  const ms = Date.parse(`${date}T${clock}${zone.toUpperCase()}`);
  // The browser takes the 31st of February for the 3rd of March.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return undefined;
  return ms;
}
