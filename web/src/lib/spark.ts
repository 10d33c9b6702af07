/**
 * The line through values that are equally far apart, from zero at the bottom to the largest at the top, with gaps where they are not
 * known. Empty with fewer than two.
 */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) return '';
  const top = Math.max(...known, Number.EPSILON);
  const step = width / (values.length - 1);
  return values
    .map((v, i) => {
      if (v === null) return '';
      const pen = (values[i - 1] ?? null) === null ? 'M' : 'L';
      return `${pen}${(i * step).toFixed(1)} ${(height - 1 - (Math.max(0, v) / top) * (height - 2)).toFixed(1)}`;
    })
    .join('');
}
