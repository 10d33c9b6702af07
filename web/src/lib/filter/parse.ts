/** From text to tree: the twin of the server's parser, for live rows and for telling mistakes as they are typed. */
import { condition } from './condition';
import { type Field, fieldLike, findField } from './fields';
import { Scanner } from './scan';

export type Op =
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'contains'
  | 'starts_with'
  | 'ends_with';

/** A text, a number (of an age: seconds), a flag, a time in milliseconds since 1970, or so many milliseconds ago. */
export type Value =
  | { text: string }
  | { number: number }
  | { flag: boolean }
  | { time: number }
  | { ago: number };

export type Condition =
  | { is: 'truthy' }
  | { is: 'compare'; op: Op; value: Value }
  | { is: 'between'; low: Value; high: Value }
  | { is: 'in'; values: Value[] }
  | { is: 'matches'; source: string; negated: boolean };

export type Expr =
  | { and: Expr[] }
  | { or: Expr[] }
  | { not: Expr }
  | { any: Expr }
  | { all: Expr }
  | { field: Field; condition: Condition };

const MAX_BYTES = 4096;
const MAX_DEPTH = 64;
export const MAX_TESTS = 256;

/** Reads a filter; throws a `FilterError`. */
export function parse(text: string): Expr {
  const scanner = new Scanner(text);
  if (new TextEncoder().encode(text).length > MAX_BYTES)
    throw scanner.error(0, text.length, `the filter is longer than ${MAX_BYTES} bytes`);
  if (scanner.atEnd) throw scanner.errorHere('the filter is empty');
  const parser = new Parser(scanner);
  const expr = parser.or();
  if (!scanner.atEnd) throw parser.unexpected();
  return expr;
}

class Parser {
  private depth = 0;
  private tests = 0;

  constructor(private readonly scanner: Scanner) {}

  or(): Expr {
    const parts = [this.and()];
    while (this.scanner.take('||') || this.scanner.takeWord('or')) parts.push(this.and());
    return parts.length === 1 && parts[0] ? parts[0] : { or: parts };
  }

  /** `&&`, `and`, or nothing at all between two comparisons. */
  private and(): Expr {
    const parts = [this.not()];
    for (;;) {
      if (this.scanner.take('&&') || this.scanner.takeWord('and')) {
        parts.push(this.not());
        continue;
      }
      const rest = this.scanner.rest();
      const name = this.scanner.peekName();
      const goesOn = name ? name.toLowerCase() !== 'or' : /^(\(|!(?!=))/.test(rest);
      if (!goesOn) return parts.length === 1 && parts[0] ? parts[0] : { and: parts };
      parts.push(this.not());
    }
  }

  private not(): Expr {
    if (!(this.scanner.take('!') || this.scanner.takeWord('not'))) return this.primary();
    return this.deeper(() => ({ not: this.not() }));
  }

  private primary(): Expr {
    if (this.scanner.take('(')) {
      const inner = this.deeper(() => this.or());
      this.close();
      return inner;
    }
    const name = this.scanner.peekName();
    if (!name) throw this.unexpected();
    const start = this.scanner.at;
    this.scanner.at += name.length;
    const word = name.toLowerCase();
    if (word === 'any') return { any: this.heard(start) };
    if (word === 'all') return { all: this.heard(start) };
    const field = findField(name);
    if (field) return this.test(field, start);
    const known = fieldLike(name);
    const hint = known === undefined ? null : `did you mean \`${known}\`?`;
    throw this.scanner.error(start, this.scanner.at, `there is no field \`${name}\``, hint);
  }

  /** `any(snr > 5)`, `any(snr) > 5`, `any(snr > 5 && iata == SFO)`. */
  private heard(start: number): Expr {
    const { scanner } = this;
    const end = scanner.at;
    if (!scanner.take('(')) {
      const hint = 'write `any(snr > 5)` or `any(snr) > 5`';
      throw scanner.error(start, end, '`any` and `all` want parentheses', hint);
    }
    return this.deeper(() => {
      const name = scanner.peekName();
      const before = scanner.at;
      const field = name === undefined ? undefined : findField(name);
      if (name !== undefined && field) {
        scanner.at += name.length;
        if (scanner.take(')')) return this.test(field, before);
        scanner.at = before;
      }
      const inner = this.or();
      this.close();
      return inner;
    });
  }

  private test(field: Field, start: number): Expr {
    this.tests += 1;
    if (this.tests > MAX_TESTS)
      throw this.scanner.error(start, this.scanner.at, `more than ${MAX_TESTS} comparisons`);
    return { field, condition: condition(this.scanner, field, () => this.close()) };
  }

  private deeper<T>(inner: () => T): T {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw this.scanner.errorHere(`nested more than ${MAX_DEPTH} deep`);
    const result = inner();
    this.depth -= 1;
    return result;
  }

  private close(): void {
    if (this.scanner.take(')')) return;
    if (this.scanner.atEnd) throw this.scanner.errorHere('a `)` is missing');
    throw this.unexpected();
  }

  /** What is wrong with what comes next where a comparison should begin or end. */
  unexpected() {
    const rest = this.scanner.rest();
    const { scanner } = this;
    if (rest === '') return scanner.errorHere('the filter ends where a comparison should follow');
    if (rest.startsWith('&')) return scanner.errorHere('a single `&`', 'write `&&`');
    if (rest.startsWith('|')) return scanner.errorHere('a single `|`', 'write `||`');
    if (rest.startsWith(')')) return scanner.errorHere('a `)` without its `(`');
    if (/^["']/.test(rest))
      return scanner.errorHere('a text where a field should stand', 'write `text contains "…"`');
    if (/^[0-9-]/.test(rest)) {
      const hint = 'write a field and a sign before it, such as `snr > 5`';
      return scanner.errorHere('a number where a field should stand', hint);
    }
    return scanner.errorHere('this is no field, comparison or operator');
  }
}
