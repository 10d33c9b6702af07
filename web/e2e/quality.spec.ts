import axe from 'axe-core';
import { addresses, expect, open, rows, test } from './analyzer';

const MOST_BYTES = 150 * 1024;
const MOST_REQUESTS = 15;

test('the first page is light: bytes, requests, no other host', async ({ page }) => {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const sizes = new Map<string, { url: string; bytes: number }>();
  session.on('Network.requestWillBeSent', (event) =>
    sizes.set(event.requestId, { url: event.request.url, bytes: 0 }),
  );
  session.on('Network.loadingFinished', (event) => {
    const entry = sizes.get(event.requestId);
    if (entry) entry.bytes = event.encodedDataLength;
  });
  session.on('Network.webSocketCreated', (event) => sizes.set(event.requestId, { url: event.url, bytes: 0 }));
  await page.goto('/');
  await expect(rows(page).first()).toBeVisible();
  await page.waitForTimeout(1500);
  const all = [...sizes.values()];
  const bytes = all.reduce((sum, entry) => sum + entry.bytes, 0);
  console.log(`first page: ${all.length} requests, ${(bytes / 1024).toFixed(1)} KiB`);
  for (const entry of all) console.log(`  ${String(entry.bytes).padStart(7)} ${new URL(entry.url).pathname}`);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(all.length).toBeLessThanOrEqual(MOST_REQUESTS);
});

test('the page policy allows no inline script', async ({ request }) => {
  const policy = (await request.get('/')).headers()['content-security-policy'] ?? '';
  expect(policy).toMatch(/script-src 'self'/);
  expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe-inline/);
});

for (const theme of ['dark', 'light'] as const) {
  test(`no serious barrier on any page, ${theme}`, async ({ page, request, complaints }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const found: string[] = [];
    for (const [name, address] of Object.entries(await addresses(request))) {
      await open(page, address);
      await page.waitForTimeout(400);
      expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
      await page.evaluate(axe.source);
      const results = await page.evaluate(() =>
        (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
      );
      for (const v of results.violations) {
        if (v.impact === 'serious' || v.impact === 'critical') {
          found.push(
            `${name}: ${v.id}: ${v.nodes
              .slice(0, 3)
              .map((n) => `${n.target.join(' ')} ${n.any[0]?.message ?? ''}`)
              .join(' | ')}`,
          );
        }
      }
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
  });
}

for (const width of [390, 720, 1000, 1440]) {
  test(`nothing runs out of the page at ${width} px`, async ({ page, request }) => {
    test.setTimeout(60_000);
    await page.setViewportSize({ width, height: 844 });
    for (const [name, address] of Object.entries(await addresses(request))) {
      await open(page, address);
      await page.waitForTimeout(150);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(over, `${name} at ${width} px`).toBeLessThanOrEqual(0);
    }
  });
}

test('opening a link changes no preference', async ({ page }) => {
  await open(page, '#/packets?timeWindow=60&region=SFO&type=ADVERT');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).toBe('{}');
});

test('the theme is there before the first paint, and stays', async ({ page }) => {
  await open(page, '');
  await page.getByRole('button', { name: /^Theme/ }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await page.reload({ waitUntil: 'commit' });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
});

test('the keyboard goes everywhere', async ({ page }) => {
  await open(page, '');
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(page).toHaveURL(/#\/nodes/);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox', { name: /^Search/ })).toBeFocused();
  await page.keyboard.type('perf');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/perf/);
});
