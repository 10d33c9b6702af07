import { describe, expect, test } from 'vitest';
import { type Geometry, offsetAt, reveal, rowWindow, scrollHeight, scrollTopFor, windowTop } from './window';

const small: Geometry = { rows: 1000, rowHeight: 26, viewport: 800 };
/** 26 million pixels: more than a browser lays out. */
const huge: Geometry = { rows: 1_000_000, rowHeight: 26, viewport: 800 };

describe.each([
  ['a list that fits', small],
  ['a list higher than a browser lays out', huge],
])('%s', (_, g) => {
  const bottom = scrollHeight(g) - g.viewport;

  test('begins with its first row', () => {
    expect(rowWindow(0, g).start).toBe(0);
    expect(windowTop(0, 0, g)).toBe(0);
  });

  test('ends with its last row', () => {
    expect(rowWindow(bottom, g).end).toBe(g.rows);
    expect(offsetAt(bottom, g)).toBeCloseTo(g.rows * g.rowHeight - g.viewport);
  });

  test('covers the whole viewport wherever it is scrolled', () => {
    for (let i = 0; i <= 200; i += 1) {
      const top = (bottom * i) / 200;
      const { start, end } = rowWindow(top, g);
      const from = windowTop(top, start, g);
      expect(from).toBeLessThanOrEqual(top);
      expect(from + (end - start) * g.rowHeight).toBeGreaterThanOrEqual(top + g.viewport - 0.001);
    }
  });

  test('scrolls to an offset and back', () => {
    for (const offset of [0, 1, 500, g.rows * 13, g.rows * g.rowHeight - g.viewport]) {
      expect(offsetAt(scrollTopFor(offset, g), g)).toBeCloseTo(offset, 3);
    }
  });

  test('reveals a row with the least movement', () => {
    const middle = Math.floor(g.rows / 2);
    const top = reveal(middle, 0, g);
    expect(offsetAt(top, g) + g.viewport).toBeCloseTo((middle + 1) * g.rowHeight, 3);
    expect(reveal(middle, top, g)).toBe(top);
    expect(offsetAt(reveal(0, top, g), g)).toBe(0);
  });

  test('renders few rows', () => {
    const { start, end } = rowWindow(bottom / 2, g);
    expect(end - start).toBeLessThan(60);
  });
});

test('an empty list has no rows', () => {
  expect(rowWindow(0, { ...small, rows: 0 })).toEqual({ start: 0, end: 0 });
});

test('a list shorter than its viewport shows all', () => {
  const g = { ...small, rows: 3 };
  expect(rowWindow(0, g)).toEqual({ start: 0, end: 3 });
  expect(rowWindow(500, g)).toEqual({ start: 0, end: 3 });
});
