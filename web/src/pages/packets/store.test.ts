import { expect, test } from 'vitest';
import { packet } from '../../lib/testing';
import { Cell, PAGE, PageStore } from './store';

const list = (page: number, total: number) => ({
  packets: Array.from({ length: Math.min(PAGE, total - page * PAGE) }, (_, i) =>
    packet({ id: total - page * PAGE - i, hash: `h${page * PAGE + i}` }),
  ),
  total,
  limit: PAGE,
  offset: page * PAGE,
  nextCursor: (page + 1) * PAGE < total ? `c${page + 1}` : null,
});

test('a row is where its page is', () => {
  const store = new PageStore();
  store.put(3, list(3, 1000));
  expect(store.row(3 * PAGE + 7)?.data.hash).toBe(`h${3 * PAGE + 7}`);
  expect(store.row(0)).toBeUndefined();
  expect(store.indexOf(`h${3 * PAGE + 7}`)).toBe(3 * PAGE + 7);
});

test('a page gives the cursor of the next one', () => {
  const store = new PageStore();
  store.put(0, list(0, 1000));
  expect(store.cursor(1)).toBe('c1');
  expect(store.cursor(5)).toBeUndefined();
});

test('a page on its way is not asked for twice', () => {
  const store = new PageStore();
  expect(store.claim(2)).toBe(true);
  expect(store.claim(2)).toBe(false);
  store.release(2);
  expect(store.claim(2)).toBe(true);
});

test('pages far from the reader are forgotten, the newest is kept', () => {
  const store = new PageStore();
  for (let page = 0; page < 60; page += 1) store.put(page, list(page, 6000));
  store.keepNear(50, 51);
  expect(store.row(50 * PAGE)).toBeDefined();
  expect(store.row(0)).toBeDefined();
  expect(store.row(10 * PAGE)).toBeUndefined();
  expect(store.cell(`h${10 * PAGE}`)).toBeUndefined();
});

test('another observation counts, and the longest path is shown', () => {
  const cell = new Cell(packet({ path_json: '["A1"]', observer_name: 'first', snr: 1 }));
  cell.merge(packet({ path_json: '[]', observer_name: 'second', observation_count: 2, observer_count: 2 }));
  expect(cell.data).toMatchObject({ observer_name: 'first', observation_count: 2, observer_count: 2 });
  cell.merge(
    packet({ path_json: '["A1","B2"]', observer_name: 'third', observation_count: 3, observer_count: 3 }),
  );
  expect(cell.data).toMatchObject({ observer_name: 'third', observation_count: 3 });
  expect(cell.hops).toEqual(['A1', 'B2']);
});
