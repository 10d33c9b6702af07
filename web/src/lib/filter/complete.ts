/** What may stand where the caret is: fields, operators, values and what joins comparisons. */
import { KINDS, ROUTES } from '../packet/kinds';
import { reading } from './cursor';
import { fieldLike, findField, type Kind } from './fields';
import { written } from './written';

/** What is known to complete with; fields and operators are those of `/api/filter/fields`. */
export interface Known {
  fields: readonly {
    name: string;
    aliases: readonly string[];
    description: string;
    values: readonly string[];
    ofObservation: boolean;
  }[];
  operators: readonly { operator: string; kinds: readonly Kind[] }[];
  /** Values seen on this mesh of a field that has no fixed ones. */
  values(field: string): readonly { value: string; label?: string }[];
}

export interface Offer {
  is: 'field' | 'operator' | 'value' | 'joint';
  /** What is put into the text. */
  text: string;
  /** What the reader sees, where that is not the text. */
  label?: string;
  hint?: string;
}

export interface Completion {
  /** The place of what an offer replaces. */
  from: number;
  to: number;
  /** What of it stands before the caret. */
  typed: string;
  /** Whether the first offer is what the word is about to become; a text of the reader's own may also be meant as it is. */
  sure: boolean;
  offers: Offer[];
}

const MOST = 40;

const OPERATOR_HINTS: Readonly<Record<string, string>> = {
  '==': 'is',
  '!=': 'is not',
  '>': 'more than',
  '>=': 'at least',
  '<': 'less than',
  '<=': 'at most',
  '~': 'matches a regular expression',
  '!~': 'does not match one',
  in: 'one of (a, b), or in 1..5',
  between: 'between 1 5, both included',
  after: 'a time, or 1h for an hour ago',
  before: 'a time, or 1h for an hour ago',
};

const LABELS: ReadonlyMap<string, string> = new Map([...KINDS, ...ROUTES].map((one) => [one.id, one.label]));

const SPANS = ['15m', '1h', '6h', '24h', '7d'];

const QUANTIFIERS: readonly Offer[] = [
  { is: 'field', text: 'any(', hint: 'some observation of the packet' },
  { is: 'field', text: 'all(', hint: 'every observation of the packet' },
];

export function complete(text: string, caret: number, known: Known): Completion {
  const place = reading(text, caret);
  const typed = place.typed.toLowerCase();
  const find = (offers: Offer[]) => best(offers, typed).slice(0, MOST);
  const at = { from: place.from, to: place.to, typed: place.typed, sure: typed !== '' };
  switch (place.wants) {
    case 'field': {
      const offers = find([...fields(known), ...QUANTIFIERS]);
      const like = offers.length === 0 && typed !== '' ? fieldLike(typed) : undefined;
      const meant = like === undefined ? [] : fields(known).filter((one) => one.label === findField(like)?.name);
      return { ...at, offers: offers.length > 0 ? offers : meant };
    }
    case 'operator':
      return { ...at, offers: find([...operators(place.field, known), ...joints(place.open)]) };
    case 'value': {
      const { offers, fixed } = values(place.field ?? '', known);
      return { ...at, sure: at.sure && fixed, offers: find(offers) };
    }
    case 'joint':
      return { ...at, offers: find(joints(place.open)) };
    case 'nothing':
      return { ...at, sure: false, offers: [] };
  }
}

function fields(known: Known): Offer[] {
  return known.fields.map(({ name, description }) => ({
    is: 'field',
    text: `${name} `,
    label: name,
    hint: description,
  }));
}

function operators(name: string | undefined, known: Known): Offer[] {
  const field = name === undefined ? undefined : findField(name);
  if (!field) return [];
  return known.operators
    .filter((one) => one.kinds.includes(field.kind))
    .map(({ operator }) => ({
      is: 'operator',
      text: `${operator} `,
      label: operator,
      hint: OPERATOR_HINTS[operator],
    }));
}

function joints(open: number): Offer[] {
  const both: Offer[] = [
    { is: 'joint', text: '&& ', label: '&&', hint: 'and' },
    { is: 'joint', text: '|| ', label: '||', hint: 'or' },
  ];
  return open > 0 ? [{ is: 'joint', text: ') ', label: ')' }, ...both] : both;
}

function values(name: string, known: Known): { offers: Offer[]; fixed: boolean } {
  const field = findField(name);
  const fixed = known.fields.find((one) => one.name === field?.name)?.values ?? [];
  const spans = field?.kind === 'age' || field?.kind === 'time' ? SPANS : [];
  const plain = [...fixed, ...spans].map((value) => ({ value, label: LABELS.get(value) }));
  const found = field && plain.length === 0 ? known.values(field.name) : plain;
  const offers = found.map(
    ({ value, label }): Offer => ({ is: 'value', text: written(value), label: value, hint: label }),
  );
  return { offers, fixed: fixed.length > 0 };
}

/** Those that begin with what is typed, then those that have it further in; none that is there already. */
function best(offers: Offer[], typed: string): Offer[] {
  if (typed === '') return offers;
  const name = (offer: Offer) => (offer.label ?? offer.text).trim().toLowerCase();
  const begins = offers.filter((offer) => name(offer).startsWith(typed));
  const further = (offer: Offer) => {
    if (name(offer).includes(`.${typed}`) || name(offer).includes(`_${typed}`)) return true;
    return typed.length > 2 && `${name(offer)} ${offer.hint?.toLowerCase()}`.includes(typed);
  };
  const has = offers.filter((offer) => offer.is !== 'operator' && !begins.includes(offer) && further(offer));
  const left = [...begins, ...has];
  // Signs go on: `>` may become `>=`.
  return left.length === 1 && left[0] && name(left[0]) === typed && left[0].is !== 'field' ? [] : left;
}
