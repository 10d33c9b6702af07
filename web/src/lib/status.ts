/** One model of being alive, for nodes and observers, with the reason in words. */
import { ago, duration } from './format';

export type Level = 'ok' | 'warn' | 'bad' | 'note';

export interface Status {
  level: Level;
  word: string;
  reason: string;
}

export interface Thresholds {
  infraDegraded: number;
  infraSilent: number;
  nodeDegraded: number;
  nodeSilent: number;
  observerOnline: number;
  observerStale: number;
}

export function nodeStatus(role: string | null, lastSeen: number | null, now: number, t: Thresholds): Status {
  const infra = role === 'repeater' || role === 'room';
  const [degraded, silent] = infra ? [t.infraDegraded, t.infraSilent] : [t.nodeDegraded, t.nodeSilent];
  const rule = `${infra ? 'repeaters and rooms are' : 'companions and sensors are'} degraded after ${duration(degraded)} and silent after ${duration(silent)} without an advert`;
  return byAge(lastSeen, now, degraded, silent, ['active', 'degraded', 'silent'], 'last advert', rule);
}

export function observerStatus(lastSeen: number | null, now: number, t: Thresholds): Status {
  const rule = `stale after ${duration(t.observerOnline)}, offline after ${duration(t.observerStale)} without a message`;
  return byAge(
    lastSeen,
    now,
    t.observerOnline,
    t.observerStale,
    ['online', 'stale', 'offline'],
    'last message',
    rule,
  );
}

function byAge(
  at: number | null,
  now: number,
  first: number,
  second: number,
  words: readonly [string, string, string],
  what: string,
  rule: string,
): Status {
  const age = at === null ? Number.POSITIVE_INFINITY : now - at;
  const step = age < first ? 0 : age < second ? 1 : 2;
  const level = (['ok', 'warn', 'bad'] as const)[step] ?? 'note';
  return { level, word: words[step] ?? '', reason: `${what} ${ago(at, now)}; ${rule}` };
}
