/** The arithmetic of a list of which only a window is in the page. All rows are equally high. */

export interface RowWindow {
  /** First row to render. */
  start: number;
  /** After the last row to render. */
  end: number;
}

/** Rows rendered beyond what is visible, on both sides, so that a fast scroll shows rows, not gaps. */
const OVERSCAN = 8;

/**
 * No browser lays out an element higher than about 33 million pixels (Firefox: 17.8 million). Beyond this height the list
 * is scrolled by proportion instead of pixel by pixel.
 */
const MAX_HEIGHT = 8_000_000;

export interface Geometry {
  rows: number;
  rowHeight: number;
  viewport: number;
}

/** Height of the scrolled area. */
export function scrollHeight(g: Geometry): number {
  return Math.min(g.rows * g.rowHeight, MAX_HEIGHT);
}

/** Offset in the whole list, in pixels, of what a scroll position shows at its top. */
export function offsetAt(scrollTop: number, g: Geometry): number {
  const whole = g.rows * g.rowHeight;
  const shown = scrollHeight(g);
  const clamped = Math.min(Math.max(scrollTop, 0), Math.max(shown - g.viewport, 0));
  if (whole <= shown || shown <= g.viewport) return clamped;
  return (clamped / (shown - g.viewport)) * (whole - g.viewport);
}

/** The scroll position at which that offset is at the top: the inverse of `offsetAt`. */
export function scrollTopFor(offset: number, g: Geometry): number {
  const whole = g.rows * g.rowHeight;
  const shown = scrollHeight(g);
  const clamped = Math.min(Math.max(offset, 0), Math.max(whole - g.viewport, 0));
  if (whole <= shown || whole <= g.viewport) return clamped;
  return (clamped / (whole - g.viewport)) * (shown - g.viewport);
}

/** Which rows to render at a scroll position. */
export function rowWindow(scrollTop: number, g: Geometry): RowWindow {
  if (g.rows === 0 || g.rowHeight <= 0) return { start: 0, end: 0 };
  const offset = offsetAt(scrollTop, g);
  const first = Math.floor(offset / g.rowHeight);
  const last = Math.ceil((offset + g.viewport) / g.rowHeight);
  return { start: Math.max(0, first - OVERSCAN), end: Math.min(g.rows, last + OVERSCAN) };
}

/** Where, in the scrolled area, the first rendered row begins. */
export function windowTop(scrollTop: number, start: number, g: Geometry): number {
  const clamped = Math.min(Math.max(scrollTop, 0), Math.max(scrollHeight(g) - g.viewport, 0));
  return clamped - (offsetAt(scrollTop, g) - start * g.rowHeight);
}

/** The scroll position that brings a row into view with the least movement. */
export function reveal(row: number, scrollTop: number, g: Geometry): number {
  const offset = offsetAt(scrollTop, g);
  const top = row * g.rowHeight;
  if (top < offset) return scrollTopFor(top, g);
  if (top + g.rowHeight > offset + g.viewport) return scrollTopFor(top + g.rowHeight - g.viewport, g);
  return scrollTop;
}
