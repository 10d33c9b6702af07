export interface Segment {
  text: string;
  mention: boolean;
}

/** Splits a text at its mentions, which apps write as "@[Name]". */
export function segments(text: string): Segment[] {
  return text
    .split(/(@\[[^[\]]{1,40}\])/)
    .filter((part) => part !== '')
    .map((part) => {
      const mention = /^@\[.+\]$/.test(part);
      return { text: mention ? `@${part.slice(2, -1)}` : part, mention };
    });
}
