const FIRST_MS = 500;
const LAST_MS = 30_000;

/**
 * How long to wait before the next attempt: doubling, with up to half of it random, so that all readers do not come back in the same
 * moment when a server has been restarted.
 */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (full / 2) * random;
}
