/** Whether a packet passes a filter. */
import type { Field } from './fields';
import type { Condition, Expr, Op, Value } from './parse';

/** The value of a field: a text (types and routes by name), several texts, a number (times in milliseconds since 1970), or a flag. */
export type Found = string | readonly string[] | number | boolean;

/** A packet, or one observation of it, as a filter sees it. */
export interface Subject {
  /** `null` when there is no value, `undefined` when it is not known here; never asked for an age. */
  find(field: Field): Found | null | undefined;
  /** The observations; with `complete` false there are others that are not known here. */
  heard(): { rows: readonly Subject[]; complete: boolean };
}

/** `undefined` when only the server can tell. */
export type Answer = boolean | undefined;

const TIME: Field = { name: 'time', kind: 'time', heard: true };

export function matches(expr: Expr, subject: Subject, now: number): Answer {
  if ('and' in expr) return every(expr.and, (part) => matches(part, subject, now));
  if ('or' in expr) return negate(every(expr.or, (part) => negate(matches(part, subject, now))));
  if ('not' in expr) return negate(matches(expr.not, subject, now));
  if ('any' in expr) return negate(each(subject, (heard) => negate(matches(expr.any, heard, now))));
  if ('all' in expr) return each(subject, (heard) => matches(expr.all, heard, now));
  const { field, condition } = expr;
  const found = subject.find(field.kind === 'age' ? TIME : field);
  if (found === undefined) return undefined;
  if (found === null) return false;
  if (field.kind === 'age')
    return typeof found === 'number' && forNumber(condition, (now - found) / 1000, now);
  return holds(condition, found, now);
}

/** True when the test holds for every observation. */
function each(subject: Subject, test: (heard: Subject) => Answer): Answer {
  const { rows, complete } = subject.heard();
  const known = every(rows, test);
  return known === true && !complete ? undefined : known;
}

function every<T>(items: readonly T[], test: (item: T) => Answer): Answer {
  let answer: Answer = true;
  for (const item of items) {
    const one = test(item);
    if (one === false) return false;
    if (one === undefined) answer = undefined;
  }
  return answer;
}

function negate(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}

function holds(condition: Condition, found: Found, now: number): Answer {
  if (typeof found === 'string') return found !== '' && forText(condition, found);
  if (typeof found === 'number') return forNumber(condition, found, now);
  if (typeof found === 'boolean') return forFlag(condition, found);
  // Of several values, one must fit; for what is negated, none may be what is named.
  const negated =
    (condition.is === 'compare' && condition.op === '!=') ||
    (condition.is === 'matches' && condition.negated);
  if (negated) return found.length > 0 && every(found, (text) => forText(condition, text));
  return negate(every(found, (text) => negate(forText(condition, text))));
}

function forFlag(condition: Condition, found: boolean): boolean {
  if (condition.is === 'truthy') return found;
  const is = (value: Value) => 'flag' in value && value.flag === found;
  if (condition.is === 'in') return condition.values.some(is);
  return condition.is === 'compare' && is(condition.value) === (condition.op === '==');
}

function forText(condition: Condition, found: string): Answer {
  if (condition.is === 'truthy') return found !== '';
  if (condition.is === 'matches') return pattern(condition.source, condition.negated, found);
  const text = found.toLowerCase();
  const of = (value: Value) => ('text' in value ? value.text.toLowerCase() : '');
  if (condition.is === 'in') return condition.values.some((value) => of(value) === text);
  if (condition.is !== 'compare') return false;
  const wanted = of(condition.value);
  switch (condition.op) {
    case '==':
      return text === wanted;
    case '!=':
      return text !== wanted;
    case 'contains':
      return text.includes(wanted);
    case 'starts_with':
      return text.startsWith(wanted);
    case 'ends_with':
      return text.endsWith(wanted);
    default:
      return false;
  }
}

/** What the two languages of expressions have in common; classes of letters and everything beyond ASCII differ. */
const COMMON = /^(?:[\w\s#@%&,:;!<>='"/~`-]|[.^$|*+?()[\]]|\\[.^$|*+?()[\]{}\\/-])*$/;

function pattern(source: string, negated: boolean, found: string): Answer {
  // Of what is not ASCII, the two languages compare other letters as equal.
  if (!COMMON.test(source) || /\(\?|\[[^\]]*\[|&&|--|~~/.test(source) || /[^\p{ASCII}]/u.test(found))
    return undefined;
  try {
    return new RegExp(source, 'iu').test(found) !== negated;
  } catch {
    return undefined;
  }
}

function forNumber(condition: Condition, found: number, now: number): boolean {
  const of = (value: Value) => {
    if ('number' in value) return value.number;
    if ('time' in value) return value.time;
    return 'ago' in value ? now - value.ago : Number.NaN;
  };
  switch (condition.is) {
    case 'truthy':
      return found !== 0;
    case 'compare':
      return ordered(condition.op, found, of(condition.value));
    case 'between':
      return of(condition.low) <= found && found <= of(condition.high);
    case 'in':
      return condition.values.some((value) => of(value) === found);
    case 'matches':
      return false;
  }
}

function ordered(op: Op, found: number, value: number): boolean {
  switch (op) {
    case '==':
      return found === value;
    case '!=':
      return found !== value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    default:
      return false;
  }
}
