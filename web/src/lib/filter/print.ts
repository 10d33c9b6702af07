/** A filter in its canonical form. */
import type { Condition, Expr, Value } from './parse';

export function print(expr: Expr): string {
  if ('and' in expr)
    return expr.and.map((part) => wrap(part, 'or' in part || 'and' in part)).join(' && ');
  if ('or' in expr) return expr.or.map((part) => wrap(part, 'or' in part)).join(' || ');
  // `!` takes the next comparison only.
  if ('not' in expr) return `!${wrap(expr.not, 'and' in expr.not || 'or' in expr.not || 'not' in expr.not)}`;
  if ('any' in expr) return `any(${print(expr.any)})`;
  if ('all' in expr) return `all(${print(expr.all)})`;
  return test(expr.field.name, expr.condition);
}

function wrap(expr: Expr, parentheses: boolean): string {
  return parentheses ? `(${print(expr)})` : print(expr);
}

function test(field: string, condition: Condition): string {
  switch (condition.is) {
    case 'truthy':
      return field;
    case 'compare':
      return `${field} ${condition.op} ${value(condition.value)}`;
    case 'between':
      return `${field} between ${value(condition.low)} ${value(condition.high)}`;
    case 'in':
      return `${field} in (${condition.values.map(value).join(', ')})`;
    case 'matches':
      return `${field} ${condition.negated ? '!~' : '~'} ${quoted(condition.source)}`;
  }
}

function value(of: Value): string {
  if ('text' in of) return quoted(of.text);
  if ('number' in of) return String(of.number);
  if ('flag' in of) return String(of.flag);
  if ('ago' in of) return `${of.ago / 1000}s`;
  return new Date(of.time).toISOString().replace('.000Z', 'Z');
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
