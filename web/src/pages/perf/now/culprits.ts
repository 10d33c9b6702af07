/** Who is flagged, and the stretch of history that says something of them. */
import type { Flag, History } from '../../../lib/api/types';

/** Less than this would make seconds look like a trend. */
const LEAST_SECS = 600;

/** Flags by whom they are about, in the order in which they come. */
export function bySubject(flags: readonly Flag[]): [Flag, ...Flag[]][] {
  const groups = new Map<string, [Flag, ...Flag[]]>();
  for (const flag of flags) {
    const key = `${flag.subject.kind} ${flag.subject.name}`;
    const group = groups.get(key);
    if (group) group.push(flag);
    else groups.set(key, [flag]);
  }
  return [...groups.values()];
}

/** The history without its begin, of which nothing is known; of at least ten minutes. */
export function fromFirstValue(history: History): History {
  const { from_secs, step_secs, series } = history;
  const steps = Math.max(0, ...series.map((s) => s.values.length));
  const firsts = series.map((s) => s.values.findIndex((value) => value !== null)).filter((at) => at >= 0);
  const first = Math.min(...firsts, Math.max(0, steps - Math.ceil(LEAST_SECS / step_secs)));
  return {
    from_secs: from_secs + first * step_secs,
    step_secs,
    series: series.map((s) => ({ ...s, values: s.values.slice(first) })),
  };
}
