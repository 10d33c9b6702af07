import { expect, test } from 'vitest';
import { type Box, squarify } from './treemap';

const INTO: Box = { x: 10, y: 20, width: 600, height: 400 };
const area = (box: Box) => box.width * box.height;

/** Numbers that look random and are the same each time. */
function values(seed: number, n: number): number[] {
  let state = seed;
  return Array.from({ length: n }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return 1 + (state % 10_000) ** 2;
  }).sort((a, b) => b - a);
}

test('areas are in proportion to the values, and fill the whole', () => {
  for (let seed = 1; seed < 60; seed += 1) {
    const given = values(seed, 1 + (seed % 23));
    const sum = given.reduce((a, b) => a + b, 0);
    const boxes = squarify(given, INTO);
    boxes.forEach((box, i) => {
      expect(area(box) / area(INTO)).toBeCloseTo((given[i] ?? 0) / sum, 6);
    });
  }
});

test('boxes stay inside and do not overlap', () => {
  for (let seed = 1; seed < 30; seed += 1) {
    const boxes = squarify(values(seed, 12), INTO);
    for (const [i, a] of boxes.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(INTO.x - 1e-6);
      expect(a.y).toBeGreaterThanOrEqual(INTO.y - 1e-6);
      expect(a.x + a.width).toBeLessThanOrEqual(INTO.x + INTO.width + 1e-6);
      expect(a.y + a.height).toBeLessThanOrEqual(INTO.y + INTO.height + 1e-6);
      for (const b of boxes.slice(i + 1)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        expect(across > 1e-6 && down > 1e-6).toBe(false);
      }
    }
  }
});

test('equal values give boxes that are nearly square', () => {
  for (const box of squarify([1, 1, 1, 1, 1, 1], INTO)) {
    expect(Math.max(box.width / box.height, box.height / box.width)).toBeLessThan(1.6);
  }
});

test('nothing and zeros are no reason to fail', () => {
  expect(squarify([], INTO)).toEqual([]);
  expect(squarify([0, 0], INTO).map(area)).toEqual([0, 0]);
  expect(squarify([3, 0], INTO).map(area)).toEqual([240_000, 0]);
  expect(squarify([1], { x: 0, y: 0, width: 0, height: 0 }).map(area)).toEqual([0]);
});
