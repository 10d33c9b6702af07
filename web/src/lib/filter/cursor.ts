/** What the language wants at a place of a text that is being written, and may be wrong before and after it. */
import { findField, WORD_OPERATORS } from './fields';

export interface Reading {
  wants: 'field' | 'operator' | 'value' | 'joint' | 'nothing';
  /** The field that an operator or value belongs to. */
  field?: string;
  /** The word that the caret is in or behind, to its end. */
  from: number;
  to: number;
  /** The word up to the caret; of a text in quotes, what is in them. */
  typed: string;
  /** Parentheses that are open. */
  open: number;
}

const QUOTED = '"(?:\\\\.|[^"\\\\])*"?|\'(?:\\\\.|[^\'\\\\])*\'?';
const TOKEN = new RegExp(`\\s+|${QUOTED}|&&?|\\|\\|?|[=!<>~]+|[(),:]|\\.\\.|(?:(?!\\.\\.)[^\\s(),"'&|=<>!~:])+`, 'uy');
/** Values may have signs in them that end a name: `12:00`, `a!b`. */
const VALUE = new RegExp(`\\s+|${QUOTED}|&&?|\\|\\|?|[=<>]|[(),]|\\.\\.|(?:(?!\\.\\.)[^\\s(),"'&|=<>])+`, 'uy');

type Paren = 'group' | 'quantifier' | 'list';

class Reader {
  wants: Reading['wants'] = 'field';
  field: string | undefined;
  private readonly parens: Paren[] = [];
  /** Values still to come of `between`. */
  private more = 0;
  private quantifier = false;

  get open(): number {
    return this.parens.length;
  }

  take(token: string): void {
    const word = token.toLowerCase();
    if (token === '(') return this.opened();
    if (token === ')') return this.closed();
    if (/^[&|]+$/.test(token)) return this.begin();
    if (/^(and|or)$/.test(word) && this.wants !== 'value') return this.begin();
    switch (this.wants) {
      case 'field':
        return this.operand(word, token);
      case 'operator':
        return this.operator(word, token);
      case 'value':
        return this.value(token);
      case 'joint':
        if (token === '..' || (token === ',' && this.parens.at(-1) === 'list')) this.wants = 'value';
        // Two comparisons side by side.
        else if (this.parens.at(-1) !== 'list') this.operand(word, token);
    }
  }

  private begin(): void {
    this.wants = 'field';
    this.field = undefined;
    this.more = 0;
  }

  private operand(word: string, token: string): void {
    this.quantifier = word === 'any' || word === 'all';
    if (this.quantifier || word === 'not' || /^!+$/.test(word)) this.begin();
    else if (findField(token)) {
      this.field = token;
      this.wants = 'operator';
    } else this.wants = 'nothing';
  }

  private operator(word: string, token: string): void {
    if (WORD_OPERATORS.includes(word) || /^[=!<>~:]+$/.test(token)) {
      this.wants = 'value';
      this.more = word === 'between' ? 1 : 0;
    } else this.operand(word, token);
  }

  private value(token: string): void {
    if (/^([,=<>]|\.\.|and)$/i.test(token)) return;
    if (this.more > 0) this.more -= 1;
    else this.wants = 'joint';
  }

  private opened(): void {
    if (this.wants === 'value') this.parens.push('list');
    else {
      this.parens.push(this.quantifier ? 'quantifier' : 'group');
      this.begin();
    }
    this.quantifier = false;
  }

  private closed(): void {
    const paren = this.parens.pop();
    // After `any(snr)` what the field is compared with follows.
    this.wants = paren === 'quantifier' && this.wants === 'operator' ? 'operator' : 'joint';
  }
}

export function reading(text: string, caret: number): Reading {
  const reader = new Reader();
  for (let from = 0; from < caret; ) {
    const pattern = reader.wants === 'value' ? VALUE : TOKEN;
    pattern.lastIndex = from;
    const token = pattern.exec(text)?.[0] ?? text.charAt(from);
    const to = from + token.length;
    // What the caret touches is being written; parentheses are done as soon as they are there.
    if (caret <= to && !/^(\s+|[(),:]|\.\.)$/u.test(token)) return touching(reader, text.slice(from, caret), from, to);
    if (!/^\s/u.test(token)) reader.take(token);
    from = to;
  }
  const { wants, field, open } = reader;
  return { wants, field, open, from: caret, to: caret, typed: '' };
}

function touching(reader: Reader, before: string, from: number, to: number): Reading {
  const { wants, field, open } = reader;
  const place = { field, open, from, to };
  if (/^["']/.test(before)) {
    const closed = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')$/u.test(before);
    return { ...place, wants: wants === 'value' && !closed ? 'value' : 'nothing', typed: before.slice(1) };
  }
  const sign = /^[=!<>~&|]+$/.test(before);
  // A `!` before a comparison is done, and so is a sign that stands where a value is wanted.
  if (sign && wants === 'field') return { ...place, wants: 'field', from: to, typed: '' };
  if (sign && wants !== 'operator' && wants !== 'joint') return { ...place, wants: 'nothing', typed: before };
  // Behind a comparison a field may follow as well as what joins.
  if (wants === 'joint' && !sign && !/^(a|an|and|o|or)$/i.test(before)) return { ...place, wants: 'field', typed: before };
  return { ...place, wants, typed: before };
}
