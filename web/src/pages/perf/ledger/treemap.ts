/**
 * Rectangles whose areas are in proportion to values, as square as can be: the squarified treemap of Bruls, Huizing and van Wijk
 * (2000).
 */

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The boxes of `values`, which must come the greatest first, in the same order; they fill `into` and do not overlap. */
export function squarify(values: readonly number[], into: Box): Box[] {
  const sum = values.reduce((total, value) => total + value, 0);
  if (sum <= 0 || into.width <= 0 || into.height <= 0)
    return values.map(() => ({ ...into, width: 0, height: 0 }));
  const scale = (into.width * into.height) / sum;
  const areas = values.map((value) => value * scale);
  const boxes: Box[] = [];
  let rest = into;
  let at = 0;
  while (at < areas.length) {
    const side = Math.min(rest.width, rest.height);
    let end = at + 1;
    // A row takes the next one as long as that makes its worst box no worse.
    while (end < areas.length && worst(areas.slice(at, end + 1), side) <= worst(areas.slice(at, end), side))
      end += 1;
    const placed = row(areas.slice(at, end), rest);
    boxes.push(...placed.boxes);
    rest = placed.rest;
    at = end;
  }
  return boxes;
}

/** How far from a square the worst box of a row is: the greater side by the lesser. */
function worst(areas: readonly number[], side: number): number {
  const sum = areas.reduce((total, area) => total + area, 0);
  const [greatest, least] = [Math.max(...areas), Math.min(...areas)];
  if (least <= 0 || side <= 0) return Number.POSITIVE_INFINITY;
  return Math.max((side * side * greatest) / (sum * sum), (sum * sum) / (side * side * least));
}

/** Puts a row along the shorter side; what is left is the box beside it. */
function row(areas: readonly number[], into: Box): { boxes: Box[]; rest: Box } {
  const sum = areas.reduce((total, area) => total + area, 0);
  const upright = into.width >= into.height;
  const side = upright ? into.height : into.width;
  const depth = side > 0 ? sum / side : 0;
  let offset = 0;
  const boxes = areas.map((area) => {
    const length = depth > 0 ? area / depth : 0;
    const box = upright
      ? { x: into.x, y: into.y + offset, width: depth, height: length }
      : { x: into.x + offset, y: into.y, width: length, height: depth };
    offset += length;
    return box;
  });
  const rest = upright
    ? { ...into, x: into.x + depth, width: Math.max(0, into.width - depth) }
    : { ...into, y: into.y + depth, height: Math.max(0, into.height - depth) };
  return { boxes, rest };
}
