/** The accounting identity: every message received has ended in exactly one outcome. */
import type { Count } from '../../../lib/api/types';

/** Kinds of ends, by how their names begin; what fits none is "other", so that nothing is left out of the sum. */
export const KINDS = ['stored', 'duplicate', 'status', 'filtered', 'rejected', 'other'] as const;

export type Kind = (typeof KINDS)[number];

export interface Account {
  received: number;
  byKind: Record<Kind, number>;
  sum: number;
  /** Whether received = sum of the outcomes. */
  balanced: boolean;
  /** Every outcome by its own name, largest first. */
  outcomes: Count[];
}

export function account(received: number, outcomes: readonly Count[]): Account {
  const byKind: Record<Kind, number> = {
    stored: 0,
    duplicate: 0,
    status: 0,
    filtered: 0,
    rejected: 0,
    other: 0,
  };
  for (const outcome of outcomes) byKind[kindOf(outcome.name)] += outcome.count;
  const sum = outcomes.reduce((total, outcome) => total + outcome.count, 0);
  return {
    received,
    byKind,
    sum,
    balanced: sum === received,
    outcomes: [...outcomes].sort((a, b) => b.count - a.count),
  };
}

export function kindOf(name: string): Kind {
  return KINDS.find((kind) => name === kind || name.startsWith(`${kind}_`)) ?? 'other';
}

/** "rejected_not_json" → "rejected: not json". */
export function outcomeWords(name: string): string {
  const kind = kindOf(name);
  const rest = name.slice(kind.length + 1).replaceAll('_', ' ');
  return kind === 'other' ? name.replaceAll('_', ' ') : rest ? `${kind}: ${rest}` : kind;
}
