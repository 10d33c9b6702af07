/** Tells an expression from words that somebody searches by. */
import { findField, WORD_OPERATORS } from './fields';

const SIGN = /^(==|!=|>=|<=|!~|=|>|<|~)/;

/**
 * A text is an expression when it has a comparison in it, or begins like one: `snr > 5`, `payload.name contains`, `!transport`, `any(`,
 * `a && b`. Everything else is words: `hill`, `Observer MRY 1`, and also `type:advert`, which is a simple choice; `simple` are the
 * fields that have those.
 */
export function isExpression(text: string, simple: readonly string[]): boolean {
  const given = text.trim();
  if (/^(!|\()|&&|\|\|/.test(given) || /^(any|all)\s*\(/i.test(given)) return true;
  const [, name = '', gap = '', rest = ''] = /^([A-Za-z_][\w.]*)(\s*)(.*)$/su.exec(text.trimStart()) ?? [];
  if (name === '') return false;
  if (name.toLowerCase() === 'not') return isExpression(rest, simple) || findField(rest.trim()) !== undefined;
  if (SIGN.test(rest)) return true;
  const field = findField(name);
  if (!field) return false;
  if (rest.startsWith(':')) return !simple.includes(name.toLowerCase()) || goesOn(rest.slice(1));
  return gap !== '' && (rest === '' || isWordOperator(rest));
}

/** `ADVERT snr > 5` behind `type:`, where names of nodes have spaces, too: another field must follow, and a sign. */
function goesOn(value: string): boolean {
  return [...value.matchAll(/\s([A-Za-z_][\w.]*)\s*(?:[=<>~:]|!=|!~)/gu)].some(([, name]) => findField(name ?? ''));
}

/** Also one that is being written; "Text in Berlin" is the name of a node. */
function isWordOperator(rest: string): boolean {
  const [, word = '', behind = ''] = /^([a-z_]+)(.*)$/isu.exec(rest) ?? [];
  if (word === '') return false;
  if (word.toLowerCase() === 'in') return /^\s*($|[(\d.-])/.test(behind);
  return WORD_OPERATORS.some((one) => (behind === '' ? one.startsWith(word.toLowerCase()) : one === word.toLowerCase()));
}
