/** A value as it has to be written in a filter: in quotes where it would not end as it should. */
export function written(value: string): string {
  if (/^[^\s(),"'&|=<>]+$/u.test(value) && !value.includes('..')) return value;
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
