/** The performance page stands still, rests while nobody looks, fits every window and has no barriers. */
import axe from 'axe-core';
import { expect, test } from './analyzer';
import { fake, openPerf, part, pass, REFRESH_MS } from './fixtures/perf';
import { healthy, notHere, rewriting } from './fixtures/states';

test('nothing moves when the figures change', async ({ page }) => {
  await page.clock.install();
  const server = await fake(page, healthy());
  await openPerf(page);
  await expect(page.locator('.panel canvas')).toHaveCount(8);
  await page.evaluate(() => {
    const state = window as unknown as { shift: number; from: string[] };
    state.shift = 0;
    state.from = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        sources: { node: Node }[];
      })[]) {
        state.shift += entry.value;
        state.from.push(
          ...entry.sources.map(({ node }) => node?.parentElement?.outerHTML?.slice(0, 160) ?? ''),
        );
      }
    }).observe({ type: 'layout-shift' });
  });
  const row = await part(page, 'sources')
    .getByRole('row', { name: /obs_inserted/ })
    .elementHandle();
  for (const factor of [1.04, 1.31, 0.9]) {
    const next = healthy();
    next.io = {
      ...next.io,
      writeBytesPerSec: next.io.writeBytesPerSec * factor,
      syscallsWrite: 31.2 * factor,
    };
    next.writes = {
      ...next.writes,
      sources: { ...next.writes.sources, obs_inserted: Math.round(1_024_118 * factor) },
    };
    server.answers = next;
    await pass(page, REFRESH_MS);
    await expect(part(page, 'sources')).toContainText(
      new RegExp(`^.*${String(Math.round(1_024_118 * factor)).slice(-3)}`, 's'),
    );
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(null))));
  }
  // The row is the same one: only its text has changed.
  expect(await row?.evaluate((element) => element.isConnected)).toBe(true);
  const { shift, from } = await page.evaluate(() => {
    const state = window as unknown as { shift: number; from: string[] };
    return { shift: state.shift, from: state.from };
  });
  expect(shift, from.join('\n')).toBe(0);
});

test('nothing is asked for while nobody looks, and all at once when somebody does', async ({ page }) => {
  await page.clock.install();
  const server = await fake(page, healthy());
  await openPerf(page);
  await expect(page.locator('.panel canvas')).toHaveCount(8);
  // What every page asks for some seconds after it was opened has been asked for.
  await pass(page, 3_000);
  const look = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await look(true);
  server.asked.length = 0;
  await pass(page, 10 * REFRESH_MS);
  expect(server.asked).toEqual([]);
  await look(false);
  await expect.poll(() => server.asked).toContain('/api/alerts');
});

test('on a phone the parts are folded under their figures, and nothing runs out of the page', async ({
  page,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await fake(page, rewriting());
  await openPerf(page);
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(await over()).toBeLessThanOrEqual(0);
  await expect(page.getByRole('heading', { name: /Jobs/ })).toContainText('rewrite flagged');
  await expect(page.getByRole('table', { name: 'Background jobs' })).toHaveCount(0);
  await page
    .getByRole('navigation', { name: 'Parts of the page' })
    .getByRole('link', { name: /Jobs/ })
    .click();
  await expect(page.getByRole('table', { name: 'Background jobs' })).toBeInViewport();
  // A table that is too wide scrolls in itself, and can be reached to do so.
  await expect(page.getByRole('region', { name: /Background jobs, scrolls sideways/ })).toBeVisible();
  const folded = page.locator('.part h2 button[aria-expanded=false]');
  while ((await folded.count()) > 0) await folded.first().click();
  expect(await over()).toBeLessThanOrEqual(0);
  const inner = await page.locator('.page').evaluate((element) => element.scrollWidth - element.clientWidth);
  expect(inner).toBeLessThanOrEqual(0);
});

for (const width of [720, 1000, 1280]) {
  test(`nothing runs out of the performance page at ${width} px, with a chart beside it or without`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    await fake(page, rewriting());
    for (const query of ['', '?series=process.write_bytes']) {
      await openPerf(page, query);
      await expect(page.locator('canvas').first()).toBeVisible();
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
      ).toBeLessThanOrEqual(0);
      expect(
        await page.locator('.page').evaluate((element) => element.scrollWidth - element.clientWidth),
      ).toBeLessThanOrEqual(0);
    }
  });
}

for (const theme of ['dark', 'light'] as const) {
  test(`no barrier on the performance page, ${theme}`, async ({ page }) => {
    test.setTimeout(90_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const server = await fake(page, healthy());
    const found: string[] = [];
    const check = async (name: string) => {
      await expect(page.locator('canvas').first()).toBeVisible();
      await page.evaluate(axe.source);
      const results = await page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
      );
      for (const v of results.violations)
        found.push(
          `${name}: ${v.id} (${v.impact}): ${v.nodes
            .slice(0, 3)
            .map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`)
            .join(' | ')}`,
        );
    };
    for (const [name, answers] of Object.entries({
      healthy: healthy(),
      rewriting: rewriting(),
      notHere: notHere(),
    })) {
      server.answers = answers;
      await openPerf(page, `?window=${name === 'healthy' ? 300 : 3600}`);
      await page.reload();
      await check(name);
    }
    await openPerf(page, '?series=process.write_bytes,process.wchar');
    await check('chart');
    await openPerf(page, '?event=11');
    await check('black box');
    await page.setViewportSize({ width: 390, height: 844 });
    server.answers = rewriting();
    await openPerf(page, '?section=jobs');
    await page.reload();
    await check('phone');
    expect(found).toEqual([]);
  });
}
