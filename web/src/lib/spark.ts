/** The line through values that are equally far apart, from zero at the bottom to the largest at the top. Empty with fewer than two. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return '';
  const top = Math.max(...values, Number.EPSILON);
  const step = width / (values.length - 1);
  return values
    .map(
      (v, i) =>
        `${i === 0 ? 'M' : 'L'}${(i * step).toFixed(1)} ${(height - 1 - (Math.max(0, v) / top) * (height - 2)).toFixed(1)}`,
    )
    .join('');
}
