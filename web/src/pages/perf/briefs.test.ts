import { expect, test } from 'vitest';
import { healthy, notHere, rewriting } from '../../../e2e/fixtures/states';
import { briefs } from './briefs';

const CARD = { preset: 'sd', tbw: 10 };
const plain = (text: string | undefined) => text?.replaceAll('\u2009', ' ');

test('a folded part shows its one figure', () => {
  const found = briefs(healthy(), CARD);
  expect(plain(found.io?.brief)).toBe('44.0 KB/s written');
  expect(found.jobs).toEqual({ brief: '2 at work', warn: false });
  expect(Object.values(found).some((brief) => brief.warn)).toBe(false);
});

test('a folded part says when something in it is wrong', () => {
  const found = briefs(rewriting(), CARD);
  expect(found.jobs).toEqual({ brief: 'rewrite flagged', warn: true });
  expect(found.sources).toEqual({ brief: '1 flagged', warn: true });
});

test('what is not told here, and what was never answered, has no figure', () => {
  expect(briefs(notHere(), CARD).io).toEqual({ brief: 'not available here', warn: false });
  expect(briefs({}, CARD)).toEqual({});
});
