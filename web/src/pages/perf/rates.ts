/** Rates from counters that only grow. */

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  counters: Readonly<Record<string, number>>;
}

/** Shorter than this, a rate is mostly the noise of when the two samples were taken. */
const SHORTEST_MS = 500;

/**
 * Change a second between two samples. `null` when they are too close together, and for counters that have fallen: then the server was
 * started anew, and there is no rate to tell.
 */
export function rate(name: string, before: Sample | undefined, now: Sample | undefined): number | null {
  const from = before?.counters[name];
  const to = now?.counters[name];
  if (!before || !now || from === undefined || to === undefined) return null;
  const ms = now.at - before.at;
  return ms < SHORTEST_MS || to < from ? null : ((to - from) * 1000) / ms;
}
