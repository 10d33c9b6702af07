import type { LivePacket, Packet } from '../../lib/api/types';
import type { Expr } from '../../lib/filter/language';
import { type Language, language } from '../../lib/filter/load';
import { matches, type PacketFilter, type Verdict } from './filter';
import { Recent } from './recent';

export interface Expression {
  expr: Expr;
  language: Language;
}

/** `undefined` without an expression, and when it cannot be read here: the server is then asked about every packet. */
export async function expressionOf(filter: PacketFilter): Promise<Expression | undefined> {
  if (filter.filter === undefined) return undefined;
  try {
    const loaded = await language();
    const { expr } = loaded.read(filter.filter);
    return expr && { expr, language: loaded };
  } catch {
    return undefined;
  }
}

/** Says of live packets whether they belong to the list, as the server would. */
export class Judge {
  private filter: PacketFilter = {};
  private expression: Expression | undefined;
  private readonly recent = new Recent();

  /** Whether copies that come later may change what is said of a packet. */
  get changes(): boolean {
    return this.filter.filter !== undefined;
  }

  /** From now on packets are judged by this filter, whose expression was read before. */
  use(filter: PacketFilter, expression: Expression | undefined): void {
    this.filter = filter;
    this.expression = expression;
  }

  /** The copies of its packet that are known. */
  take(packet: LivePacket): readonly LivePacket[] {
    return this.recent.add(packet);
  }

  of(copies: readonly Packet[], now: number): Verdict {
    const simple = copies.map((copy) => matches(this.filter, copy));
    const one = simple.includes('yes') ? 'yes' : simple.includes('ask') ? 'ask' : 'no';
    if (!this.changes || one === 'no') return one;
    if (!this.expression) return 'ask';
    const { expr, language: known } = this.expression;
    const passes = known.matches(expr, new known.PacketSubject(copies), now);
    if (passes === undefined) return 'ask';
    return passes ? one : 'no';
  }
}
