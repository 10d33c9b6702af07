/** Letters, words and signs of a filter, with their places. */

/** A mistake: its place in characters from the start, what it is, and what to write instead where that can be guessed. */
export class FilterError extends Error {
  constructor(
    readonly offset: number,
    readonly length: number,
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

export interface Word {
  /** Without quotes and the backslashes that protect them. */
  text: string;
  start: number;
  end: number;
}

const SPACE = /^\s+/u;

export class Scanner {
  at = 0;

  constructor(readonly text: string) {}

  /** What is left, without the spaces before it. */
  rest(): string {
    const rest = this.text.slice(this.at);
    this.at += SPACE.exec(rest)?.[0].length ?? 0;
    return this.text.slice(this.at);
  }

  get atEnd(): boolean {
    return this.rest() === '';
  }

  /** Takes a sign, if it is the next thing. */
  take(sign: string): boolean {
    const found = this.rest().startsWith(sign);
    if (found) this.at += sign.length;
    return found;
  }

  /** Takes a word, if it is the next thing and does not go on. */
  takeWord(word: string): boolean {
    const found = this.peekName()?.toLowerCase() === word;
    if (found) this.at += word.length;
    return found;
  }

  /** The name that comes next. */
  peekName(): string | undefined {
    const name = /^[A-Za-z_][\w.]*/.exec(this.rest())?.[0];
    return name?.split('..')[0];
  }

  /** Whether a space, a `)` or the end comes next. */
  get endsHere(): boolean {
    return /^(\s|\)|$)/u.test(this.text.slice(this.at));
  }

  /** Takes a value: a text in quotes, or everything up to a space or a sign. */
  value(): Word {
    const rest = this.rest();
    const start = this.at;
    if (rest.startsWith('"') || rest.startsWith("'")) return this.quoted(rest, start);
    const text = /^[^\s(),"'&|=<>]*/u.exec(rest)?.[0].split('..')[0] ?? '';
    if (text === '') throw this.error(start, start + firstLength(rest), 'a value is missing here');
    this.at += text.length;
    return { text, start, end: this.at };
  }

  /** An error about a part of the text. */
  error(start: number, end: number, message: string, hint: string | null = null): FilterError {
    const offset = [...this.text.slice(0, start)].length;
    return new FilterError(offset, [...this.text.slice(start, end)].length, message, hint);
  }

  /** An error about what comes next. */
  errorHere(message: string, hint: string | null = null): FilterError {
    const rest = this.rest();
    const length = this.peekName()?.length ?? firstLength(rest);
    return this.error(this.at, this.at + length, message, hint);
  }

  private quoted(rest: string, start: number): Word {
    const quote = rest.charAt(0);
    let text = '';
    for (let i = 1; i < rest.length; i++) {
      const letter = rest.charAt(i);
      const next = rest.charAt(i + 1);
      if (letter === '\\' && (next === quote || next === '\\')) {
        text += next;
        i++;
      } else if (letter === quote) {
        this.at = start + i + 1;
        return { text, start, end: this.at };
      } else text += letter;
    }
    throw this.error(
      start,
      this.text.length,
      'the quote is not closed',
      `add \`${quote}\` at the end of the text`,
    );
  }
}

/** UTF-16 units of the first character. */
function firstLength(text: string): number {
  return [...text.slice(0, 2)][0]?.length ?? 0;
}
