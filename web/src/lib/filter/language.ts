/** The language in one piece, which pages load when they need it. */
import { type Answer, matches } from './match';
import { type Expr, parse } from './parse';
import { FilterError } from './scan';

export { complete } from './complete';
export { isExpression } from './expression';
export { matches } from './match';
export { PacketSubject } from './subject';
export type { Answer, Expr };

/** A filter, or why it is none. */
export function read(text: string): { expr: Expr; mistake?: undefined } | { expr?: undefined; mistake: FilterError } {
  try {
    return { expr: parse(text) };
  } catch (error) {
    if (error instanceof FilterError) return { mistake: error };
    throw error;
  }
}

/** A filter that also asks for something else. */
export function both(text: string, more: string): string {
  const { expr } = read(text);
  return expr && 'or' in expr ? `(${text}) && ${more}` : `${text} && ${more}`;
}
